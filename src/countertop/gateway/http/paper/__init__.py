"""Receipts on paper: HTML for a roll and for a sheet, printed as it is shown."""
