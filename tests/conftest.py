"""What every test has in common. Free of TensorFlow, as the tests in ``unit`` are."""

from __future__ import annotations

from hypothesis import settings

# A first example may pay for a trace; and the same examples in every run make a failure repeatable.
settings.register_profile("eager_vs_graph", deadline=None, derandomize=True)
settings.load_profile("eager_vs_graph")
