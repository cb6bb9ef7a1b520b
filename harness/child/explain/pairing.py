"""Which op of a trace is which that eager executed: by type and the user's statement, in order."""

from __future__ import annotations

import ast
import difflib
import functools
import linecache
from collections import Counter
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from eager_vs_graph.child.explain.ops import NAMING, EagerOp, GraphOp, Line, print_of

_MOST = 6_000
"""Ops of a side beyond which pairing takes too long."""


Token = tuple[str, Line | None]
"""An op's type and the first line of the user's statement that asks for it."""


def paired(eager: Sequence[EagerOp], graph: Sequence[GraphOp]) -> dict[int, int]:
    """The place in eager's ops of each op of a trace that has a counterpart there.

    A loop's body is traced once and executed often: it is paired with its first turn. What is asked
    for as often on both sides is paired one by one: of a branch, both arms are traced and one is
    executed, so that the ops around it stand at other distances.
    """
    mine = [(i, _token(op)) for i, op in enumerate(eager) if op.type not in NAMING][:_MOST]
    its = [(i, _token(op)) for i, op in enumerate(graph) if op.type not in NAMING][:_MOST]
    counts = Counter(token for _, token in mine), Counter(token for _, token in its)
    as_often = {token for token, count in counts[0].items() if counts[1][token] == count}
    found: dict[int, int] = {}
    for token in as_often:
        places = [i for i, each in its if each == token], [i for i, each in mine if each == token]
        found.update(zip(*places, strict=True))
    mine = [each for each in mine if each[1] not in as_often]
    its = [each for each in its if each[1] not in as_often]
    matcher = difflib.SequenceMatcher(
        a=[token for _, token in its], b=[token for _, token in mine], autojunk=False
    )
    several = {token for count in counts for token, times in count.items() if times > 1}
    for block in matcher.get_matching_blocks():
        for k in range(block.size):
            (place, token), other = its[block.a + k], mine[block.b + k][0]
            if token not in several or _has_its_constants(graph[place], eager[other]):
                found[place] = other
    return dict(sorted(found.items()))


def _has_its_constants(mine: GraphOp, its: EagerOp) -> bool:
    """Whether a graph's op is given the constants that eager gave: else it is another turn's."""
    for tensor, given in zip(mine.operation.inputs, its.inputs, strict=False):
        value = tf.get_static_value(tensor) if tensor.op.type == "Const" else None
        if value is not None and print_of(np.asarray(value)) != given:
            return False
    return True


def _token(op: EagerOp | GraphOp) -> Token:
    """AutoGraph tells the lines of a statement that takes several in another way than Python."""
    line = op.line
    return op.type, None if line is None else (line[0], _first_lines(line[0]).get(line[1], line[1]))


@functools.lru_cache(maxsize=256)
def _first_lines(file: str) -> dict[int, int]:
    """By line: the first one of its statement; of a loop or branch, of what heads it."""
    try:
        tree = ast.parse("".join(linecache.getlines(file)))
    except SyntaxError:
        return {}
    found: dict[int, int] = {}
    for node in ast.walk(tree):  # the outer ones come first
        if isinstance(node, ast.stmt):
            body = getattr(node, "body", None)
            end = body[0].lineno - 1 if body else node.end_lineno or node.lineno
            found.update(dict.fromkeys(range(node.lineno, end + 1), node.lineno))
    return found


def first_unpaired(
    eager: Sequence[EagerOp], graph: Sequence[GraphOp], pairs: dict[int, int]
) -> tuple[int | None, int | None]:
    """The first op of eager's and of the graph's that has no counterpart; None where all have."""
    of_eager = set(pairs.values())
    mine = (i for i, op in enumerate(eager) if i not in of_eager and op.type not in NAMING)
    its = (i for i, op in enumerate(graph) if i not in pairs and op.type not in NAMING)
    return next(mine, None), next(its, None)
