"""Cells, their ids, and the selection of the cells of a run. Free of TensorFlow."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from eager_vs_graph.errors import UsageError

INPUTS = ("resident", "fed")
"""Where a call's inputs are when the clock starts; the order is that of reports."""

GUIDE = "guide"
"""The size that has the parameters of the guide a scenario comes from."""

CONTROL = "control"
"""The mode name of the A/A control: a second program of one of the run's modes."""


@dataclass(frozen=True, order=True)
class Cell:
    """One scenario at one size in one mode on one device with one inputs policy."""

    scenario: str
    size: str
    mode: str
    device: str
    inputs: str

    @property
    def id(self) -> str:
        """Text such as ``mnist_step/small/session/CPU:0/resident``."""
        return "/".join((self.scenario, self.size, self.mode, self.device, self.inputs))

    @property
    def group(self) -> str:
        """What the cell is compared within: its id without the mode."""
        return "/".join((self.scenario, self.size, self.device, self.inputs))

    def in_mode(self, mode: str) -> Cell:
        """The cell of the same group in another mode."""
        return replace(self, mode=mode)

    @classmethod
    def parse(cls, text: str) -> Cell:
        """Read an id back; raises ``ValueError`` when it does not have five parts."""
        parts = text.split("/")
        if len(parts) != 5:
            raise ValueError(f"cell id {text!r} has {len(parts)} parts, but should have 5")
        return cls(*parts)


def grid(
    sizes: Iterable[tuple[str, str]],
    modes: Sequence[str],
    devices: Sequence[str],
    inputs: Sequence[str],
) -> list[Cell]:
    """The cells of every (scenario, size) in every mode, device and policy, group by group."""
    return [
        Cell(scenario, size, mode, device, policy)
        for scenario, size in sizes
        for device in devices
        for policy in inputs
        for mode in modes
    ]


def parameters(size: str) -> dict[str, str]:
    """The parameters of a size as its source declares them, such as ``n=8, products=20``."""
    return dict(re.findall(r"(\w+)=([^,]+?)\s*(?:,|$)", size))


def choose(
    what: str, wanted: Sequence[str], known: Sequence[str], default: Sequence[str] = ()
) -> list[str]:
    """The wanted names, in the known order.

    ``all`` means every known name; nothing wanted means the default, where there is one.

    Raises:
        UsageError: a name is not known; the message gives the nearest ones.
    """
    if list(wanted) == ["all"]:
        return list(known)
    wanted = wanted or default or known
    for name in wanted:
        if name not in known:
            raise UsageError(unknown_name_message(what, name, known))
    return [name for name in known if name in wanted]


def unknown_name_message(what: str, name: str, known: Sequence[str]) -> str:
    """One line for a name that does not exist: the nearest valid names, else all of them."""
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"choose from: {', '.join(known)}"
    return f"unknown {what} {name!r}; {hint}"
