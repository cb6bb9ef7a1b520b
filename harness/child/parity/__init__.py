"""How a program's outputs and state compare with the oracle and with eager."""
