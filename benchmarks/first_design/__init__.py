"""An obvious event store: Django and DRF as their documentation shows them."""
