"""A child process: the only kind of process that imports TensorFlow.

``python -m eager_vs_graph.child JOB JOURNAL PARENT`` does the job and writes the journal. PARENT is
the id of the process that started it, which may be gone before this one looks.
"""

from __future__ import annotations

import faulthandler
import os
import sys
import time
from pathlib import Path

from eager_vs_graph.errors import UsageError
from eager_vs_graph.processes import jobs
from eager_vs_graph.processes.jobs import CheckJob, ExplainJob, MeasureJob
from eager_vs_graph.processes.journal import Journal
from eager_vs_graph.processes.lean_import import import_tensorflow
from eager_vs_graph.processes.lifeline import end_with


def main() -> int:
    """Read the job, import TensorFlow, work."""
    started = time.perf_counter()
    parent = int(sys.argv[3])
    end_with(parent)
    faulthandler.enable()  # a signal that ends this process leaves the line it was at
    job = jobs.read(Path(sys.argv[1]))
    journal = Journal(Path(sys.argv[2]))
    import_tensorflow()
    programs = len(job.timed) if isinstance(job, MeasureJob) else 0
    journal.write("imported", startup_s=time.perf_counter() - started, programs=programs)
    try:
        _work(job, journal, parent)
    except UsageError as error:
        journal.write("usage_error", message=str(error))
        return 2
    return 0


def _work(job: jobs.Job, journal: Journal, parent: int) -> None:
    # Imported only here: each imports TensorFlow, after `import_tensorflow` has made that quicker.
    if isinstance(job, CheckJob):
        from eager_vs_graph.child.checking import check

        check(job, journal)
    elif isinstance(job, ExplainJob):
        from eager_vs_graph.child.explaining import explain

        explain(job, journal)
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
