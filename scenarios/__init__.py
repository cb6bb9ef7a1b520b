"""The scenarios: one file each. Adding a file here is all it takes to add one."""
