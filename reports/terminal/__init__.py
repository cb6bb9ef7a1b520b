"""What is printed: the result of a run, explanations, and two runs compared."""
