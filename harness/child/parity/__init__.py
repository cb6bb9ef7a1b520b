"""How a program's outputs and state compare with the reference and with eager."""
