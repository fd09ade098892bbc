"""Messages to the people who run the company: rows first, then sent."""
