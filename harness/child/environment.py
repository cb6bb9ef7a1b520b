"""What a run ran on, and the devices that are there."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import tensorflow as tf

import eager_vs_graph
from eager_vs_graph.child.machine import cpu_model
from eager_vs_graph.errors import UsageError
from eager_vs_graph.modes import MODES, kerases
from eager_vs_graph.results.cells import unknown_name_message

_FLAGS = (
    "TF_ENABLE_ONEDNN_OPTS",
    "XLA_FLAGS",
    "TF_XLA_FLAGS",
    "OMP_NUM_THREADS",
    "TF_GPU_ALLOCATOR",
)


def describe() -> dict[str, Any]:
    """The environment: versions, processor, threads, flags, load and revision."""
    return {
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "harness": eager_vs_graph.__version__,
        "revision": _revision(),
        "tensorflow": tf.__version__,
        "keras": kerases.version(),
        "numpy": np.__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpu": cpu_model(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "threads_intra": tf.config.threading.get_intra_op_parallelism_threads() or "default",
        "threads_inter": tf.config.threading.get_inter_op_parallelism_threads() or "default",
        "onednn": os.environ.get("TF_ENABLE_ONEDNN_OPTS", "default"),
        "xla_flags": os.environ.get("XLA_FLAGS", "") + os.environ.get("TF_XLA_FLAGS", ""),
        "flags": {name: os.environ[name] for name in _FLAGS if name in os.environ},
        "gpus": [
            tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name)
            for gpu in tf.config.list_physical_devices("GPU")
        ],
        "load_1min": round(os.getloadavg()[0], 2),
    }


def split_cpu(parts: int, modes: Iterable[str] = ()) -> None:
    """Make several logical devices of the one CPU; before TensorFlow runs its first op.

    Args:
        parts: how many the user asked for.
        modes: the modes to run; where one needs more devices, it gets them.
    """
    parts = max([parts, *(MODES[mode].devices for mode in modes)])
    if parts > 1:
        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(
            cpu, [tf.config.LogicalDeviceConfiguration()] * parts
        )


def devices(wanted: Sequence[str], cpus: int | None = None) -> list[str]:
    """The logical devices to run on; nothing wanted, or ``all``, means every one.

    Args:
        wanted: names such as ``CPU:0``.
        cpus: how many of the logical CPUs count; the others are there for a mode that needs them.

    Raises:
        UsageError: a device is not there; the message gives those that are.
    """
    found = [
        device.name.removeprefix("/device:")
        for kind in ("CPU", "GPU")
        for device in tf.config.list_logical_devices(kind)[: cpus if kind == "CPU" else None]
    ]
    if not wanted or list(wanted) == ["all"]:
        return found
    for name in wanted:
        if name not in found:
            raise UsageError(unknown_name_message("device", name, found))
    return [name for name in found if name in wanted]


def absent_kinds() -> list[str]:
    """The kinds of device that the guide runs on and this machine does not have."""
    return [] if tf.config.list_logical_devices("GPU") else ["GPU"]


def _revision() -> str:
    """The git revision of the harness, with ``+`` when files were changed; empty outside git."""
    command = ["git", "describe", "--always", "--dirty=+", "--abbrev=12", "--exclude=*"]
    folder = Path(__file__).resolve().parent.parent
    if not (folder / ".git").exists():  # installed; what is around it is somebody else's
        return ""
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()
