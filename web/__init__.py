"""The HTTP server of the web processes: requests are read whole before a thread takes them."""
