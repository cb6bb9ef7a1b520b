"""What a test that uses ``modes`` has in the place of pytest-benchmark's fixture, while it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from eager_vs_graph.pytest_plugin.modes import Modes
from eager_vs_graph.pytest_plugin.pair import Timed
from eager_vs_graph.pytest_plugin.run import Run


class Benchmark:
    """pytest-benchmark's fixture, which times a mode's program where it is given a ``Run``.

    ``run`` itself compares every call with eager. So it is called once, compared, and what is timed
    is the call that every mode of the harness is timed by: one step, outputs as NumPy arrays, from
    the state that the calls so far led to. Everything else is the fixture's own.
    """

    def __init__(self, fixture: Any, modes: Modes) -> None:
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
        if not isinstance(function, Run):
            with self._watched():
                return self._fixture(function, *args, **kwargs)
        value = function(*args, **kwargs)
        with self._timing(function, args, kwargs) as timed:
            self._fixture(timed.call)
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
        if not isinstance(target, Run):
            with self._watched():
                return self._fixture.pedantic(target, args, kwargs, **options)
        if options.get("setup") is not None:
            pytest.fail(
                "benchmark.pedantic has a setup that gives a function of `modes` its arguments, "
                "but they should be given as args: they are on the device before the clock starts",
                pytrace=False,
            )
        value = target(*args, **kwargs)
        with self._timing(target, args, kwargs) as timed:
            self._fixture.pedantic(timed.call, **options)
        return value

    @contextmanager
    def _timing(self, run: Run, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Iterator[Timed]:
        timed = run.timed(*args, **kwargs)
        try:
            with timed.program.task.on_device():
                yield timed
            traces = timed.program.traces
        finally:
            timed.program.close()
        stats = self._fixture.stats
        if stats is None:  # pytest-benchmark is switched off
            return
        cell = run.cell
        self._fixture.extra_info.update(
            {"cell": cell.id, **vars(cell), "pass": 1, "block": 0, "position": 0}
        )
        run.timing = {**stats.as_dict(), "group": cell.group}
        run.cold = {
            "status": "measured",
            "build_s": timed.build_s,
            "first_call_s": timed.first_call_s,
            "traces": traces,
            "retraces": traces - timed.warm_traces,
        }

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Know while something is timed that may call a function of ``modes``."""
        for run in self._modes.runs:
            run.is_timed = True
        try:
            yield
        finally:
            for run in self._modes.runs:
                run.is_timed = False
