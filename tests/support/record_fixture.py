"""A synthetic run folder with known ratios and one of every kind of trouble. No TensorFlow."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from eager_vs_graph.results.cells import CONTROL, Cell, grid
from eager_vs_graph.results.record import (
    CellParity,
    CheckpointParity,
    PassCell,
    PassRecord,
    TensorComparison,
)
from eager_vs_graph.results.rounds import Rounds
from eager_vs_graph.results.run import Run

SIZES = {
    "matmul_chain": {
        "tiny": "n=8, products=20",
        "small": "n=64, products=20",
        "large": "n=1000, products=20",
    },
    "mnist_step": {"small": "batch=32", "large": "batch=256"},
    "custom_gradient": {"guide": "points=3", "large": "points=100000"},
    "matmul_guide": {"small": "n=8, products=20", "guide": "n=1000, products=200"},
}
SCENARIOS = ("matmul_chain", "mnist_step", "custom_gradient")
TIMING = "Time to multiply a ({n}, {n}) matrix by itself {products} times:"
MODES = ("eager", "function", "session", CONTROL)
STEADY_S = {"tiny": 310e-6, "small": 420e-6, "guide": 95e-6, "large": 21e-3}
SPEEDUP = {"eager": 1.0, "function": 1.6, "session": 2.5, CONTROL: 1.6}
DISPATCH = {"tiny": 1.0, "small": 1.0, "guide": 0.25, "large": 0.4}
"""Exponent of the speed-up at a size: work outweighs dispatch in the large ones, and in the guide's
graphs are slower."""

FED_S = 30e-6
"""What feeding adds to every call."""
BUILD_S, FIRST_CALL_S = 0.02, 0.12
"""Of eager; a graph's build takes two times as long, and its first call three times."""

KNOWN = "Grappler rewrites log(1 + e) to log1p, so the graph keeps digits that eager loses."
HOSTILE = "<script>alert('summary')</script> & a [bold]summary[/bold] | with a bar"

REFUSAL = "remote: its variables cannot be reached"
CHECKPOINT_MODES = ("eager", "session", "remote")

KNOWN_CELL = "custom_gradient/guide/session/CPU:0/resident"
CRASHED_CELL = "matmul_chain/large/session/CPU:0/fed"
UNSUPPORTED_CELL = "mnist_step/large/session/CPU:0/fed"
VACUOUS_CELL = "custom_gradient/large/function/CPU:0/fed"
RETRACED_CELL = "mnist_step/small/function/CPU:0/fed"
TIMED_CELL = "mnist_step/small/session/CPU:0/resident"


@dataclass(frozen=True)
class Shape:
    """What to vary in a run."""

    scenarios: tuple[str, ...] = SCENARIOS
    modes: tuple[str, ...] = MODES
    inputs: tuple[str, ...] = ("resident", "fed")
    passes: int = 4
    blocks: int = 6
    trouble: bool = True
    timed: bool = True
    speedups: Mapping[str, float] = field(default_factory=dict)
    """Speed-up of every mode at every size; without any, those of ``SPEEDUP`` and ``DISPATCH``."""
    spread: float = 0.04
    """Standard deviation between passes, as a log ratio."""
    spreads: Mapping[str, float] = field(default_factory=dict)
    """The same for single modes."""
    kinds: Mapping[str, str] = field(default_factory=dict)
    """Kinds of the modes; without any, the record is one from before kinds."""
    curves: bool = False
    """Whether mnist_step has a goal, and so a curve in every mode."""
    warnings: Mapping[int, tuple[str, ...]] = field(
        default_factory=lambda: {2: ("the machine swapped 12 MB",)}
    )
    """Of the machine, by pass."""


def write_run(folder: Path, shape: Shape | None = None) -> Path:
    """Write a run's record into a folder."""
    shape = shape or Shape()
    run = Run(folder)
    run.raw.mkdir(parents=True)
    cells = _cells(shape)
    run.save_environment(ENVIRONMENT, _request(cells, shape))
    run.save_parity([_parity(cell, shape) for cell in cells if cell.mode != CONTROL])
    run.save_checkpoints(_checkpoints(shape))
    rng = np.random.default_rng(7)
    for number in range(1, shape.passes + 1):
        _write_pass(run, number, cells if shape.timed else [], shape, rng)
    return folder


ENVIRONMENT: dict[str, Any] = {
    "tensorflow": "2.21.0",
    "numpy": "2.4.0",
    "keras": "3.12.0",
    "python": "3.11.7",
    "cpu": "Synthetic CPU @ 2.10GHz",
    "cores": 2,
    "threads_intra": 2,
    "threads_inter": 2,
    "onednn": True,
    "xla_flags": "",
    "load_1min": 0.42,
    "revision": "0123abc",
    "started": "2026-01-02T03:04:05+00:00",
    "platform": "Linux-6.1-x86_64",
    "memory_gib": 7.8,
    "a_new_key": "is printed too",
}


def _request(cells: list[Cell], shape: Shape) -> dict[str, Any]:
    summaries = {name: f"The {name} of the fixture." for name in SIZES}
    summaries["mnist_step"] = HOSTILE
    about = {
        mode: {"kind": kind, "summary": f"the {mode} of the fixture", "default": True}
        for mode, kind in shape.kinds.items()
    }
    return {
        **({"about_modes": about} if about else {}),
        "scenarios": {
            name: {
                "summary": summaries[name],
                "sizes": SIZES[name],
                "timing": TIMING if name == "matmul_guide" else "",
            }
            for name in shape.scenarios
        },
        "cells": [cell.id for cell in cells],
        "modes": [mode for mode in shape.modes if mode != CONTROL],
        "devices": ["CPU:0"],
        "inputs": list(shape.inputs),
        "control_of": "function" if CONTROL in shape.modes else None,
        "passes": shape.passes,
        "command": "python -m harness bench --passes 4",
        "seed": 7,
        "absent_devices": ["GPU"],
    }


def _cells(shape: Shape) -> list[Cell]:
    sizes = [(name, size) for name in shape.scenarios for size in SIZES[name]]
    return grid(sizes, shape.modes, ["CPU:0"], shape.inputs)


def _parity(cell: Cell, shape: Shape) -> CellParity:
    """Bit-identical to eager, close to the reference; or one of the troubles."""
    reference = TensorComparison(
        "loss",
        "output",
        "reference",
        "close",
        dtype="float32",
        max_abs=1e-7,
        max_rel=2e-7,
        max_ulp=3.0,
    )
    eager = TensorComparison(
        "loss", "output", "eager", "identical", dtype="float32", max_abs=0, max_rel=0, max_ulp=0.0
    )
    learned = {"held_out_accuracy": 0.913} if cell.scenario == "mnist_step" else {}
    good = CellParity(
        cell.id,
        "close",
        traces=0 if cell.mode == "eager" else 1,
        steps=3,
        tensors=(eager, reference),
    )
    good = replace(good, learned=learned, curves=_curves(cell) if shape.curves else {})
    if not shape.trouble:
        return good
    if cell.id == KNOWN_CELL:
        far = replace(
            eager,
            tensor="naive",
            status="differs",
            known=KNOWN,
            max_abs=2.06e-9,
            max_rel=None,
            max_ulp=8.2e8,
            worst_step=0,
            worst_index=(2,),
            value="2.06e-09",
            reference="0.0",
            first_step=0,
        )
        return replace(good, status="differs", known=KNOWN, tensors=(eager, far, reference))
    if cell.id == UNSUPPORTED_CELL:
        reason = "tf.data iterators need a <session> of their own\nin a v1 graph"
        return CellParity(cell.id, "unsupported", reason=reason)
    if cell.id == VACUOUS_CELL:
        empty = replace(reference, status="vacuous", max_abs=None, max_rel=None, max_ulp=None)
        return replace(good, status="vacuous", reason="every element is NaN", tensors=(empty,))
    return replace(good, peak_memory_bytes=3 * 2**20)


def _checkpoints(shape: Shape) -> list[CheckpointParity]:
    """A session restores with another last bit, and an unknown mode not at all."""
    if not shape.trouble or "mnist_step" not in shape.scenarios:
        return []
    cells = {mode: f"mnist_step/small/{mode}/CPU:0/resident" for mode in CHECKPOINT_MODES}

    def pair(wrote: str, read: str) -> CheckpointParity:
        if "remote" in (wrote, read):
            return CheckpointParity(cells[wrote], cells[read], "unsupported", REFUSAL)
        if (wrote, read) == ("eager", "session"):
            return CheckpointParity(cells[wrote], cells[read], "differs", f"restored, {HOSTILE}")
        return CheckpointParity(cells[wrote], cells[read], "identical")

    return [pair(wrote, read) for wrote in CHECKPOINT_MODES for read in CHECKPOINT_MODES]


def curve_of(mode: str) -> list[float]:
    """A loss that falls; a session's is off by 1e-6 from update 10 on, others are eager's."""
    falling = 0.3 + 2 * np.exp(-np.arange(60) / 20) + 0.05 * np.sin(np.arange(60))
    return [float(each) for each in falling + 1e-6 * (mode == "session") * (np.arange(60) >= 10)]


def _curves(cell: Cell) -> dict[str, list[float | None]]:
    """A mode trains once a size: under the first inputs policy."""
    trains = cell.scenario == "mnist_step" and cell.inputs == "resident"
    return {"loss": [*curve_of(cell.mode)]} if trains else {}


def speedup_of(cell: Cell, shape: Shape) -> float:
    """The true speed-up of a cell with resident inputs."""
    if shape.speedups:
        return shape.speedups[cell.mode]
    speedup = SPEEDUP.get(cell.mode, 1.3) ** DISPATCH[cell.size]
    return 1 / speedup if cell.size == "guide" else speedup


def _write_pass(
    run: Run, number: int, cells: list[Cell], shape: Shape, rng: np.random.Generator
) -> None:
    timed = []
    records = {}
    for cell in cells:
        if shape.trouble and cell.id in (UNSUPPORTED_CELL, VACUOUS_CELL):
            continue
        spread = shape.spreads.get(cell.mode, shape.spread)
        pass_factor = np.exp(spread * rng.standard_normal())
        crashed = shape.trouble and cell.id == CRASHED_CELL
        retraced = shape.trouble and cell.id == RETRACED_CELL
        graph = cell.mode != "eager"
        records[cell.id] = PassCell(
            status="crashed" if crashed else "measured",
            reason="exit code 134\nFatal: <abort> in op Reader" if crashed else "",
            build_s=BUILD_S * (1 + graph),
            first_call_s=None if crashed else FIRST_CALL_S * (1 + 2 * graph) * pass_factor,
            traces=int(graph) + 2 * retraced,
            retraces=2 * retraced,
        )
        if crashed:
            continue
        call_s = STEADY_S[cell.size] / speedup_of(cell, shape)
        call_s += FED_S if cell.inputs == "fed" else 0
        spread = np.exp(0.02 * rng.standard_normal((shape.blocks, 5)))
        timed.append(Rounds(cell.id, cell.group, 0, call_s * pass_factor * spread, probe_s=0.001))
    run.save_rounds(number, timed)
    run.save_pass(
        PassRecord(
            number=number,
            outcome="complete",
            started="2026-01-02T03:04:05+00:00",
            ended="2026-01-02T03:05:05+00:00",
            startup_s=6.1,
            blocks_s=40.0,
            clock_s=31.0,
            cells=records,
            machine={"warnings": list(shape.warnings.get(number, ()))},
        )
    )


def as_older_version_wrote(run: Run, number: int) -> Path:
    """Give a pass the file that schemas 1 to 3 had for it: pytest-benchmark's JSON."""
    benchmarks = [
        {
            "name": f"block{block}[{timed.cell}]",
            "group": timed.group,
            "extra_info": {
                "cell": timed.cell,
                "block": timed.block + block,
                "position": 0,
                "probe_s": timed.probe_s,
            },
            "stats": {"data": seconds},
        }
        for timed in run.rounds(number)
        for block, seconds in enumerate(timed.seconds.tolist())
    ]
    run.rounds_file(number).unlink()
    older = run.raw / f"pass-{number}.json"
    older.write_text(json.dumps({"benchmarks": benchmarks, "version": "5.2.0"}), encoding="utf-8")
    return older
