"""Receipts on paper and in mails: HTML for a roll and for a sheet, printed as it is shown, and plain text."""
