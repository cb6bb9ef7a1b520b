"""Listens for TensorFlow's own warning that a ``tf.function`` retraces again and again.

A step may hold functions of its own, made anew in each call: their traces are in no counter that
the harness can read, but TensorFlow notices and warns on its logger. Listen only after a program's
first call: from then on nothing should be traced. (TensorFlow counts by the traced code, so the
first traces of several programs of one scenario look like retracing to it.)
"""

from __future__ import annotations

import logging
from types import TracebackType


class RetraceWarnings(logging.Handler):
    """Counts the warnings between entering and leaving; keeps them off the screen."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.count = 0
        self.message = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Count a retracing warning."""
        text = record.getMessage()
        if "triggered tf.function retracing" in text:
            self.count += 1
            self.message = text.partition(". ")[0]

    def __enter__(self) -> RetraceWarnings:
        logging.getLogger("tensorflow").addHandler(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        logging.getLogger("tensorflow").removeHandler(self)
