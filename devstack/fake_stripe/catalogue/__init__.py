"""Products, prices, coupons and meters."""
