"""``tf.distribute.MirroredStrategy``: replicas on the logical devices of one process.

A cell names one device; its replicas are on every logical device of that kind, the cell's own
first. Each has a copy of every variable and does the step on its share of the batch, all inside
one graph.
"""

from __future__ import annotations

from functools import cache

import tensorflow as tf

from eager_vs_graph.errors import Unsupported
from eager_vs_graph.modes.program import Task
from eager_vs_graph.modes.replicas import ReplicatedProgram, require_shares


def build(task: Task) -> ReplicatedProgram:
    """Build the task's scenario on all devices of its kind.

    Raises:
        Unsupported: there is one device of the kind, or the scenario cannot be split.
    """
    kind = task.device.partition(":")[0]
    found = [d.name.removeprefix("/device:") for d in tf.config.list_logical_devices(kind)]
    require_shares(task, len(found))
    if len(found) < 2:
        how = "; --logical-cpus 2 splits the CPU" if kind == "CPU" else ""
        raise Unsupported(f"needs 2 logical {kind} devices, and there is {len(found)}{how}")
    others = [device for device in found if device != task.device]
    return ReplicatedProgram(task, _strategy((task.device, *others)))


@cache
def _strategy(devices: tuple[str, ...]) -> tf.distribute.MirroredStrategy:
    """One strategy for all programs: two would number their collective ops alike."""
    return tf.distribute.MirroredStrategy(list(devices))
