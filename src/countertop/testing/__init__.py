"""For programs that test against Countertop: simulated terminal, webhook catcher, pytest plugin."""
