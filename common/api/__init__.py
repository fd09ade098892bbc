"""What every endpoint shares: problem responses, pagination, the OpenAPI schema."""
