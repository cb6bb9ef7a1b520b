"""Prints what three replicas do, and where: a process of its own, to split the CPU in three."""

# ruff: noqa: E402 - TensorFlow is imported lean before anything imports it otherwise

from __future__ import annotations

import json

from eager_vs_graph.processes.lean_import import import_tensorflow

import_tensorflow()

from divided import Four, Line, Optimized
from workbench import program, words

from eager_vs_graph.child import environment
from eager_vs_graph.child.parity.trajectory import of_program

environment.split_cpu(3)
found = {}
for scenario, size in ((Line, "tiny"), (Optimized, "adam")):
    built = program(scenario, "eager", size=size)
    initial, feeds = built.state(), built.task.feeds
    for mode in ("eager", "mirrored"):
        one = program(scenario, mode, size=size)
        state = of_program(one, initial, feeds, 5).state
        found[f"{scenario.name}/{mode}"] = {name: a.tolist() for name, a in state.items()}
found["devices"] = [v.device[-5:] for v in one.variables()["model/dense/bias"].values]
uneven = words(Four, ["mirrored"])["mirrored"]
found["uneven"] = [uneven.status, uneven.reason]
print(json.dumps(found))
