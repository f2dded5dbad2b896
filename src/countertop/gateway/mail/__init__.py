"""Receipts on their way to an address: what is due is claimed, laid out, sent, and what came of it recorded."""
