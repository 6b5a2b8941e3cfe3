"""What we sell: products with a life cycle, metrics, and rate plans with their charges."""
