"""How each program gets objects of its own.

A program is made, not copied: the user's modules are executed afresh and the factory is called
again, from the same seeds and where the program runs, which for a session is inside its graph. So
counters, tables, data sets, iterators, files and random streams are the program's own, and begin as
the user's begin.

There are three ways (``Way``), tried in this order:

* ``ANEW``: as above;
* ``FACTORY``: only the factory is called again, where executing the modules takes long;
* ``COPY``: what was made once is copied (``copying.py``): what has no source, where the others
  take long, and where they fail in a mode.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, Protocol

import tensorflow as tf

from eager_vs_graph.child.adopt import modules as users
from eager_vs_graph.child.adopt.copying import Snapshot, deeply
from eager_vs_graph.child.adopt.described import told
from eager_vs_graph.child.adopt.modules import Modules
from eager_vs_graph.child.adopt.reach import reached
from eager_vs_graph.child.adopt.successive import Template
from eager_vs_graph.child.adopt.way import Way as ScriptWay
from eager_vs_graph.errors import ScenarioError, Unsupported
from eager_vs_graph.modes import kerases
from eager_vs_graph.modes.host_arrays import is_large, tensor_of
from eager_vs_graph.scenario import SEED

DEAR_S = 30.0
DEAR_CPU_S = 10.0
"""Seconds from which on making something again takes long, on the wall and of the processor."""
_LARGE_BYTES = 2**26
"""A program's variables from here on are worth a garbage collection before the next one is made,
and a copy of them is not kept for another program."""


class Way(Enum):
    """How a program's objects come to be."""

    ANEW = "made anew"
    FACTORY = "made by the factory"
    COPY = "copied"


@dataclass(frozen=True)
class Product:
    """What a program calls."""

    function: Callable[..., Any]
    templates: list[Template] = field(default_factory=lambda: [Template()])
    """The arguments of successive calls."""
    kept: tuple[Any, ...] = ()
    """What must live as long: a traced method holds its object by a weak reference only."""

    @property
    def roots(self) -> tuple[Any, ...]:
        """What it refers to everything from: the function, then what it is called with."""
        calls = self.templates
        return (
            self.function,
            [argument for call in calls for argument in call.arguments],
            {name: value for call in reversed(calls) for name, value in call.keywords.items()},
        )


class Source(Protocol):
    """What a product can be made from."""

    @property
    def calls_factory(self) -> bool:
        """Whether a function of the user's is called to make it."""

    file: str
    """The user's file, or what stands for it in messages."""

    def way(self, product: Product) -> ScriptWay:
        """How a script comes to what a product calls, and calls it.

        Raises:
            ValueError: no script can.
        """

    def product(self) -> Product:
        """Import what is missing and make it.

        Raises:
            ScenarioError: it cannot be made; in one line.
        """


@dataclass(frozen=True)
class Made:
    """A program's objects."""

    product: Product
    variables: tuple[tf.Variable, ...]
    """Those that the function can reach, in the order in which they were made."""
    functions: tuple[Any, ...] = ()
    """The tf.functions among its objects."""
    resources: tuple[Any, ...] = ()
    """Its tables, data sets, iterators and summary writers."""
    note: str = ""
    """What a reader of the report should know of how they were made in this mode."""
    shared: tuple[tf.Variable, ...] = ()
    """Those of the variables that were there before."""


def seed() -> None:
    """Begin every stream of random numbers anew, as every program finds them."""
    kerases.seed_all(SEED)


class Maker:
    """Makes the objects of one scenario, program by program.

    Args:
        name: the scenario's, for messages.
        source: what they can be made from again; None where there is nothing but ``live``.
        live: the objects themselves, to be copied.
    """

    def __init__(
        self, name: str, source: Source | None = None, live: Product | None = None
    ) -> None:
        self._name = name
        self._source = source
        self._modules = Modules()
        """The user's modules of the first program."""
        self._snapshot = None if live is None else _snapshot(_made(live), name)
        self._dear: dict[Way, str] = {}
        """Why a way is not taken although it works."""
        self._failed: dict[tuple[bool, Way], str] = {}
        """What happened, in eager mode (True) and in a v1 graph."""
        self._bytes = 0

    def way(self) -> ScriptWay:
        """How a script comes to what is called, and calls it.

        Raises:
            ValueError: no script can.
        """
        if self._source is None:
            raise ValueError(f"{self._name} is an object of another process, and in no module")
        return self._source.way(self.make().product)

    def first(self) -> Product:
        """The first product, to be looked at; nothing of it is part of a program.

        Raises:
            ScenarioError: it cannot be made.
        """
        assert self._source is not None
        made = self._execute(self._modules)
        if took := self._took_long("modules"):
            self._dear[Way.ANEW] = f"executing them takes {took:.0f} s"
        if took := self._took_long("made"):
            reason = f"making the objects takes {took:.0f} s"
            self._dear |= {Way.ANEW: reason, Way.FACTORY: reason}
        if self._dear and not self._calls_factory_again:
            with contextlib.suppress(ScenarioError):  # then it takes long for each program
                self._snapshot = _snapshot(made, self._name)
        if not self._calls_factory_again:
            self._modules = Modules()  # the first program's variables go with its modules
        return made.product

    @property
    def _calls_factory_again(self) -> bool:
        return Way.FACTORY in self._ways() and Way.FACTORY not in self._dear

    def _took_long(self, what: str) -> float:
        """Seconds that the first program took, where they were many; else 0."""
        wall_s, cpu_s = self._modules.clock.wall_s[what], self._modules.clock.cpu_s[what]
        return wall_s if wall_s > DEAR_S or cpu_s > DEAR_CPU_S else 0.0

    def _ways(self) -> list[Way]:
        """What there is to make a program from; what takes long comes last."""
        if self._source is None:
            return [Way.COPY]
        ways = [Way.ANEW, Way.COPY]
        if self._dear and self._source.calls_factory:
            ways.insert(1, Way.FACTORY)
        return sorted(ways, key=lambda way: way in self._dear)

    @property
    def note(self) -> str:
        """How programs are made, for a reader of the report; empty where nothing was asked."""
        if self._source is None:
            return "every mode has a copy of its own of the objects that were given"
        if reason := self._dear.get(Way.ANEW):
            how = (
                "the factory is called again in the same modules"
                if Way.FACTORY not in self._dear and self._source.calls_factory
                else "what they made is copied"
            )
            return f"the user's modules are executed once, because {reason}; for each mode, {how}"
        again = " and the factory is called again" if self._source.calls_factory else ""
        return f"every mode has objects of its own: the user's modules are executed afresh{again}"

    def make(self) -> Made:
        """Objects for a program, in the current graph, on the current device.

        Raises:
            ScenarioError: no way works in eager mode.
            Unsupported: none works in a v1 graph; with the reasons.
        """
        eager = tf.executing_eagerly()
        reasons: list[str] = []
        cause: Exception | None = None
        for way in self._ways():
            if (reason := self._failed.get((eager, way))) is not None:
                reasons.append(reason)
                continue
            try:
                return replace(self._make(way), note="; ".join(dict.fromkeys(reasons)))
            except Unsupported:  # no other way changes what the mode can run
                raise
            except Exception as error:
                text = str(error) if isinstance(error, ScenarioError) else told(error)
                reasons.append(f"it cannot be {way.value}: {text}")
                self._failed[eager, way] = reasons[-1]
                cause = cause or error
        message = "; ".join(dict.fromkeys(reasons))
        if eager:
            raise ScenarioError(f"{self._name}: {message}")
        raise Unsupported(f"in a graph of TensorFlow 1, {message}") from cause

    def snapshot(self) -> Snapshot:
        """The objects, to be copied.

        Raises:
            ScenarioError: they cannot be copied, or not be made.
        """
        snapshot = self._snapshot or _snapshot(self._elsewhere(), self._name)
        if snapshot.nbytes < _LARGE_BYTES:
            self._snapshot = snapshot
        return snapshot

    def copied(self, snapshot: Snapshot, *, double: bool = False) -> Made:
        """A copy of the objects; see ``Snapshot.copy``."""
        if self._source is not None:  # the streams of random numbers of a caller are its own
            seed()
        product, variables = snapshot.copy(double=double)
        return _made(product, variables)

    def _make(self, way: Way) -> Made:
        if way is Way.COPY:
            return self.copied(self.snapshot())
        if way is Way.FACTORY:
            made = self._execute(self._modules)
            if made.shared:
                names = ", ".join(each.name for each in made.shared[:3])
                raise ScenarioError(f"it holds variables of its module: {names}")
        else:
            users.forget()
            if self._bytes > _LARGE_BYTES:
                gc.collect()  # of the program before, in whose modules everything is a ring
            made = self._execute(Modules())
        self._bytes = sum(map(_bytes_of, made.variables))
        return made

    def _execute(self, modules: Modules) -> Made:
        """Objects made in these modules, from the seeds that every program begins with."""
        assert self._source is not None
        before, sys.argv = sys.argv, [self._source.file]
        seed()
        try:
            with _recorded() as created, modules.executing():
                product = self._source.product()
        finally:
            sys.argv = before
        return _made(product, created)

    def _elsewhere(self) -> Made:
        """Objects made in eager mode, whatever is going on in this thread."""
        made: Made = deeply(lambda: self._execute(Modules()))
        return made


def _made(product: Product, created: Sequence[tf.Variable] = ()) -> Made:
    """A product with all it refers to.

    Args:
        product: what a program calls.
        created: the variables that were made with it, in order.
    """
    found = reached(*product.roots)
    order = {id(variable): number for number, variable in enumerate(created)}
    return Made(
        product,
        tuple(sorted(found.variables, key=lambda each: order.get(id(each), len(order)))),
        tuple(found.functions),
        tuple(found.resources),
        shared=tuple(each for each in found.variables if id(each) not in order),
    )


def _snapshot(made: Made, name: str) -> Snapshot:
    """The product, to be copied, and its variables in the order in which they were made."""
    return Snapshot((made.product, made.variables), name)


@contextmanager
def _recorded() -> Iterator[list[tf.Variable]]:
    """The variables that are made within, in order."""
    created: list[tf.Variable] = []

    def remember(next_creator: Callable[..., Any], **settings: Any) -> Any:
        start = settings.get("initial_value")
        as_it_is = settings.get("dtype") in (None, getattr(start, "dtype", None))
        if is_large(start) and as_it_is and tf.executing_eagerly():
            settings["initial_value"] = functools.partial(tensor_of, start)
        created.append(next_creator(**settings))
        return created[-1]

    with tf.variable_creator_scope(remember):
        yield created


def _bytes_of(variable: Any) -> int:
    shape = variable.shape
    return (shape.num_elements() or 0) * variable.dtype.size if shape.is_fully_defined() else 0
