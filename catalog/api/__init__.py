"""Products, metrics, rate plans over JSON: translate, one call, translate."""
