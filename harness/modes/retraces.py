"""Counts TensorFlow's own warnings that a ``tf.function`` retraces again and again.

A step may make functions of its own in each call. The harness cannot read how often they are
traced, but TensorFlow notices and warns on its logger. Count only after a program's first call:
from then on nothing should be traced. (TensorFlow counts by the traced code, so that the first
traces of several programs of one scenario look like retracing.)
"""

from __future__ import annotations

import logging


class RetraceWarnings(logging.Handler):
    """Counts the warnings between entering and leaving, and does not print them."""

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

    def __exit__(self, *_: object) -> None:
        logging.getLogger("tensorflow").removeHandler(self)
