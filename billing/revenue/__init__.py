"""The MRR and cash ledgers, and what is read from them."""
