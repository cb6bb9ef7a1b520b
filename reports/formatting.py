"""How numbers and names are written: three digits, a unit, nothing where there is nothing."""

from __future__ import annotations

import math
from typing import TypeGuard

from eager_vs_graph.errors import printable

_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))


def is_number(value: float | None) -> TypeGuard[float]:
    """Whether there is a number at all (a table's empty field is None or NaN)."""
    return value is not None and not math.isnan(value)


def significant(value: float) -> str:
    """Three significant digits without an exponent: ``0.0123``, ``2.10``, ``57.0``, ``1,230``."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    rounded = float(f"{value:.3g}")
    decimals = max(0, 2 - math.floor(math.log10(abs(rounded))))
    return f"{rounded:,.{decimals}f}"


def seconds(value: float | None) -> str:
    """Format a duration in the unit that suits it: ``72.3 µs``."""
    if not is_number(value):
        return ""
    if value == 0:
        return "0 s"
    size = abs(float(f"{value:.3g}"))
    scale, unit = next((pair for pair in _UNITS if size >= pair[0]), _UNITS[-1])
    return f"{significant(value / scale)} {unit}"


def seconds_tick(value: float) -> str:
    """Format a duration on an axis, where values are round: ``10 µs``."""
    scale, unit = next((pair for pair in _UNITS if value >= 0.999 * pair[0]), _UNITS[-1])
    return f"{value / scale:.6g} {unit}"


def seconds_interval(low: float | None, high: float | None) -> str:
    """Format an interval of durations, one unit for both ends: ``[70.1, 75.9] µs``."""
    if not (is_number(low) and is_number(high)):
        return ""
    scale, unit = next((pair for pair in _UNITS if high >= pair[0]), _UNITS[-1])
    return f"[{significant(low / scale)}, {significant(high / scale)}] {unit}"


def ratio(value: float | None) -> str:
    """Format a speed-up: ``2.31×``."""
    return f"{significant(value)}×" if is_number(value) else ""


def interval(low: float | None, high: float | None) -> str:
    """Format an interval of ratios: ``[2.10, 2.54]``."""
    return (
        f"[{significant(low)}, {significant(high)}]" if is_number(low) and is_number(high) else ""
    )


def ratio_with_interval(value: float | None, low: float | None, high: float | None) -> str:
    """Format a speed-up with its interval where it has one: ``2.31× [2.10, 2.54]``."""
    return f"{ratio(value)} {interval(low, high)}".strip()


def calls(value: float) -> str:
    """Format a number of calls: ``3``, ``1230``, ``45.6k``, ``7.89M``, ``never``.

    Without separators of thousands, which would look like those of an interval's ends.
    """
    if math.isinf(value):
        return "never"
    if value < 9995:
        return f"{float(f'{math.ceil(value):.3g}'):.0f}"
    if value < 999.5e6:
        scale, unit = (1e3, "k") if value < 999.5e3 else (1e6, "M")
        return f"{value / scale:.3g}{unit}"
    return f"{value:.1e}"


def break_even(value: float | None, low: float | None, high: float | None) -> str:
    """Format a break-even in calls: ``12 [8, 20]``, ``never``, ``0`` (ahead from the first)."""
    if not is_number(value):
        return ""
    certain = low == value == high
    bounds = f" [{calls(low)}, {calls(high)}]" if is_number(low) and is_number(high) else ""
    return calls(value) + ("" if certain else bounds)


def break_even_phrase(value: float | None, low: float | None, high: float | None) -> str:
    """Format a break-even for a sentence: ``12 calls [8, 20]``, ``from the first call``."""
    if not is_number(value):
        return ""
    number, bracket, bounds = break_even(value, low, high).partition(" [")
    noun = "call" if number == "1" else "calls"
    words = {0.0: "from the first call", math.inf: "never"}.get(value, f"{number} {noun}")
    return words + bracket + bounds


def added(value: float | None) -> str:
    """Format a duration that is added: ``+72.3 µs``, ``−5.10 µs``."""
    return ("−" if value < 0 else "+") + seconds(abs(value)) if is_number(value) else ""


def added_interval(low: float | None, high: float | None) -> str:
    """Format an interval of added durations: ``[−1.20, 75.9] µs``."""
    if not (is_number(low) and is_number(high)):
        return ""
    widest = max(abs(low), abs(high))
    scale, unit = next((pair for pair in _UNITS if widest >= pair[0]), _UNITS[-1])
    ends = (significant(each / scale).replace("-", "−") for each in (low, high))
    return f"[{', '.join(ends)}] {unit}"


def ulps(value: float | None) -> str:
    """Format a distance in units in the last place: ``0``, ``3``, ``12,345``, ``1.2e+09``."""
    if not is_number(value):
        return ""
    return f"{value:,.3g}" if value < 1000 else f"{value:,.0f}" if value < 1e6 else f"{value:.1e}"


def error(value: float | None) -> str:
    """Format an absolute or relative error: ``0``, ``1.19e-07``."""
    return f"{value:.3g}" if is_number(value) else ""


def digits(scaled: float | None) -> str:
    """Say how many digits are right: ``6 digits``, ``no digit``; of 0, ``all digits``.

    Args:
        scaled: an error, as a part of the largest value of its tensor.
    """
    if not is_number(scaled):
        return ""
    if scaled == 0:
        return "all digits"
    right = math.floor(-math.log10(scaled)) if math.isfinite(scaled) else 0
    return count(right, "digit") if right > 0 else "no digit"


def span(low: float, high: float) -> str:
    """Format the ends of some ratios: ``1.48× to 90.5×``, or one where both read alike."""
    ends = ratio(low), ratio(high)
    return ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"


def percent(fraction: float) -> str:
    """Format a fraction: ``3.2%``, ``0.6%``, ``45%``."""
    return f"{100 * fraction:.3g}%"


def noise(fraction: float) -> str:
    """Format a noise floor: ``±5.0%``; beyond 100%, as a factor: ``a factor of 3.20``."""
    return f"±{100 * fraction:.1f}%" if fraction < 1 else f"a factor of {significant(1 + fraction)}"


def count(number: int, noun: str, plural: str = "") -> str:
    """Count a noun: ``1 cell``, ``3 cells``."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def listed(words: list[str], last: str = "and") -> str:
    """Enumerate words: ``a, b and c``."""
    return f" {last} ".join(filter(None, [", ".join(words[:-1]), words[-1] if words else ""]))


def one_line(text: str) -> str:
    """Text of several lines on one, with nothing in it that a terminal or a page would obey."""
    return printable(" ".join(text.split()))
