"""TensorFlow as the children import it: lean, and quiet about the hardware it looks for."""

from __future__ import annotations

import gc
import os

from hypothesis import settings

from eager_vs_graph.processes.lean_import import import_tensorflow

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import_tensorflow()

from eager_vs_graph.child import environment  # noqa: E402 - it imports TensorFlow
from eager_vs_graph.modes import MODES  # noqa: E402

environment.split_cpu(1, MODES)  # as a process does that runs every mode
# Parity collects garbage before every cell; TensorFlow's own million objects need no visit.
gc.freeze()

# A first example may pay for a trace; and the same examples in every run make a failure repeatable.
settings.register_profile("harness", deadline=None, derandomize=True)
settings.load_profile("harness")
