"""Who pays what: Stripe, plans, usage limits, the MRR ledger."""
