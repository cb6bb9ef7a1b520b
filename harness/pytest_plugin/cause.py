"""Why a mode disagrees, for a failing test: the experiments of ``explain``, in this process."""

from __future__ import annotations

import logging
import time
import warnings

import tensorflow as tf

from eager_vs_graph.child.explain import engine
from eager_vs_graph.pytest_plugin import random_state
from eager_vs_graph.pytest_plugin.pair import Pair
from eager_vs_graph.results.explanation import Explanation

HINT = (
    "`eager-vs-graph new NAME` writes a scenario to put the function in, and `eager-vs-graph "
    "explain NAME.py` looks for the cause with more time and in processes of its own"
)


def cause(pair: Pair, seconds: float) -> list[str]:
    """The cause and its remedy, where the experiments find one in time; else how to go on.

    Args:
        pair: the programs that disagree, with the calls that were made.
        seconds: how long experiments may begin; 0 means none are made.
    """
    if seconds <= 0:
        return [HINT]
    logger = tf.get_logger()
    level = logger.level
    logger.setLevel(logging.ERROR)  # experiments trace again and again, and TensorFlow warns of it
    try:
        with random_state.kept(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = _explain(pair, time.monotonic() + seconds)
    except Exception as error:  # the test fails for its own reason, not for what was asked after it
        return [f"Cause: not found; explaining ended with {type(error).__name__}", HINT]
    finally:
        logger.setLevel(level)
    if found is None or not found.causes:
        return [f"Cause: not found in {seconds:g} s", HINT]
    first = found.causes[0]
    where = f" ({first.where[0]})" if first.where else ""
    return [
        f"Cause: {first.name}: {first.what}{where}: {first.summary.rstrip('.')}",
        f"Fix: {first.remedy.rstrip('.')}",
    ]


def _explain(pair: Pair, deadline: float) -> Explanation | None:
    found = engine.explain(pair.subject(), [pair.cell], deadline, lambda _cell: None)
    return {each.cell: each for each in found}.get(pair.cell.id)
