"""Which op of a trace is which that eager executed: by type and the user's line, in order."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from eager_vs_graph.child.explain.ops import NAMING, EagerOp, GraphOp

_MOST = 6_000
"""Ops of a side beyond which pairing takes too long."""


def paired(eager: Sequence[EagerOp], graph: Sequence[GraphOp]) -> dict[int, int]:
    """The place in eager's ops of each op of a trace that has a counterpart there.

    A loop's body is traced once and executed often: it is paired with its first turn.
    """
    mine = [(i, (op.type, op.line)) for i, op in enumerate(eager) if op.type not in NAMING]
    its = [(i, (op.type, op.line)) for i, op in enumerate(graph) if op.type not in NAMING]
    mine, its = mine[:_MOST], its[:_MOST]
    matcher = difflib.SequenceMatcher(
        a=[token for _, token in its], b=[token for _, token in mine], autojunk=False
    )
    return {
        its[block.a + k][0]: mine[block.b + k][0]
        for block in matcher.get_matching_blocks()
        for k in range(block.size)
    }


def first_unpaired(
    eager: Sequence[EagerOp], graph: Sequence[GraphOp], pairs: dict[int, int]
) -> tuple[int | None, int | None]:
    """The first op of eager's and of the graph's that has no counterpart; None where all have."""
    of_eager = set(pairs.values())
    mine = (i for i, op in enumerate(eager) if i not in of_eager and op.type not in NAMING)
    its = (i for i, op in enumerate(graph) if i not in pairs and op.type not in NAMING)
    return next(mine, None), next(its, None)
