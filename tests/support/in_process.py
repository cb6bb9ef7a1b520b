"""TensorFlow in the process of the tests, started as a child starts it."""

from __future__ import annotations

import gc
import os

from eager_vs_graph.processes.lean_import import import_tensorflow


def start_tensorflow() -> None:
    """Import TensorFlow and make the logical devices that the modes need."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import_tensorflow()

    from eager_vs_graph.child import environment
    from eager_vs_graph.modes import MODES

    environment.split_cpu(1, MODES)  # as a process does that runs every mode
    # Parity collects garbage before every cell; TensorFlow's own million objects need no visit.
    gc.freeze()
