"""The fault harness: whole lives at a fixed rate from outside, while something is taken away, and a reckoning for every one."""
