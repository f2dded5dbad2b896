"""Countertop: an open, self-hosted Smart Terminal gateway."""
