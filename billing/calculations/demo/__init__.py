"""The demo company's customers: what they subscribe to, and the events of it."""
