"""The random streams of the test's process, which a call in a mode must not use up.

Every call is made twice, eagerly and in the mode. Both start from the same streams, and afterwards
the streams are where one eager call leaves them: a test draws what it would draw without us.
"""

from __future__ import annotations

import pickle
import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from keras.src.backend.common import global_state
from tensorflow.python.eager import context

_OF_KERAS = ("global_random_seed", "global_seed_generator")
"""What ``keras.utils.set_random_seed`` sets besides the streams of Python, NumPy and TensorFlow."""


def streams() -> bytes:
    """Where Python's, NumPy's and TensorFlow's global generators are."""
    tensorflow = vars(context.context())
    generator = tensorflow.get("_rng")  # there is none before tf.random.set_seed
    seeded = generator and (tensorflow["_seed"], generator.getstate())
    return pickle.dumps((random.getstate(), np.random.get_state(legacy=False), seeded))


def go_to(state: bytes) -> None:
    """Put the generators where they were when ``streams`` was called."""
    python, numpy, seeded = pickle.loads(state)  # noqa: S301 - made in this process
    random.setstate(python)
    np.random.set_state(numpy)
    tensorflow = vars(context.context())
    tensorflow["_seed"] = None
    tensorflow.pop("_rng", None)
    if seeded:
        generator = random.Random()  # noqa: S311 - of TensorFlow's own kind
        tensorflow["_seed"], position = seeded
        generator.setstate(position)
        tensorflow["_rng"] = generator
        context.context().clear_kernel_cache()  # a kernel with the same seeds would draw on


@contextmanager
def kept() -> Iterator[None]:
    """Leave every stream where it is, whatever is seeded and drawn inside."""
    before = streams()
    keras = {name: global_state.get_global_attribute(name) for name in _OF_KERAS}
    try:
        yield
    finally:
        go_to(before)
        for name, value in keras.items():
            global_state.set_global_attribute(name, value)
