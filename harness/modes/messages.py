"""What an exception says, in a line: the reason itself, out of what is wrapped around it.

Keras puts the reason into the second paragraph, with the layer before it and the arguments after
it; AutoGraph puts all of that last, below the lines of the user's stack; an error of a graph begins
with the node and the process.
"""

from __future__ import annotations

import re

import tensorflow as tf

from eager_vs_graph.errors import one_line

_BOLD = re.compile(r"\x1b\[[0-9;]*m")
_KERAS = re.compile(
    r"Exception encountered when calling (?P<layer>[^\n]+?)\.\s*\n\s*\n(?P<reason>.*?)"
    r"(?:\n\s*\n\s*Arguments received by |\Z)",
    re.DOTALL,
)
_WHERE = re.compile(
    r"Graph execution error:|Detected at node |File \"|Node: '|From /job:|\d+ root error|$"
)
"""Lines with which a graph's error begins: at which node and in which process it happened."""
_NODES = re.compile(r"\(0\) [A-Z_]+: |\{\{function_node .*?\}\} *| name: *$")
_USERS_STACK = "in user code:"
_LOOP_OF_KERAS = re.compile(r"\.(predict|evaluate|fit)\([^\n]*\n\s*File \"[^\"]*\bkeras/src/")
_INSTEAD = {
    "predict": "call the model, such as model(x, training=False)",
    "evaluate": "call the model, and the loss on what it returns",
    "fit": "take one step, such as model.train_step((x, y))",
}


def message(error: BaseException) -> str:
    """The reason, in whole sentences; with the layer's call where it was raised in one."""
    text = _BOLD.sub("", error.message if isinstance(error, tf.errors.OpError) else str(error))
    if told := list(_KERAS.finditer(text)):
        reason, layer = told[-1]["reason"], told[-1]["layer"]
        return f"{_paragraph(reason, error)}, in {layer}"
    if text.lstrip().startswith(_USERS_STACK):
        _, found, after = text.rpartition(f"{type(error).__name__}: ")
        text = after if found else text.strip().rpartition("\n")[2]
    return _paragraph(text, error)


def hint_of_loop(error: BaseException) -> str:
    """What to do in place of one of Keras's own loops, where it was to be part of a graph."""
    if (found := _LOOP_OF_KERAS.search(str(error))) is None:
        return ""
    return (
        f"; Keras's {found[1]} is a loop of its own over a data set, which runs from Python only: "
        f"inside a step, {_INSTEAD[found[1]]}"
    )


def _paragraph(text: str, error: BaseException) -> str:
    """The first paragraph of a text, without what an error of a graph begins with."""
    lines = [line.strip() for line in text.strip().splitlines()]
    if isinstance(error, tf.errors.OpError):
        bare = [_NODES.sub("", line) for line in lines]
        lines = [line for line in bare if not _WHERE.match(line)][:1]
    first = lines.index("") if "" in lines else len(lines)
    paragraph = " ".join(lines[:first])
    return one_line(paragraph.removeprefix(f"{type(error).__name__}: ")) or "no message"
