"""Sends what endpoints are owed: claims, signs, sends, records."""
