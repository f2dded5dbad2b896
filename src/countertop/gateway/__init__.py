"""The server: doors (http, devices, console), intentions (operations), memory (store) and what it sends (delivery)."""
