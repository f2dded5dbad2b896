"""Who authorises a payment."""
