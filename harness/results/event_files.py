"""Reads back what ``tf.summary`` wrote, with TensorBoard's own reader."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_PATTERN = "events.out.tfevents.*"


def read_summaries(folder: Path) -> dict[str, NDArray[Any]]:
    """Every summary in the event files of a folder and the folders in it.

    The wall time of an event is left out, and nothing is purged: a step that was written twice is
    read twice (TensorBoard's ``EventAccumulator`` would drop what a restart has written before).

    Args:
        folder: where the event files are; their writers must have been flushed.

    Returns:
        For each tag two arrays with one entry an event, in the order of writing: ``summary of
        <tag>``, the values in their own dtype (of scalars: shape ``(events,)``), and ``steps of
        <tag>``, int64.
    """
    # Here, so that TensorBoard is imported by those only who write summaries: it takes 0.3 s.
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
    from tensorboard.util.tensor_util import make_ndarray

    values: dict[str, list[NDArray[Any]]] = defaultdict(list)
    steps: dict[str, list[int]] = defaultdict(list)
    # A file's name begins with the second and ends with the number of its making.
    for file in sorted(folder.rglob(_PATTERN)):
        for event in EventFileLoader(str(file)).Load():
            for value in event.summary.value:
                values[value.tag].append(make_ndarray(value.tensor))
                steps[value.tag].append(event.step)
    arrays: dict[str, NDArray[Any]] = {}
    for tag, of_tag in values.items():
        arrays[f"summary of {tag}"] = np.array(of_tag)
        arrays[f"steps of {tag}"] = np.array(steps[tag], np.int64)
    return arrays
