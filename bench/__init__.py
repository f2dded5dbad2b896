"""What each speed claim is measured with. `python -m bench` runs it."""
