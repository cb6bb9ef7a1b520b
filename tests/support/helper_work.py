"""Functions for helper processes to run; imported by the helpers themselves."""

from __future__ import annotations

import os
import sys
import time


def answer(connection, *arguments):
    """Does what a message says; the first answer tells how the process was started."""
    connection.send((arguments, os.environ.get("OF_THE_HELPER"), "tensorflow" in sys.modules))
    while True:
        match connection.recv():
            case "sleep":
                time.sleep(3600)
            case "raise":
                raise ValueError("this was asked for")
            case message:
                connection.send(message)


def sleep(connection):
    """Neither speaks nor listens."""
    time.sleep(3600)
