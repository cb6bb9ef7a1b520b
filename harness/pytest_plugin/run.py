"""One function of a test in one mode."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from eager_vs_graph.child.adopt.call_arguments import file_of, name_of, split_arguments
from eager_vs_graph.child.adopt.described import described
from eager_vs_graph.child.adopt.function import Adopted, scenario_of
from eager_vs_graph.child.adopt.structure import Hole, leaves
from eager_vs_graph.child.adopt.tracing import plain
from eager_vs_graph.child.parity.check import reason_of
from eager_vs_graph.child.parity.trajectory import Trajectory
from eager_vs_graph.errors import ScenarioError
from eager_vs_graph.modes import BASELINE
from eager_vs_graph.modes.failures import failure
from eager_vs_graph.pytest_plugin import pair as pairs
from eager_vs_graph.pytest_plugin.pair import Pair, Timed, failed
from eager_vs_graph.pytest_plugin.why import why
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.record import (
    NONDETERMINISTIC,
    STATUSES,
    UNSUPPORTED,
    VACUOUS,
    CellParity,
    TensorComparison,
)
from eager_vs_graph.scenario import Feed, Size

if TYPE_CHECKING:
    from eager_vs_graph.pytest_plugin.modes import Settings


@dataclass
class Run:
    """A function in one mode. Its variables are its own: they start from the function's values.

    Every call is made in the mode and eagerly, and compared: outputs, and the variables after it.
    """

    function: Callable[..., Any]
    cell: Cell
    summary: str
    settings: Settings
    traces_itself: bool = False
    calls: int = 0
    """Calls that were made in the mode, or that the mode refused."""
    timing: dict[str, Any] | None = None
    """What pytest-benchmark measured, as its JSON has it, where it did."""
    cold: dict[str, Any] | None = None
    """What the record of a pass says of the timed program."""
    is_timed: bool = False
    """Whether ``benchmark`` is at work on something."""
    _pairs: dict[Any, Pair] = field(default_factory=dict)
    _last: Pair | None = None
    _tensors: dict[tuple[str, str], TensorComparison] = field(default_factory=dict)
    _ended: CellParity | None = None
    _arguments: str = ""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function in the mode; NumPy arrays in the structure that it returns.

        Fails the test where the mode disagrees with eager, in one paragraph that says where, how
        far and why.
        """
        __tracebackhide__ = True
        if self.is_timed or _is_called_by_benchmark():
            pytest.fail(
                "a function of `modes` was called inside what `benchmark` times, so that its "
                "comparison with eager would be timed, too; give it to the test's own fixture as "
                "it is: benchmark(run, *arguments)",
                pytrace=False,
            )
        pair, feed = self._pair(args, kwargs)
        pair.history.append(feed)
        outputs = pair.reference.run(feed)
        expected = Trajectory([outputs], pair.reference.state())
        found = self._in_mode(lambda: Trajectory([pair.program.run(feed)], pair.program.state()))
        self.calls += 1
        compared = pair.compare(expected, found)
        for tensor in compared:
            key = tensor.kind, tensor.tensor
            self._tensors[key] = max(self._tensors.get(key, tensor), tensor, key=_badness)
        if wrong := [tensor for tensor in compared if failed(tensor)]:
            pytest.fail(self._paragraph(wrong), pytrace=False)
        return pair.structure.of(found.outputs[0])

    def timed(self, *args: Any, **kwargs: Any) -> Timed:
        """A program of the function for the clock, from the state that the calls so far led to."""
        pair, feed = self._pair(args, kwargs)
        state = pair.program.state()
        timed: Timed = self._in_mode(lambda: pairs.timed(pair.scenario, self.cell, feed, state))
        return timed

    def parity(self) -> CellParity:
        """What the calls so far say of the cell, as a run's record has it."""
        if self._ended is not None:
            return self._ended
        tensors = tuple(self._tensors.values())
        status = max((tensor.status for tensor in tensors), key=STATUSES.index, default=VACUOUS)
        wrong = [tensor for tensor in tensors if failed(tensor)]
        known = [tensor.known for tensor in tensors if tensor.known]
        return CellParity(
            self.cell.id,
            status,
            "; ".join(map(reason_of, wrong)),
            " ".join(dict.fromkeys(known)) if known and not wrong else None,
            traces=self._last.program.traces if self._last else None,
            steps=self.calls,
            tensors=tensors,
        )

    def record(self) -> dict[str, Any]:
        """What the run's record needs of this function, as JSON."""
        return {
            "cell": self.cell.id,
            "summary": self.summary,
            "arguments": self._arguments,
            "parity": asdict(self.parity()),
            "timing": self.timing,
            "cold": self.cold,
        }

    def close(self) -> None:
        """Free what the programs hold."""
        for pair in self._pairs.values():
            pair.close()

    def _pair(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[Pair, Feed]:
        """The programs for these arguments, in the state that the last call left, and the feed."""
        __tracebackhide__ = True
        refusal = ""
        try:
            name = name_of(self.function)
            places, arrays, template, keywords = split_arguments(
                self.function, name, args, dict(kwargs)
            )
            shapes = tuple((array.dtype.str, array.shape) for array in arrays)
            key = (tuple(places), shapes, _constants([template, keywords]))
            scenario = None if key in self._pairs else self._adopted(args, kwargs)
        except ScenarioError as error:
            refusal = str(error)
        if refusal:  # outside of the handler: pytest would print what is behind it, too
            pytest.fail(refusal, pytrace=False)
        if scenario is not None:
            started = None if self._last is None else self._last.reference.state()
            self._pairs[key] = self._in_mode(
                lambda: pairs.pair(scenario, self.cell, scenario.feeds[0], started)
            )
        pair = self._pairs[key]
        if self._last is not None and self._last is not pair:
            pair.start_from(self._last)
        self._last = pair
        feed = dict(zip(pair.scenario.names, arrays, strict=True))
        self._arguments = self._arguments or ", ".join(map(described, feed, arrays))
        return pair, feed

    def _adopted(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> type[Adopted]:
        adopted = scenario_of(self.function, args, kwargs, traces_itself=self.traces_itself)
        members = {
            "name": self.cell.scenario,
            "sizes": {self.cell.size: Size()},
            "tolerance": self.settings.tolerance,
            "parity_steps": 1,
        }
        return type(adopted.__name__, (adopted,), members)

    def _in_mode(self, work: Callable[[], Any]) -> Any:
        """Do what a mode may refuse or fail at; then the test is skipped or fails with why."""
        __tracebackhide__ = True
        try:
            return work()
        except Exception as error:
            if self.cell.mode == BASELINE and not isinstance(error, ScenarioError):
                raise  # the user's own error, with the user's own traceback
            status, reason = failure(error, file_of(plain(self.function)))
            self._ended = CellParity(self.cell.id, status, reason)
            self.calls += 1
        told = f"{self.cell.mode}: {status}: {reason}"
        if status == UNSUPPORTED and self.settings.skip_unsupported:
            pytest.skip(told)
        hint = '@pytest.mark.modes(unsupported="skip") skips what a mode cannot do'
        pytest.fail(f"{told}; {hint}" if status == UNSUPPORTED else told, pytrace=False)

    def _paragraph(self, wrong: list[TensorComparison]) -> str:
        """Where the mode and eager are apart, how far, and why."""
        worst = max(wrong, key=_badness)
        verb = f"{worst.status} from eager"
        if worst.status == NONDETERMINISTIC:
            verb = "cannot be compared, because eager disagrees with itself,"
        distances = (
            (worst.max_ulp, "ULPs"),
            (worst.max_abs, "absolute error"),
            (worst.max_rel, "relative error"),
        )
        sizes = ", ".join(f"{value:.3g} {what}" for value, what in distances if value)
        also = ", ".join(repr(tensor.tensor) for tensor in wrong if tensor is not worst)
        sentences = [
            f"{self.cell.mode} {verb} in call {self.calls}: {reason_of(worst)}",
            f"At most: {sizes}" if sizes else "",
            f"Also: {also}" if also else "",
            why(self._last, self.settings.explain_s) if self._last else "",
        ]
        return ". ".join(filter(None, sentences)) + "."


def _badness(tensor: TensorComparison) -> tuple[int, float]:
    return STATUSES.index(tensor.status), tensor.max_ulp or tensor.max_abs or 0.0


def _constants(template: Any) -> tuple[Any, ...]:
    """What the arguments hold besides tensors: other constants need another program."""
    plainly = (bool, int, float, str, bytes, type(None), Hole)
    return tuple(
        (place, repr(leaf) if isinstance(leaf, plainly) else id(leaf))
        for place, leaf in leaves("", template)
    )


def _is_called_by_benchmark() -> bool:
    """Whether pytest-benchmark's own fixture is what calls ``Run.__call__``.

    A test's fixture is replaced while the test runs (``timing.py``); one that another
    fixture has kept is not.
    """
    caller = sys._getframe(2).f_globals.get("__name__", "")
    return str(caller).startswith("pytest_benchmark")
