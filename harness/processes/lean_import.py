"""Imports TensorFlow without what Keras imports only because it is installed.

Keras imports pandas, matplotlib, SciPy and scikit-learn when it finds them: 3.6 of 10.9 s on the
machine this was written on, in every pass, for features that no timed step uses. They are hidden
while TensorFlow is imported, and can be imported again afterwards.
"""

from __future__ import annotations

import importlib
import os
import sys

_OPTIONAL = ("matplotlib", "pandas", "scipy", "sklearn")


def import_tensorflow() -> None:
    """Import TensorFlow and Keras; afterwards ``import tensorflow`` is free."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    hidden = [name for name in _OPTIONAL if name not in sys.modules]
    # None in sys.modules makes an import raise ImportError, which Keras expects.
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        tensorflow = importlib.import_module("tensorflow")
        _ = tensorflow.keras.layers
    finally:
        for name in hidden:
            del sys.modules[name]
