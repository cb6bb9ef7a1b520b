"""The modes of a run by kind, as its record describes them. Reports know no modes of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from eager_vs_graph.results.request import RunRequest

EXECUTION = "execution"
KINDS = (EXECUTION, "deployment", "distribution")
"""The kinds in the order of reports; others follow in order of appearance."""

Kinds = Mapping[str, str]
"""The kind of each mode, by name."""


def kinds_of(request: RunRequest) -> dict[str, str]:
    """Read the kind of each mode; none is known in records that are older than kinds."""
    return {mode: about.kind for mode, about in request.about_modes.items()}


def by_kind(modes: Iterable[str], kinds: Kinds) -> dict[str, list[str]]:
    """Group modes by kind, kinds in their order and modes in the given one."""
    groups: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for mode in modes:
        groups.setdefault(kinds.get(mode, EXECUTION), []).append(mode)
    return {kind: members for kind, members in groups.items() if members}


def rank(kind: str) -> int:
    """Return the place of a kind among the others."""
    return KINDS.index(kind) if kind in KINDS else len(KINDS)
