"""What there is to run: scenarios, and code of the user's own, found without importing it."""
