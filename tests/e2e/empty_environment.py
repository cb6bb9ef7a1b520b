"""Install the built wheel into an empty environment outside the repository, and use it there.

    python tests/e2e/empty_environment.py [--keep FOLDER]

Takes some minutes and needs the package index, so it is no part of the tests. Builds in isolation,
as an installer does; every command runs in a folder of its own, in an environment without
``PYTHONPATH``. Ends with exit code 1 at the first command that does not do what it should.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
USER_CODE = REPOSITORY / "tests" / "user_code"
TRIED = (
    # A plain function; a functional model; a subclassed one with dropout and batch normalization;
    # a step of training with Adam; a tf.Module with a tf.while_loop.
    ("plain:step", "--arg", "float32[32,4]", "--arg", "int32[32] in 0..2"),
    ("models:make_functional", "--train"),
    ("models:make_subclassed", "--train", "--arg", "float32[32,5]"),
    ("models:make_step", "--arg", "float32[16,5]", "--arg", "int32[16] in 0..2"),
    ("models:make_module", "--arg", "float32[16] in 1..2"),
    # Three public kinds of programs, rebuilt.
    ("programs:make_mnist_convnet", "--train"),
    (
        "programs:CustomTraining.train_step",
        "--arg",
        "int32[8,12] in 0..19",
        "--arg",
        "int32[8,12] in 0..19",
    ),
    ("programs:make_hmc", "--arg", "float32[8,2]", "--arg", "int32[2] in 0..99"),
)
PARTS = ("pyproject.toml", "README.md", "LICENSE", "harness", "scenarios", "reports")
TEST = """
import numpy as np
import tensorflow as tf

weight = tf.Variable(2.0)


def step(x):
    return tf.reduce_sum(weight * x)


def test_step(tf_modes, benchmark):
    run = tf_modes(step)
    x = np.ones(8, np.float32)
    np.testing.assert_allclose(run(x), 16.0)
    benchmark(run, x)
"""


def main() -> None:
    """Build, install, use."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--keep", type=Path, help="work in this folder and leave it behind")
    folder = parser.parse_args().keep or Path(tempfile.mkdtemp(prefix="empty-environment-"))
    folder = folder.resolve()
    source, dist, work = (folder / name for name in ("source", "dist", "work"))
    for each in (source, work):
        each.mkdir(parents=True)
    for part in PARTS:
        copy = shutil.copytree if (REPOSITORY / part).is_dir() else shutil.copy
        copy(REPOSITORY / part, source / part)
    uv = Path(sys.executable).parent / "uv"
    step("build the wheel", [uv, "build", "--wheel", "--out-dir", dist, source], folder)
    step("make an environment", [sys.executable, "-m", "venv", folder / "env"], folder)
    binaries = folder / "env" / "bin"
    python = binaries / "python"
    (wheel,) = dist.glob("*.whl")
    step("install the wheel", [uv, "pip", "install", "--python", python, wheel], folder)

    def verb(*arguments: str | Path, ends: str = "") -> None:
        command = [binaries / "eager-vs-graph", *arguments]
        step(f"eager-vs-graph {' '.join(map(str, arguments))}", command, work, ends)

    verb("--version")
    verb("list")
    verb("parity", "--scenarios", "hello_matmul")
    # Nothing here looks at a time, so another run may be measuring.
    bench = ("bench", "--scenarios", "hello_matmul", "--budget", "20s", "--allow-concurrent")
    verb(*bench, ends="report.html")
    verb("report", ends="report.html")
    verb("new", "mine", "--package")
    verb("parity", "--scenarios", "eager-vs-graph-mine/eager_vs_graph_mine/mine.py")
    step(
        "install the scenario package",
        [uv, "pip", "install", "--python", python, "./eager-vs-graph-mine"],
        work,
    )
    verb("parity", "--scenarios", "mine")
    (work / "test_step.py").write_text(TEST, encoding="utf-8")
    options = ["--evg-modes", "eager,function,session", "--evg-record", "record"]
    step("pytest with modes", [binaries / "pytest", "-q", *options], work)
    verb("report", "record", ends="report.html")
    for name in ("plain", "models", "programs"):
        shutil.copy(USER_CODE / f"{name}.py", work)
    for target in TRIED:
        verb("try", *target, "--allow-concurrent", ends="report.html")
    print(f"all passed; {folder}")


def step(what: str, command: list[str | Path], cwd: Path, ends: str = "") -> None:
    """Run a command; leave with its output when it fails, or does not end as it should."""
    environment = {k: v for k, v in os.environ.items() if k not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    started = time.monotonic()
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**environment, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    print(f"{time.monotonic() - started:6.1f} s  {what}", flush=True)
    if done.returncode != 0 or not done.stdout.rstrip().endswith(ends):
        sys.exit(f"{done.stdout}{done.stderr}\nexit code {done.returncode}")


if __name__ == "__main__":
    main()
