"""``new``: a scenario to start from."""

from __future__ import annotations

import keyword
import re
import shlex
from pathlib import Path
from typing import Annotated

import typer

from eager_vs_graph.catalog import find as catalog
from eager_vs_graph.errors import UsageError
from eager_vs_graph.runs import command

app = typer.Typer()

TEMPLATES = Path(__file__).parent / "templates"
_NAME = re.compile(r"[a-z][a-z0-9_]*")


@app.command()
def new(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="Of the scenario: a-z, 0-9 and _.", show_default=False),
    ],
    folder: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Where to write; made if it does not exist.")
    ] = Path(),
    package: Annotated[
        bool,
        typer.Option(
            "--package",
            help="Write a distribution that ships the scenario: once it is installed, the "
            "scenario is found by name.",
        ),
    ] = False,
) -> None:
    """Write a commented scenario that runs as it is, to be changed into one's own."""
    _require_name(name)
    if package:
        distribution = f"eager-vs-graph-{name.replace('_', '-')}"
        root = folder / distribution
        module = distribution.replace("-", "_")
        files = {
            root / "pyproject.toml": _render(
                "package.toml.j2", name=name, distribution=distribution, package=module
            ),
            root / module / "__init__.py": f'"""The scenarios of {distribution}."""\n',
        }
        place = root / module / f"{name}.py"
        more = [f"pip install --editable {shlex.quote(str(root))}"]
    else:
        files, more = {}, []
        place = folder / f"{name}.py"
    class_name = "".join(part.capitalize() for part in name.split("_"))
    files[place] = _render("scenario.py.j2", name=name, class_name=class_name)
    _write(files)
    print(f"written: {place}")
    print("next:")
    for line in [
        command.line("parity", "--scenarios", place),
        command.line("bench", "--scenarios", place, "--budget", "60s"),
        *more,
    ]:
        print(f"  {line}")


def _require_name(name: str) -> None:
    """Raise ``UsageError`` where no scenario, module and class can be called like this."""
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        raise UsageError(
            f"the name is {name!r}, but should begin with a-z, have only a-z, 0-9 and _, and be no "
            "keyword of Python's: it names the scenario and its file; try "
            f"{_suggestion(name)!r}"
        )
    taken = [entry for entry in catalog.select([]) if entry.name == name]
    if taken:
        raise UsageError(
            f"{name!r} is the name of a built-in scenario ({taken[0].file}); choose another"
        )


def _suggestion(name: str) -> str:
    words = re.findall(r"[A-Z]*[a-z0-9]+|[A-Z]+", Path(name).stem)
    near = "_".join(words).lower().lstrip("0123456789_")
    return near if _NAME.fullmatch(near) and not keyword.iskeyword(near) else "my_step"


def _render(template: str, **values: str) -> str:
    import jinja2

    text = (TEMPLATES / template).read_text(encoding="utf-8")
    environment = jinja2.Environment(  # noqa: S701 - Python and TOML, not HTML
        undefined=jinja2.StrictUndefined, keep_trailing_newline=True
    )
    return str(environment.from_string(text).render(values))


def _write(files: dict[Path, str]) -> None:
    """Write all files or none; a file that exists is never touched."""
    for path in files:
        if path.exists():
            raise UsageError(f"{path}: exists already; choose another name or --folder")
    try:
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from None
