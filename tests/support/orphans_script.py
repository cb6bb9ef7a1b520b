"""Starts workers and waits to be killed; its CPU is not split."""

# ruff: noqa: E402 - TensorFlow is imported lean before anything imports it otherwise

from __future__ import annotations

import json
import signal

from eager_vs_graph.processes.lean_import import import_tensorflow

import_tensorflow()

from divided import Line
from workbench import words

from eager_vs_graph.modes import worker_cluster as workers

alone = words(Line, ["mirrored"])["mirrored"]
pids = workers.cluster().pids
print(json.dumps({"pids": pids, "alone": [alone.status, alone.reason]}), flush=True)
signal.pause()
