"""Changes that may make a call shorter: tried one by one, and said only where they did."""
