"""Products, prices, coupons and discounts."""
