"""The device channel, sans-I/O, shared by the gateway's end and the terminal's."""
