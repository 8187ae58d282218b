"""Crossledger keeps a CRM and an invoicing system in step, both ways."""
