"""What Stripe sends and what we ask of it; `gateway` alone reads stripe and djstripe."""
