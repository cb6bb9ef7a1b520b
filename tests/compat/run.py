"""Runs a short suite with other versions of Python, TensorFlow, NumPy and pandas.

``python tests/compat/run.py [--only TEXT]``, or ``make compat``. Each environment is made with uv
under ``build/compat``, from the registry, and has this checkout's wheel. The interpreters are those
on the PATH.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
ENVIRONMENTS = ROOT / "build" / "compat"
UV = str(Path(sys.executable).parent / "uv")
LIMIT_S = 900
SHOWN = ("tensorflow", "keras", "tf-keras", "numpy", "pandas", "pytest")


def main(arguments: Sequence[str]) -> int:
    """Run the suite everywhere; 0 where it passed everywhere."""
    parser = argparse.ArgumentParser(description="Run a short suite with other versions.")
    parser.add_argument("--only", default="", help="Environments whose name contains this text.")
    asked = parser.parse_args(arguments)
    suite = tomllib.loads((HERE / "compat.toml").read_text(encoding="utf-8"))
    chosen = [each for each in suite["environment"] if asked.only in each["name"]]
    if not chosen:
        print(f"error: no environment's name contains {asked.only!r}", file=sys.stderr)
        return 2
    passed = 0
    for each in chosen:
        began = time.monotonic()
        try:
            python = made(each["name"], each["python"], each["packages"])
        except subprocess.CalledProcessError as error:
            print(f"{each['name']}: not made: {error.stderr.strip().splitlines()[0]}", flush=True)
            continue
        problems = [
            f"{' '.join(command)}: {problem}"
            for command in suite["suite"]["commands"]
            if (problem := ran(python, command, each.get("variables", {})))
        ]
        passed += not problems
        print(f"{each['name']}: {'failed' if problems else 'passed'}", end=" ")
        print(f"({versions(python)}; {time.monotonic() - began:.0f} s)", flush=True)
        for problem in problems:
            print(f"  {problem}")
    print(f"{passed} of {len(chosen)} environments passed")
    return 0 if passed == len(chosen) else 1


def made(name: str, version: str, packages: list[str]) -> Path:
    """An environment with these packages and this checkout's wheel; its interpreter."""
    folder = ENVIRONMENTS / name
    python = folder / "bin" / "python"
    if not python.exists():
        _run([UV, "venv", "--quiet", "--python", version, str(folder)])
    install = [UV, "pip", "install", "--quiet", "--python", str(python)]
    _run([*install, "--reinstall-package", "eager-vs-graph", str(ROOT), *packages])
    return python


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)


def ran(python: Path, command: list[str], variables: dict[str, str]) -> str:
    """Run a command of the suite; why it failed, empty where it did not."""
    kept = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    # Not below the checkout, whose own settings of pytest would hold.
    with tempfile.TemporaryDirectory() as place:
        folder = Path(shutil.copytree(HERE / "project", Path(place) / "project"))
        try:
            done = subprocess.run(
                [str(python), *command],
                cwd=folder,
                env={**kept, **variables},
                capture_output=True,
                text=True,
                timeout=LIMIT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"not done after {LIMIT_S} s"
    if done.returncode == 0:
        return ""
    lines = (done.stderr or done.stdout).strip().splitlines() or ["no output"]
    return f"exit code {done.returncode}: {lines[-1]}"


def versions(python: Path) -> str:
    """The versions in an environment that matter here."""
    listed = subprocess.run(
        [UV, "pip", "list", "--format", "json", "--python", str(python)],
        capture_output=True,
        text=True,
        check=True,
    )
    found = {each["name"]: each["version"] for each in json.loads(listed.stdout)}
    asked = [str(python), "-c", "import platform; print(platform.python_version())"]
    own = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    return ", ".join(
        [f"python {own}", *(f"{name} {found[name]}" for name in SHOWN if name in found)]
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
