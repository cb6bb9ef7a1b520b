"""What a user types: lists of words, and numbers with a unit."""

from __future__ import annotations

import math

from eager_vs_graph.errors import UsageError


def words(text: str) -> list[str]:
    """The words of a comma-separated list; nothing for no text.

    Raises:
        UsageError: there is text but no word in it.
    """
    words = [word.strip() for word in text.split(",") if word.strip()]
    if text and not words:
        raise UsageError(f"the selection {text!r} is empty; leave the option out for everything")
    return words


PERCENT = {"%": 0.01}
_TIME = {"s": 1.0, "m": 60.0, "h": 3600.0}
MEMORY = {"GiB": 2.0**30, "MiB": 2.0**20}


def seconds(text: str) -> float:
    """A time such as ``90s`` or ``5m``, in seconds; raises ``UsageError``."""
    return quantity(text, _TIME)


def quantity(text: str, units: dict[str, float]) -> float:
    """A positive number with a unit.

    Raises:
        UsageError: it is neither.
    """
    unit = next((unit for unit in units if text.endswith(unit)), "")
    try:
        value = float(text.removesuffix(unit)) * units[unit]
    except (ValueError, KeyError):
        value = math.nan
    if not 0 < value < math.inf:
        raise UsageError(
            f"{text!r} should be a positive number with a unit of {', '.join(units)}, such as "
            f"90{next(iter(units))}"
        )
    return value
