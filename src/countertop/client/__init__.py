"""A client for programs that talk to the gateway."""
