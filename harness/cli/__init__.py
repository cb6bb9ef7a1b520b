"""The command line: one file a verb. Free of TensorFlow.

Exit codes: 0 done; 1 something differs that no scenario declares, or a cell failed; 2 a mistake in
the call, with one line that says what to do; 3 the budget ended before anything could be compared;
130 interrupted.
"""

from __future__ import annotations

import io
import os
import sys
from typing import Annotated

import typer
from typer.exceptions import TyperException

from eager_vs_graph.cli import (
    bench,
    compare,
    explain,
    list_,
    new,
    parity,
    report,
    selfcheck,
    try_,
    why,
)
from eager_vs_graph.errors import Interrupted, UsageError, printable
from eager_vs_graph.runs import command
from eager_vs_graph.version import __version__

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Eager, graph or session: which is faster for your TensorFlow computation, and is the "
    "answer the same?",
)

for _verb in (list_, try_, parity, explain, why, bench, selfcheck, compare, report, new):
    app.add_typer(_verb.app)


@app.callback(invoke_without_command=True)
def root(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Options before the verb."""
    if version:
        print(__version__)
        raise typer.Exit


def main() -> None:
    """Run the command line; a user's mistake is one line and exit code 2."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without × still has a result
    try:
        _require_text(sys.argv[1:])
        code = app(sys.argv[1:] or ["--help"], prog_name=command.name(), standalone_mode=False)
        sys.stdout.flush()
    except UsageError as error:
        if os.environ.get("EAGER_VS_GRAPH_TRACEBACK"):
            raise
        code = _complain(str(error))
    except TyperException as error:  # an option that does not exist, a value that is no number
        code = _complain(f"{_message(error)}; --help shows the options")
    except Interrupted:
        print("interrupted before anything was finished; nothing was kept", file=sys.stderr)
        code = 130
    except (BrokenPipeError, SystemExit):  # what reads the output has ended; rich raises the second
        code = _without_stdout(141)
    except OSError as error:
        if os.environ.get("EAGER_VS_GRAPH_TRACEBACK"):
            raise
        where = str(error.filename)[:200] if error.filename else "standard output"
        code = _without_stdout(_complain(f"{where}: {error.strerror or error}"))
    sys.exit(code)


def _require_text(arguments: list[str]) -> None:
    """Refuse bytes that are no text: neither a record nor a job could hold them.

    Raises:
        UsageError: an argument is not in the encoding of the file system.
    """
    for argument in arguments:
        try:
            argument.encode()
        except UnicodeEncodeError:
            encoding = sys.getfilesystemencoding()
            raise UsageError(f"{argument!r} is not in {encoding}; rename it") from None


def _without_stdout(code: int) -> int:
    """Let Python not fail once more when it flushes at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return code


def _complain(line: str) -> int:
    print(f"error: {printable(' '.join(line.split()))}", file=sys.stderr)
    return 2


def _message(error: TyperException) -> str:
    """What is wrong, in one line without its final stop."""
    text = error.format_message() if hasattr(error, "format_message") else str(error)
    return " ".join(text.split()).rstrip(".")
