"""A child process: the only kind of process that imports TensorFlow.

``python -m eager_vs_graph.child PARENT`` imports TensorFlow, says on its standard input, a socket,
that it is ready, and waits there for a line with two paths, the job's and the journal's. PARENT is
the id of the process that started it, which may be gone before this one looks.
"""

from __future__ import annotations

import faulthandler
import json
import os
import socket
import sys
import time
from pathlib import Path

from eager_vs_graph.errors import UsageError
from eager_vs_graph.processes import jobs
from eager_vs_graph.processes.jobs import CheckJob, ExplainJob, WhyJob
from eager_vs_graph.processes.journal import Journal
from eager_vs_graph.processes.lean_import import import_tensorflow
from eager_vs_graph.processes.lifeline import end_with


def main() -> int:
    """Import TensorFlow, wait for the job, work."""
    started = time.perf_counter()
    parent = int(sys.argv[1])
    end_with(parent)
    faulthandler.enable()  # a signal that ends this process leaves the line it was at
    import_tensorflow()
    startup_s = time.perf_counter() - started
    job_file, journal_file = _wait_for_work()
    job, journal = jobs.read(job_file), Journal(journal_file)
    journal.write("imported", startup_s=startup_s)
    try:
        _work(job, journal, parent)
    except UsageError as error:
        journal.write("usage_error", message=str(error))
        return 2
    return 0


def _wait_for_work() -> tuple[Path, Path]:
    """The paths of the job and the journal; ends the process where none will come."""
    with socket.socket(fileno=os.dup(sys.stdin.fileno())) as line:
        line.sendall(b".")
        with line.makefile(encoding="utf-8") as lines:
            text = lines.readline()
    if not text:
        _leave(0)
    # The user's code finds an empty standard input.
    with Path(os.devnull).open(encoding="utf-8") as nothing:
        os.dup2(nothing.fileno(), sys.stdin.fileno())
    job, journal = json.loads(text)
    return Path(job), Path(journal)


def _work(job: jobs.Job, journal: Journal, parent: int) -> None:
    # Imported only here: each imports TensorFlow, after `import_tensorflow` has made that quicker.
    if isinstance(job, CheckJob):
        from eager_vs_graph.child.checking import check

        check(job, journal)
    elif isinstance(job, ExplainJob):
        from eager_vs_graph.child.explaining import explain

        explain(job, journal)
    elif isinstance(job, WhyJob):
        from eager_vs_graph.child.profiling import why

        why(job, journal)
    else:
        from eager_vs_graph.child.measuring import measure

        measure(job, journal, parent)


def _leave(code: int) -> None:
    """End now: what is to be kept is written, and a thread of the user's may never end."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    _leave(main())
