"""The gateway's end of the device channel: who is connected here, and what is said to them."""
