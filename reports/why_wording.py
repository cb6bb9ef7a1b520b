"""Why a mode takes as long as it does, in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from eager_vs_graph.reports.formatting import count, listed, ratio, seconds, significant
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.why import (
    CONVERSION,
    DISPATCH,
    KERNELS,
    TRACING,
    Advice,
    CellWhy,
    Retrace,
    Share,
    Why,
)

_LEAST = 0.02
"""A smaller share is not worth its words."""
_ASKED = {"as_written": 0, "eager": 1}
"""Modes that are code as it runs by itself."""
_MOST_KERNELS = 3
_MOST_VALUES = 4
_NOUNS = {
    CONVERSION: ("value", "values"),
    DISPATCH: ("op", "ops"),
    TRACING: ("trace", "traces"),
}


def sentence(cell: CellWhy) -> str:
    """Where the time of a call goes: ``842 µs a call: 54% dispatch (20 ops), 32% Python, …``."""
    return cell.error or f"{seconds(cell.call_s)} a call: {shares(cell)}"


def shares(cell: CellWhy) -> str:
    """The shares of a call's time, the largest first."""
    by_size = sorted(cell.shares, key=lambda share: -share.seconds)
    shown = [share for share in by_size if cell.share(share.name) >= _LEAST]
    return listed([_share(cell, share) for share in shown])


def slowest(why: Why) -> str:
    """The one sentence that matters most: of the way in which the user's code runs by itself."""
    cells = [cell for cell in why.cells if not cell.error]
    if not cells:
        return ""
    first = min(cells, key=lambda cell: _ASKED.get(mode_of(cell), len(_ASKED)))
    name = Cell.parse(first.cell).scenario
    several = len({Cell.parse(cell.cell).scenario for cell in cells}) > 1
    said = f"{f'{name}, ' if several else ''}{mode_of(first)}, {sentence(first)}"
    if not first.adds_up:
        said += f" (the shares add up to {_percent(1 - first.missing)} of it)"
    again = [line for line, _, _ in retraces(first.retraces)[:1]]
    return f"Where the time goes: {'; '.join([said, *again])}."


def doubt(cell: CellWhy) -> str:
    """What is to be said of shares that do not add up to the measured time; empty where they do."""
    if cell.error or cell.adds_up:
        return ""
    part = f"{100 * abs(cell.missing):.0f} %"
    what = f"{part} are missing" if cell.missing > 0 else f"{part} too much"
    return (
        f"does not add up: the profile's shares come to {seconds(cell.profiled_s)}, the clock "
        f"shows {seconds(cell.call_s)}; {what}, which is not explained"
    )


def retraces(found: Sequence[Retrace]) -> list[tuple[str, str, str]]:
    """The traces after a first, those of one reason in one line: the line, the place, the remedy.

    ``step was traced again 3 times: rate: 0.1 → 0.2, 0.3, 0.4; 31.0 ms each``.
    """
    groups: dict[tuple[str, ...], list[Retrace]] = {}
    for each in found:
        groups.setdefault((each.function, each.argument, each.line, each.remedy), []).append(each)
    lines = []
    for (function, argument, line, remedy), of_one in groups.items():
        times = "" if len(of_one) == 1 else f" {len(of_one)} times"
        after = list(dict.fromkeys(each.after for each in of_one))
        more = ", …" if len(after) > _MOST_VALUES else ""
        values = ", ".join(after[:_MOST_VALUES]) + more
        change = f"{of_one[0].before} → {values}" if of_one[0].before else values
        mean = sum(each.seconds for each in of_one) / len(of_one)
        each_ = " each" if times else ""
        reason = f"{argument}: {change}" if argument else change
        took = f"{seconds(mean)}{each_}"
        lines.append((f"{function} was traced again{times}: {reason}; {took}", line, remedy))
    return lines


def counts(cell: CellWhy) -> str:
    """The exact counts of a call: ``traces 1, ops from Python 20, …``; empty without any."""
    parts = [f"{name} {number:,}" for name, number in cell.counters.items()]
    parts += [f"{name} {number / 2**20:,.1f} MiB" for name, number in cell.memory.items()]
    return ", ".join(parts)


def predicted(cell: CellWhy) -> list[str]:
    """What other modes were said to take, and what they took."""
    return [
        f"from these shares, {each.mode} should take about {seconds(each.expected_s)} a call; "
        f"measured: {seconds(each.measured_s)}"
        for each in cell.predictions
        if each.measured_s is not None
    ]


def advice(found: Advice) -> str:
    """What a change gained: ``… Tried: …: 3.2× as fast (1.20 ms → 375 µs a call)``."""
    return (
        f"{found.what}. Tried: {found.remedy}: {ratio(found.gain)} as fast "
        f"({seconds(found.before_s)} → {seconds(found.after_s)} a {found.of})"
    )


def mode_of(cell: CellWhy) -> str:
    """The cell's mode."""
    return Cell.parse(cell.cell).mode


def _share(cell: CellWhy, share: Share) -> str:
    text = f"{_percent(cell.share(share.name))} {share.name}"
    if share.name == KERNELS:
        largest = [
            f"{each.op} {_percent(each.seconds / cell.call_s)}"
            for each in cell.kernels[:_MOST_KERNELS]
            if each.seconds / cell.call_s >= _LEAST / 2
        ]
        return f"{text} ({', '.join(largest)})" if largest else text
    if share.name in _NOUNS and share.count:
        noun, nouns = _NOUNS[share.name]
        whole = share.count == int(share.count)
        number = count(int(share.count), noun, nouns) if whole else ""
        return f"{text} ({number or f'{significant(share.count)} {nouns}'})"
    return text


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.0f}%"
