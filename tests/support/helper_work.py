"""Objects for other processes to make; imported by those processes themselves."""

from __future__ import annotations

import os
import sys
import time


class Worker:
    """Does what it is asked for."""

    def __init__(self, *arguments):
        self.arguments = arguments
        print("what every process prints on its start", flush=True)

    def about(self):
        return self.arguments, os.environ.get("OF_THE_WORKER"), "tensorflow" in sys.modules

    def echo(self, value):
        return value

    def sleep(self):
        time.sleep(3600)

    def fail(self, kind, *arguments):
        raise kind(*arguments)

    def fail_strangely(self):
        raise type("Strange", (Exception,), {})("why")

    def give_what_cannot_be_pickled(self):
        return lambda: None

    def exit(self, code):
        print("last words", flush=True)
        os._exit(code)


class Unstartable:
    """Cannot be made."""

    def __init__(self):
        raise ValueError("this was asked for")
