"""The rows of the table, one module each: `measure(folder, rounds, seconds)` gives their results."""
