"""What a call that waits for a graph waits for: the time of all threads, laid over each other.

While one thread waits for a graph, others execute its ops. Every moment counts once, for the first
of the kinds of work that some thread is at, so that the kinds add up to the time that was waited.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Interval:
    """Some work.

    Attributes:
        kind: what kind of work it is.
        name: of the work, such as a kernel's op.
        start: picoseconds; ``end`` likewise.
    """

    kind: str
    name: str
    start: int
    end: int


def sweep(
    intervals: Iterable[Interval], start: int, end: int, kinds: Sequence[str], otherwise: str
) -> Counter[tuple[str, str]]:
    """Picoseconds by kind and name.

    Args:
        intervals: what threads did.
        start: where the time begins that is divided.
        end: where it ends.
        kinds: the kinds of work; where threads do several at once, the first of them counts.
            Several of one kind share the time.
        otherwise: the kind of the moments in which no thread is at any of them.

    Returns:
        The sum of all is ``end - start``.
    """
    changes: list[tuple[int, int, Interval]] = []
    for each in intervals:
        begin, stop = max(each.start, start), min(each.end, end)
        if begin < stop:
            changes += [(begin, 1, each), (stop, -1, each)]
    changes.sort(key=lambda change: change[0])
    rank = {kind: number for number, kind in enumerate(kinds)}
    active: list[Counter[str]] = [Counter() for _ in kinds]
    found: Counter[tuple[str, str]] = Counter()
    now = start
    for moment, step, each in changes:
        if moment > now:
            _add(found, active, kinds, otherwise, moment - now)
            now = moment
        of_kind = active[rank[each.kind]]
        of_kind[each.name] += step
        if not of_kind[each.name]:
            del of_kind[each.name]
    if end > now:
        _add(found, active, kinds, otherwise, end - now)
    return found


def _add(
    found: Counter[tuple[str, str]],
    active: list[Counter[str]],
    kinds: Sequence[str],
    otherwise: str,
    span: int,
) -> None:
    for kind, names in zip(kinds, active, strict=True):
        if names:
            total = sum(names.values())
            shared = 0
            *most, last = names
            for name in most:
                part = span * names[name] // total
                found[kind, name] += part
                shared += part
            found[kind, last] += span - shared
            return
    found[otherwise, ""] += span
