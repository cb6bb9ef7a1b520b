"""Prints where variables and work of each mode are, with two logical CPU devices.

A process of its own: devices can be split only before TensorFlow's first op.
"""

# ruff: noqa: E402 - TensorFlow is imported lean before anything imports it otherwise

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from eager_vs_graph.processes.lean_import import import_tensorflow

import_tensorflow()

import numpy as np
import tensorflow as tf
from tensorflow.python.eager import context
from workbench import WHOLE

from eager_vs_graph import Scenario, Size
from eager_vs_graph.catalog import find as catalog
from eager_vs_graph.child import environment
from eager_vs_graph.child.adopt.loading import load
from eager_vs_graph.child.parity import check as parity
from eager_vs_graph.modes.program import Program, TensorProgram
from eager_vs_graph.modes.saved_model_loading import LoadedModel
from eager_vs_graph.modes.session import SessionProgram
from eager_vs_graph.results.cells import INPUTS, Cell, grid

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

    def reference(self, state, x):
        state["total"] = state["total"] + x
        return {"product": state["total"] * x}


def short(device: str) -> str:
    """``CPU:1``; a session's variable that no scope holds names no device, and is on the first."""
    return re.search(r"[CG]PU:\d+$", device)[0] if device else "CPU:0"


def work(program: Program) -> list[str]:
    """Devices that computed the outputs.

    Their memory is there. ``tensor.device`` would be where the call was made: for a function, that
    is one device for all its outputs.
    """
    with program.task.on_device():
        outputs = program._step(*program._tensors(program.task.feeds[0]))
    return sorted({short(tensor.backing_device) for tensor in outputs.values()})


def nodes(program: Program) -> list[str]:
    """Devices of the step's ops after TensorFlow has partitioned the graph."""
    inspect = nodes_of_signature if mode_of(program) == "saved_model" else nodes_of_session
    work = [node for node in inspect(program) if node.op in WORK]
    assert {node.op for node in work} == WORK
    return devices_of(work)


def nodes_of_session(program: Program) -> list[Any]:
    if isinstance(program, SessionProgram):
        session, inputs = program._session, program._inputs
        calls = [op for op in program._graph.get_operations() if "PartitionedCall" in op.type]
        fetches = calls[-1].outputs
    else:
        session, inputs = program._here.session, program._here.placeholders("step").values()
        fetches = list(program._here.tensors("step").values())
    feeds = {}
    if program.task.inputs == "fed":
        feeds = dict(zip(inputs, program.task.feeds[0].values(), strict=True))
    told = v1.RunMetadata()
    options = v1.RunOptions(output_partition_graphs=True)
    session.run(fetches, feeds, options=options, run_metadata=told)
    return [node for graph in told.partition_graphs for node in graph.node]


def nodes_of_signature(program: Program) -> list[Any]:
    # A signature copies its outputs to where it is called: their devices tell nothing. What a
    # session tells of its graphs, the eager runtime tells inside TensorFlow, of first calls only.
    model = LoadedModel(program._export.folder, program.task.device, False)
    context.enable_run_metadata()
    try:
        model.call("step", program.task.feeds[0])
        told = context.export_run_metadata()
    finally:
        context.disable_run_metadata()
    return [node for graph in told.partition_graphs for node in graph.node]


def variables(program: Program) -> list[str]:
    """Devices of the variables."""
    if mode_of(program) == "saved_model":
        return devices_of(program._here.model.kept)
    if mode_of(program) == "saved_model_session":
        operations = program._here.graph.get_operations()
        return devices_of(operation for operation in operations if operation.type == "VarHandleOp")
    return devices_of(program.variables().values())


def devices_of(things: Iterable[Any]) -> list[str]:
    return sorted({short(thing.device) for thing in things})


def mode_of(program: Program) -> str:
    return type(program).__module__.rpartition(".")[2]


def placed_by_the_step(mode: str, device: str) -> dict:
    """What TensorFlow tells of where a step that places its own work has put it."""
    entry, *_ = catalog.select(["device_placement"])
    subject = parity.subject(load(entry), "guide")
    cell = Cell(entry.name, "guide", mode, device, "fed")
    (result,) = parity.check(subject, [cell], lambda _: None)
    program = subject.build(cell)
    if mode != "session":
        outputs = program._step(*program._tensors(subject.feeds[0]))
        places = {name: short(tensor.backing_device) for name, tensor in outputs.items()}
        return {"status": result.status, "outputs": places}
    told = nodes_of_session(program)
    ends = ("send_device", "recv_device")
    return {
        "status": result.status,
        # oneDNN gives the op another name: _MklMatMul
        "products": sorted(short(node.device) for node in told if node.op.endswith("MatMul")),
        "copies": sorted(
            [short(node.attr[end].s.decode()) for end in ends]
            for node in told
            if node.op == "_Recv"
        ),
    }


def main() -> None:
    environment.split_cpu(2)
    found = {"devices": environment.devices([])}
    subject = parity.subject(Accumulate, "tiny")
    cells = grid([(Accumulate.name, "tiny")], list(WHOLE), found["devices"], INPUTS)
    words = {result.cell: result.status for result in parity.check(subject, cells, lambda _: None)}
    for cell in cells:
        program = subject.build(cell)
        with program.task.on_device():  # as the timed blocks do
            program.call()
            program.run(subject.feeds[0])
        found[cell.id] = {
            "status": words[cell.id],
            "traces": program.traces,
            "variables": variables(program),
            "work": work(program) if isinstance(program, TensorProgram) else nodes(program),
        }
    found["placed by the step"] = {
        f"{mode} {device}": placed_by_the_step(mode, device)
        for mode in ("eager", "function", "session")
        for device in found["devices"]
    }
    print(json.dumps(found))


main()
