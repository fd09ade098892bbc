"""The event store that people write first: Django and DRF as their documentation shows them."""
