"""The pytest side of a pass: programs are prepared, then each (cell, block) is one item."""
