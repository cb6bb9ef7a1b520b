"""Runs programs that other people could have written, and says how many are served at first try.

``python tests/corpus/run.py [--only TEXT] [--python PYTHON]``, or ``make corpus``. It installs this
checkout and the packages of ``corpus.toml`` into an environment of its own, from the registry.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
ENVIRONMENT = ROOT / "build" / "corpus"
AGREEING = ("identical", "close")
MODES = ("eager", "function", "session")
KERAS_LOOPS = ("_predict", "_fit")
"""Parts of a model that make tf.functions of their own, which no session has."""
LIMIT_S = 900


def main(arguments: Sequence[str]) -> int:
    """Run the programs; 0 where each has the statuses that it must have."""
    parser = argparse.ArgumentParser(description="Run programs of other people's packages.")
    parser.add_argument("--only", default="", help="Programs whose target contains this text.")
    parser.add_argument("--python", default="", help="An interpreter that has everything already.")
    asked = parser.parse_args(arguments)
    every = tomllib.loads((HERE / "corpus.toml").read_text(encoding="utf-8"))["program"]
    chosen = [each for each in every if asked.only in each["target"]]
    if not chosen:
        print(f"error: no program's target contains {asked.only!r}", file=sys.stderr)
        return 2
    python = Path(asked.python) if asked.python else _environment(chosen)
    served = 0
    for program in chosen:
        began = time.monotonic()
        problem = tried(program, python)
        served += not problem
        print(
            f"{program['target']:40}{time.monotonic() - began:6.0f} s  {problem or 'served'}",
            flush=True,
        )
    print(f"{served} of {len(chosen)} served at the first try")
    return 0 if served == len(chosen) else 1


def tried(program: dict[str, Any], python: Path) -> str:
    """Try a program; what is wrong with the answer, empty where nothing is."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "parity.json"
        given = [part for text in program.get("arguments", ()) for part in ("--arg", text)]
        command = [str(python), "-m", "eager_vs_graph", "parity", program["target"], "--no-explain"]
        command += ["--json", str(file), *given, *program.get("options", ())]
        kept = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
        try:
            done = subprocess.run(
                command,
                cwd=HERE / "programs",
                env=kept,
                capture_output=True,
                text=True,
                timeout=LIMIT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"not done after {LIMIT_S} s"
        if not file.exists():
            return (done.stderr or done.stdout).strip().splitlines()[-1]
        cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
    must = {**dict.fromkeys(MODES, "agree"), **program.get("other", {})}
    wrong = []
    for cell in cells:
        name, _, mode, *_ = cell["cell"].split("/")
        seen = "agree" if cell["status"] in AGREEING else cell["status"]
        seen = "known" if seen == "differs" and cell["known"] else seen
        wanted = must.get(f"{name}/{mode}", must.get(mode, seen))
        if mode == "session" and name.endswith(KERAS_LOOPS):
            wanted = "unsupported"
        if seen != wanted:
            wrong.append(f"{name} in {mode}: {seen}: {cell['reason'] or cell['known']}")
    return "; ".join(wrong) if cells else "no cell was checked"


def _environment(programs: list[dict[str, Any]]) -> Path:
    """An environment with this checkout's wheel and the packages that the programs need."""
    uv = [str(Path(sys.executable).parent / "uv")]
    python = ENVIRONMENT / "bin" / "python"
    if not python.exists():
        subprocess.run(
            [*uv, "venv", "--quiet", "--python", sys.executable, str(ENVIRONMENT)], check=True
        )
    packages = sorted({name for each in programs for name in each.get("packages", ())})
    subprocess.run(
        [
            *uv,
            "pip",
            "install",
            "--quiet",
            "--python",
            str(python),
            "--reinstall-package",
            "eager-vs-graph",
            str(ROOT),
            *packages,
        ],
        check=True,
    )
    return python


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
