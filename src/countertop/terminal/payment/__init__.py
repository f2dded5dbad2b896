"""Taking a payment card, and what comes before and after it: one module for each part of a payment."""
