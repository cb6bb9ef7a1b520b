"""Why a mode disagrees, in a sentence for a failing test: the experiments of ``explain``."""

from __future__ import annotations

import logging
import random
import time
import warnings

import numpy as np
import tensorflow as tf

from eager_vs_graph.child.explain import engine
from eager_vs_graph.child.parity.check import Subject
from eager_vs_graph.pytest_plugin.pair import Pair
from eager_vs_graph.results.explanation import Explanation

HINT = (
    "To find out why, put the function into a scenario (`eager-vs-graph new NAME`) and run "
    "`eager-vs-graph explain NAME.py`"
)


def why(pair: Pair, seconds: float) -> str:
    """The cause and the remedy, where the experiments find one in time; else how to go on.

    Args:
        pair: the programs that disagree, with the calls that were made.
        seconds: how long experiments may begin; 0 means none are made.
    """
    if seconds <= 0:
        return HINT
    python, numpy = random.getstate(), np.random.get_state()
    logger = tf.get_logger()
    level = logger.level
    logger.setLevel(logging.ERROR)  # experiments trace again and again, and TensorFlow warns of it
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = _explain(pair, time.monotonic() + seconds)
    except Exception as error:  # a test fails for its reason, not for what was asked after it
        return f"{HINT} (here, explaining ended with {type(error).__name__})"
    finally:
        logger.setLevel(level)
        random.setstate(python)
        np.random.set_state(numpy)
    if found is None or not found.causes:
        return f"No cause was found in {seconds:g} s. {HINT}"
    cause = found.causes[0]
    where = f" at {cause.where[0]}" if cause.where else ""
    told = f"Why: {cause.name}: {cause.what}{where}: {cause.summary}"
    return f"{told.rstrip('.')}. What to do: {cause.remedy.rstrip('.')}"


def _explain(pair: Pair, deadline: float) -> Explanation | None:
    steps = {"parity_steps": len(pair.history)}
    scenario = type(pair.scenario.__name__, (pair.scenario,), steps)
    subject = Subject(scenario, pair.cell.size, list(pair.history))
    found = engine.explain(subject, [pair.cell], deadline, lambda _cell: None)
    return {each.cell: each for each in found}.get(pair.cell.id)
