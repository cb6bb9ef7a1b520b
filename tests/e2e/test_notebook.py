"""``compare`` and ``%%compare`` in a real kernel: progress, results, what outlives the kernel."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

import nbformat
import pytest
from nbclient import NotebookClient

CELLS = {
    "names": """
        import numpy as np, tensorflow as tf
        from eager_vs_graph import compare
        x = np.ones((8, 8), np.float32)
        w = tf.Variable(tf.ones((8, 8)))
        quick = dict(modes="eager,function", passes=1, allow_concurrent=True)
        """,
    "call": """
        def f(x):
            if tf.reduce_sum(x) > 0:
                return tf.tanh(x @ w)
            return x
        result = compare(f, (x,), **quick)
        result
        """,
    "load": "%load_ext eager_vs_graph",
    "function": """
        %%compare (x, 0.5), **quick
        made = "by the cell"
        def scaled(x, by):
            if tf.reduce_sum(x) < 0:
                return x
            return by * x
        """,
    "expression": """
        %%compare **quick
        tf.tanh(x @ w) + 1
        """,
    "differs": """
        %%compare modes="eager,function", budget="20s", results=False, allow_concurrent=True
        calls = []
        def counts(x):
            calls.append(1)
            return x + len(calls)
        counts(x)
        """,
    "kept": "assert made == 'by the cell'; [_.folder.exists(), _.temporary]",
    "no such option": "%%compare (x,), mode='xla'\nf",
    "no arguments": "%%compare (x,)\ny = 1",
    "constant": "%%compare\ntf.abs(f(np.ones(3)))",
    "line": "%%compare modes=eager function\nf(x)",
    "twice": "%%compare (x,)\nf(x)",
    "refused": "%%compare modes='egaer'\nf(x)",
}


class Executed(NamedTuple):
    """A notebook after its kernel has ended."""

    folder: Path
    outputs: dict[str, list[Any]]
    shown: dict[str, list[str]]
    """By cell, every state of the display of progress, as plain text."""

    def html(self, cell: str) -> str:
        """The result that a cell shows."""
        [result] = [each for each in self.outputs[cell] if each.output_type == "execute_result"]
        return str(result.data["text/html"])

    def text(self, cell: str) -> str:
        """All that a cell shows, as plain text."""
        return "\n".join(
            str(each.get("text") or each.get("data", {}).get("text/plain", ""))
            for each in self.outputs[cell]
        )


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> Executed:
    folder = tmp_path_factory.mktemp("a notebook")
    code = [re.sub(r"^ {8}", "", text.strip("\n "), flags=re.M) for text in CELLS.values()]
    book = nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_code_cell, code)))
    shown: dict[str, list[str]] = {name: [] for name in CELLS}

    class Watching(NotebookClient):
        """Notes what is displayed on the way; the notebook keeps the last of it."""

        def process_message(self, msg: Any, cell: Any, cell_index: int) -> Any:
            if msg["msg_type"] in ("display_data", "update_display_data"):
                text = msg["content"]["data"]["text/plain"]
                shown[list(CELLS)[cell_index]].append(text)
            return super().process_message(msg, cell, cell_index)

    Watching(
        book,
        timeout=900,
        allow_errors=True,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
    ).execute()
    nbformat.write(book, folder / "executed.ipynb")  # for those who want to look at it
    return Executed(folder, {n: c.outputs for n, c in zip(CELLS, book.cells, strict=True)}, shown)


def test_cells_run_without_an_error(notebook: Executed) -> None:
    for name in list(CELLS)[: list(CELLS).index("no such option")]:
        for output in notebook.outputs[name]:
            assert output.output_type != "error", (name, output)


@pytest.mark.parametrize("cell", ["call", "function", "expression"])
def test_progress_is_one_display_that_names_each_step_and_is_gone_in_the_end(
    notebook: Executed, cell: str
) -> None:
    states = "\n".join(notebook.shown[cell])
    for step in ("importing TensorFlow", "checking outputs", "pass 1 of 1: timing"):
        assert step in states
    assert re.search(r"checking outputs \w+ in function", states)
    displays = [each for each in notebook.outputs[cell] if each.output_type == "display_data"]
    assert [each.data["text/plain"] for each in displays] == [""]
    assert not [each for each in notebook.outputs[cell] if each.output_type == "stream"]


def test_the_time_left_is_shown_where_there_is_a_budget(notebook: Executed) -> None:
    assert re.search(r"about 0:\d\d left", "\n".join(notebook.shown["differs"]))


@pytest.mark.parametrize(
    ("cell", "name"), [("call", "f"), ("function", "scaled"), ("expression", "expression")]
)
def test_the_result_is_shown_and_says_why_it_has_no_verdict(
    notebook: Executed, cell: str, name: str
) -> None:
    html = notebook.html(cell)
    assert "<table>" in html
    assert f"{name} on CPU:0" in html
    assert "one pass gives no interval and no verdict" in html


def test_a_difference_is_why_there_is_no_verdict(notebook: Executed) -> None:
    assert "differs: counts in function" in notebook.html("differs")
    assert "deleted with this result" in notebook.html("differs")
    assert "href" not in notebook.html("differs")


@pytest.mark.parametrize("cell", ["call", "function", "expression"])
def test_the_report_outlives_the_kernel(notebook: Executed, cell: str) -> None:
    [link] = re.findall(r'<a href="([^"]+)"', notebook.html(cell))
    assert link.startswith("results/")
    page = notebook.folder / unquote(link)
    assert "<table" in page.read_text(encoding="utf-8")


def test_a_temporary_run_lives_as_long_as_its_result(notebook: Executed) -> None:
    assert notebook.text("kept") == "[True, True]"


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("no such option", "unexpected keyword argument 'mode'"),
        ("no arguments", "the cell ends with line 1, `y = 1`, but should end with a function"),
        ("constant", "names no array and no tensor"),
        ("line", "should be arguments of compare separated by commas"),
        ("twice", "give one of them"),
        ("refused", "did you mean eager?"),
    ],
)
def test_a_mistake_is_one_line(notebook: Executed, cell: str, message: str) -> None:
    said = notebook.text(cell).strip()
    assert said.startswith("UsageError: ")
    assert message in said
    assert len(said.splitlines()) == 1
