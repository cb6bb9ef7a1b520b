"""What the pytest plugin does once a test uses it: user's functions in each mode, compared."""
