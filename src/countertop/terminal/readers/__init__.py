"""Where stripes come from."""
