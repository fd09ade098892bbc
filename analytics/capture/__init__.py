"""From an HTTP request to a committed inbox row, and the ledger of all arrivals."""
