"""Run scripts, each in a process of its own: ``python -I run_scripts.py FOLDER``.

TensorFlow is imported once and the process forked for each script before TensorFlow's runtime
begins, which saves every script the import. What a script prints is left beside it.
"""

import os
import runpy
import sys
import traceback
from pathlib import Path

import tensorflow as tf

WORKERS = 2


def run(script: Path) -> None:
    """Be the script: its output goes to files, its exit code is the process's."""
    code = 0
    for stream, suffix in ((1, ".out"), (2, ".err")):
        os.dup2(os.open(script.with_suffix(suffix), os.O_CREAT | os.O_WRONLY), stream)
    try:
        runpy.run_path(str(script), run_name="__main__")
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def main(folder: Path) -> None:
    """Run every script of a folder, a few at a time, and write each one's exit code."""
    assert tf.__version__
    running: dict[int, Path] = {}
    for script in sorted(folder.glob("*.py")):
        while len(running) >= WORKERS:
            finish(running)
        if (child := os.fork()) == 0:
            run(script)
        running[child] = script
    while running:
        finish(running)


def finish(running: dict[int, Path]) -> None:
    """Wait for one of the processes."""
    child, status = os.wait()
    code = os.waitstatus_to_exitcode(status)
    running.pop(child).with_suffix(".code").write_text(str(code), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
