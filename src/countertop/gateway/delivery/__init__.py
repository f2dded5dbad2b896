"""Webhooks on their way: what is due is claimed, signed, sent, and its answer recorded."""
