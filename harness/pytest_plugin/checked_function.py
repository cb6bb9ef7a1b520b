"""One function of a test in one mode; every call is checked against eager."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from eager_vs_graph.child.adopt.call_arguments import (
    bound_names,
    file_of,
    name_of,
    refuse_what_is_no_function,
    split_arguments,
)
from eager_vs_graph.child.adopt.described import described
from eager_vs_graph.child.adopt.function import Adopted, scenario_of
from eager_vs_graph.child.adopt.structure import Hole, leaves
from eager_vs_graph.child.adopt.tracing import plain
from eager_vs_graph.child.bench.prepare import Prepared
from eager_vs_graph.child.parity import check
from eager_vs_graph.child.parity.raised import (
    raised_where_eager_returned,
    returned_where_eager_raised,
)
from eager_vs_graph.errors import ScenarioError, WorkerLost
from eager_vs_graph.modes import BASELINE
from eager_vs_graph.modes.failures import failure
from eager_vs_graph.pytest_plugin import messages, random_state
from eager_vs_graph.pytest_plugin.cause import cause
from eager_vs_graph.pytest_plugin.exceptions import as_raised
from eager_vs_graph.pytest_plugin.pair import Outcome, Pair, failures
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.record import (
    ERROR,
    UNSUPPORTED,
    VACUOUS,
    CellParity,
    TensorComparison,
)
from eager_vs_graph.scenario import Feed, Size

if TYPE_CHECKING:
    from eager_vs_graph.pytest_plugin.tf_modes import Settings


@dataclass
class CheckedFunction:
    """A function in one mode. Its variables are its own: they start from the function's values.

    Every call is made in the mode and eagerly, and compared: outputs, and the variables after it.
    """

    function: Callable[..., Any]
    cell: Cell
    summary: str
    settings: Settings
    traces_itself: bool = False
    calls: int = 0
    """Calls that the test made, whatever became of them."""
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

        Raises:
            Exception: what the function raises in the mode, where it raises eagerly, too.
            pytest.fail.Exception: the mode and eager disagree, or the mode cannot run it.
        """
        __tracebackhide__ = True
        if self.is_timed or _is_called_by_benchmark():
            pytest.fail(
                "a function of tf_modes was called inside what `benchmark` times, so that its "
                "comparison with eager would be timed, too; give it to the test's own fixture as "
                "it is: benchmark(run, *arguments)",
                pytrace=False,
            )
        self.calls += 1
        pair, feed = self._prepared(args, kwargs)
        eager, found = pair.call(feed)
        if eager.did is None or found.did is None:
            self._raise_or_fail(self._call(feed), eager, found)
        compared = pair.compared(eager.did, found.did)
        if failures(compared):
            of_eager, judged = pair.judged()
            if failures(judged.tensors):
                self._ended = judged
                why = cause(pair, self.settings.explain_s)
                text = messages.differs(self.cell.mode, self._call(feed), of_eager, judged, why)
                pytest.fail(text, pytrace=False)
            compared = [tensor for tensor in judged.tensors if tensor.against == BASELINE]
        for tensor in compared:
            key = tensor.kind, tensor.tensor
            self._tensors[key] = check.worst([tensor, self._tensors.get(key, tensor)])
        return pair.structure.of(found.did.outputs[0])

    def timed(self, *args: Any, **kwargs: Any) -> Prepared:
        """A program of the function for the clock, in the state that the calls so far led to."""
        pair, feed = self._prepared(args, kwargs)
        return pair.timed(feed)

    def parity(self) -> CellParity:
        """What the calls so far say of the cell, as a run's record has it."""
        if self._ended is not None:
            return replace(self._ended, steps=self.calls)
        if not self._tensors:
            return CellParity(self.cell.id, VACUOUS, "every call raised, as it does eagerly")
        traces = self._last.program.traces if self._last and self._last.program else None
        found = check.of_tensors(self.cell, list(self._tensors.values()))
        return replace(found, traces=traces, steps=self.calls)

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

    def _prepared(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[Pair, Feed]:
        """The programs for these arguments, in the state that the last call left, and the feed."""
        __tracebackhide__ = True
        try:
            pair, feed = self._pair(args, kwargs)
        except ScenarioError as error:
            refusal = str(error)
        else:
            refusal = ""
        if refusal:  # outside of the handler: pytest would print what is behind it, too
            self._ended = CellParity(self.cell.id, ERROR, refusal)
            pytest.fail(refusal, pytrace=False)
        if self._last is not None and self._last is not pair:
            pair.start_from(self._last.eager.state())
        self._last = pair
        arguments = ", ".join(map(described, feed, feed.values()))
        self._arguments = self._arguments or arguments
        return pair, feed

    def _pair(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[Pair, Feed]:
        __tracebackhide__ = True
        name, python = name_of(self.function), plain(self.function)
        refuse_what_is_no_function(self.function, name)
        try:
            bound_names(python, name, args, kwargs)
        except ScenarioError as error:
            raise TypeError(str(error)) from None  # as a call of the function raises
        places, arrays, template, keywords = split_arguments(python, name, args, dict(kwargs))
        shapes = tuple((array.dtype.str, array.shape) for array in arrays)
        key = (tuple(places), shapes, _constants([template, keywords]))
        if key not in self._pairs:
            with random_state.kept():
                scenario = self._adopted(args, kwargs)
            started = None if self._last is None else self._last.eager.state()
            self._pairs[key] = Pair(scenario, self.cell, scenario.feeds[0], started)
        pair = self._pairs[key]
        return pair, dict(zip(pair.scenario.names, arrays, strict=True))

    def _adopted(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> type[Adopted]:
        adopted = scenario_of(
            self.function, args, kwargs, traces_itself=self.traces_itself, may_raise=True
        )
        members = {
            "name": self.cell.scenario,
            "sizes": {self.cell.size: Size()},
            "tolerance": self.settings.tolerance,
        }
        return type(adopted.__name__, (adopted,), members)

    def _raise_or_fail(self, call: str, eager: Outcome, found: Outcome) -> NoReturn:
        """Raise what both raise; fail where one of them returns, or the mode cannot run it."""
        __tracebackhide__ = True
        mode, file = self.cell.mode, file_of(plain(self.function))
        if found.did is not None:
            assert eager.error is not None
            reason = failure(eager.error, file)[1]
            self._ended = returned_where_eager_raised(self.cell.id, mode, found.did, reason)
            text = messages.returns(mode, call, reason, found.did.outputs[0])
            pytest.fail(text, pytrace=False)
        assert found.error is not None
        status, reason = failure(found.error, file)
        self._ended = CellParity(self.cell.id, status, reason)
        if status == UNSUPPORTED and mode != BASELINE:
            text = f"{mode}: {status}: {reason} [{call}]"
            if self.settings.skip_unsupported:
                pytest.skip(text)
            pytest.fail(f"{text}\n  {messages.SKIP}", pytrace=False)
        if isinstance(found.error, ScenarioError | WorkerLost):  # ours, and not the function's
            pytest.fail(f"{mode}: {status}: {reason} [{call}]", pytrace=False)
        if eager.did is not None:
            self._ended = raised_where_eager_returned(self.cell.id, mode, eager.did, reason)
            text = messages.raises(mode, call, reason, eager.did.outputs[0])
            pytest.fail(text, pytrace=False)
        assert eager.error is not None
        self._ended = None
        error = as_raised(found.error, self.function)
        if type(error) is not type(as_raised(eager.error, self.function)):
            error.add_note(f"raised in mode {mode}; eager raises {failure(eager.error)[1]}")
        raise error

    def _call(self, feed: Feed) -> str:
        """Which call: ``call 2 of step(x: float32[4])``."""
        arguments = ", ".join(map(described, feed, feed.values()))
        return f"call {self.calls} of {name_of(self.function)}({arguments})"


def _constants(template: Any) -> tuple[Any, ...]:
    """What the arguments hold besides tensors: other constants need another program."""
    plainly = (bool, int, float, str, bytes, type(None), Hole)
    return tuple(
        (place, repr(leaf) if isinstance(leaf, plainly) else id(leaf))
        for place, leaf in leaves("", template)
    )


def _is_called_by_benchmark() -> bool:
    """Whether pytest-benchmark's own fixture is what calls ``CheckedFunction.__call__``.

    A test's fixture is replaced while the test runs (``timing.py``); one that another
    fixture has kept is not.
    """
    caller = sys._getframe(2).f_globals.get("__name__", "")
    return str(caller).startswith("pytest_benchmark")
