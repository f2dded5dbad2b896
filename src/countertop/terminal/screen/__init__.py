"""The page that a customer looks at: it renders the machine's screens and sends keys; nothing else."""
