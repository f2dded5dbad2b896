"""Who authorises a payment. `port.py` is what the gateway asks of a processor; `iso8583.py` speaks to one over the network."""
