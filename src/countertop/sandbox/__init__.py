"""What only a test server has: virtual terminals and their customers, a clock to advance, the /test paths."""
