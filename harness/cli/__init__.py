"""The command line: one file a verb. Free of TensorFlow.

Exit codes: 0 done; 1 something differs that no scenario declared, or a cell failed; 2 the user's
mistake, told in one line; 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer
from typer.exceptions import TyperException

from eager_vs_graph.cli import bench, compare, explain, list_, new, parity, report, selfcheck, try_
from eager_vs_graph.errors import Interrupted, UsageError
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

for _verb in (list_, try_, parity, explain, bench, selfcheck, compare, report, new):
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
    try:
        code = app(sys.argv[1:] or ["--help"], prog_name=command.name(), standalone_mode=False)
    except UsageError as error:
        if os.environ.get("EAGER_VS_GRAPH_TRACEBACK"):
            raise
        code = _complain(str(error))
    except TyperException as error:  # an option that does not exist, a value that is no number
        code = _complain(f"{_message(error)}; --help shows what there is")
    except Interrupted:
        print("interrupted before the first pass; nothing was kept", file=sys.stderr)
        code = 130
    sys.exit(code)


def _complain(line: str) -> int:
    print(f"error: {line}", file=sys.stderr)
    return 2


def _message(error: TyperException) -> str:
    """What is wrong, in one line without its final stop."""
    text = error.format_message() if hasattr(error, "format_message") else str(error)
    return " ".join(text.split()).rstrip(".")
