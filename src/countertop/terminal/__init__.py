"""The terminal's own software."""
