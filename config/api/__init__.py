"""What every endpoint shares: strict JSON, errors, authentication, idempotency, pages, schema; none of our apps."""
