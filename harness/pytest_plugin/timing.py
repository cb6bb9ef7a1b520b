"""pytest-benchmark's fixture in a test that uses ``tf_modes``, too: it times the mode's call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from eager_vs_graph.child.bench.prepare import Prepared
from eager_vs_graph.pytest_plugin.checked_function import CheckedFunction
from eager_vs_graph.pytest_plugin.tf_modes import TfModes


class Benchmark:
    """pytest-benchmark's fixture; given a ``CheckedFunction``, it times the mode's program.

    A checked function compares every call with eager. So it is called once, compared, and what is
    timed is the call that every mode of the harness is timed by: one step, outputs as NumPy arrays,
    from the state that the calls so far led to. Everything else is the fixture's own.
    """

    def __init__(self, fixture: Any, modes: TfModes) -> None:
        self._fixture = fixture
        self._modes = modes

    def __getattr__(self, name: str) -> Any:
        return getattr(self._fixture, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in ("_fixture", "_modes"):
            super().__setattr__(name, value)
        else:
            setattr(self._fixture, name, value)

    def __call__(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Time a function as pytest-benchmark does; return what it returns."""
        if not isinstance(function, CheckedFunction):
            with self._watched():
                return self._fixture(function, *args, **kwargs)
        value = function(*args, **kwargs)
        with self._timing(function, args, kwargs) as timed:
            self._fixture(timed.program.call)
        return value

    def pedantic(
        self,
        target: Callable[..., Any],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Any:
        """Time a function in given rounds and iterations; return what it returns."""
        kwargs = kwargs or {}
        if not isinstance(target, CheckedFunction):
            with self._watched():
                return self._fixture.pedantic(target, args, kwargs, **options)
        if options.get("setup") is not None:
            pytest.fail(
                "benchmark.pedantic was given a setup for a function of tf_modes, but should be "
                "given its arguments as args: they are on the device before the clock starts",
                pytrace=False,
            )
        value = target(*args, **kwargs)
        with self._timing(target, args, kwargs) as timed:
            self._fixture.pedantic(timed.program.call, **options)
        return value

    @contextmanager
    def _timing(
        self, function: CheckedFunction, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> Iterator[Prepared]:
        timed = function.timed(*args, **kwargs)
        try:
            with timed.program.task.on_device():
                yield timed
            traces = timed.program.traces
        finally:
            timed.program.close()
        stats = self._fixture.stats
        if stats is None:  # pytest-benchmark is switched off
            return
        cell = function.cell
        self._fixture.extra_info.update(
            {"cell": cell.id, **vars(cell), "pass": 1, "block": 0, "position": 0}
        )
        function.timing = {**stats.as_dict(), "group": cell.group}
        function.cold = {
            "status": "measured",
            "build_s": timed.build_s,
            "first_call_s": timed.first_call_s,
            "traces": traces,
            "retraces": traces - timed.warm_traces,
        }

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Tell the test's functions that something is timed which might call them."""
        for function in self._modes.functions:
            function.is_timed = True
        try:
            yield
        finally:
            for function in self._modes.functions:
                function.is_timed = False
