"""Pure rules, one module a noun. No I/O; time, ids and randomness are arguments."""
