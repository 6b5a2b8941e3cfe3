"""Products, metrics, rate plans in the admin."""
