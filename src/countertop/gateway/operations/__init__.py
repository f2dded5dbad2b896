"""One function an intention, each in one transaction; and the questions that are asked of the store."""
