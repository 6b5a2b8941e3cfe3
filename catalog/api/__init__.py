"""Products, metrics, rate plans, add-ons, coupons, taxes over JSON: translate, one call, translate."""
