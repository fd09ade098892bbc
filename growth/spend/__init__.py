"""Marketing and sales spend, and what it brought: CAC, payback and LTV:CAC."""
