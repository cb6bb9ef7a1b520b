"""Prints where variables and work of each mode are, with two logical CPU devices.

A process of its own: devices can be split only before TensorFlow's first op.
"""

# ruff: noqa: E402 - TensorFlow is imported lean before anything imports it otherwise

from __future__ import annotations

import json
import re

from harness.lean_import import import_tensorflow

import_tensorflow()

import numpy as np
import tensorflow as tf
from workbench import WHOLE

from harness import Scenario, Size, environment
from harness.grid import INPUTS, grid
from harness.parity import check as parity
from harness.runners.program import Program

v1 = tf.compat.v1
WORK = {"Mul", "AssignAddVariableOp"}


class Accumulate(Scenario):
    """One product and one update."""

    name = "accumulate"
    sizes = {"tiny": Size()}

    def inputs(self, rng):
        return [{"x": np.arange(3, dtype=np.float32)}]

    def build(self):
        self.total = tf.Variable(tf.zeros(3))

    def step(self, x):
        self.total.assign_add(x)
        return {"product": self.total * x}

    def oracle(self, state, x):
        state["total"] = state["total"] + x
        return {"product": state["total"] * x}


def short(device: str) -> str:
    return re.search(r"[CG]PU:\d+$", device)[0]


def work(program: Program) -> list[str]:
    """Devices that computed the outputs."""
    with program.task.on_device():
        outputs = program._step(*program._tensors(program.task.feeds[0]))
    return sorted({short(tensor.device) for tensor in outputs.values()})


def nodes(program: Program) -> list[str]:
    """Devices of the step's ops after TensorFlow has partitioned the graph."""
    calls = [op for op in program._graph.get_operations() if "PartitionedCall" in op.type]
    feeds = {}
    if program.task.inputs == "fed":
        feeds = dict(zip(program._inputs, program.task.feeds[0].values(), strict=True))
    told = v1.RunMetadata()
    options = v1.RunOptions(output_partition_graphs=True)
    program._session.run(calls[-1].outputs, feeds, options=options, run_metadata=told)
    work = [node for graph in told.partition_graphs for node in graph.node if node.op in WORK]
    assert {node.op for node in work} == WORK
    return sorted({short(node.device) for node in work})


def main() -> None:
    environment.split_cpu(2)
    found = {"devices": environment.devices([])}
    subject = parity.subject(Accumulate, "tiny")
    cells = grid([(Accumulate.name, "tiny")], list(WHOLE), found["devices"], INPUTS)
    words = {result.cell: result.word for result in parity.check(subject, cells, lambda _: None)}
    for cell in cells:
        program = subject.build(cell)
        with program.task.on_device():  # as the timed blocks do
            program.call()
            program.run(subject.feeds[0])
        found[cell.id] = {
            "word": words[cell.id],
            "traces": program.traces,
            "variables": sorted({short(v.device) for v in program.variables().values()}),
            "work": nodes(program) if cell.mode == "session" else work(program),
        }
    print(json.dumps(found))


main()
