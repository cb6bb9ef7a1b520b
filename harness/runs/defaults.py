"""What a run is when its options say nothing else."""

from __future__ import annotations

from pathlib import Path

RESULTS = Path("results")
QUICK_SIZES = 1
BUDGET_S = 270.0
QUICK_BUDGET_S = 46.0
SECONDS_A_PASS = 60.0
PRECISION = 0.02
FEW = "custom_gradient,matmul_chain,mnist_step,py_func_bridge,regression_training"
"""Scenarios that stand for the others where time is short."""
FEWER = "matmul_chain,regression_training"
