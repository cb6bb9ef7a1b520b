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
import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

import tensorflow as tf

from eager_vs_graph.child.adopt import modules as users
from eager_vs_graph.child.adopt.copying import Snapshot, deeply
from eager_vs_graph.child.adopt.described import told
from eager_vs_graph.child.adopt.modules import Modules
from eager_vs_graph.child.adopt.reach import reached
from eager_vs_graph.child.adopt.way import Way as ScriptWay
from eager_vs_graph.errors import ScenarioError, Unsupported
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
    arguments: list[Any] = field(default_factory=list)
    """A hole in the place of each tensor."""
    keywords: dict[str, Any] = field(default_factory=dict)
    kept: tuple[Any, ...] = ()
    """What must live as long: a traced method holds its object by a weak reference only."""


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


def seed() -> None:
    """Begin every stream of random numbers anew, as every program finds them."""
    tf.keras.utils.set_random_seed(SEED)


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
        self._snapshot = None if live is None else _snapshot(live, name)
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
        product = self._execute(self._modules)
        if took := self._took_long("modules"):
            self._dear[Way.ANEW] = f"executing them takes {took:.0f} s"
        if took := self._took_long("made"):
            reason = f"making the objects takes {took:.0f} s"
            self._dear |= {Way.ANEW: reason, Way.FACTORY: reason}
        if self._dear and not (Way.FACTORY in self._ways() and Way.FACTORY not in self._dear):
            with contextlib.suppress(ScenarioError):  # then it takes long for each program
                self._snapshot = _snapshot(product, self._name)
        return product

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
                return self._made(way, "; ".join(dict.fromkeys(reasons)))
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
        copy = snapshot.copy(double=double)
        found = reached(copy.value.function, copy.value.arguments, copy.value.keywords)
        return Made(copy.value, copy.variables, tuple(found.functions), tuple(found.resources))

    def _made(self, way: Way, note: str) -> Made:
        if way is Way.COPY:
            made = self.copied(self.snapshot())
            return Made(made.product, made.variables, made.functions, made.resources, note)
        with _recorded() as created:
            if way is Way.ANEW:
                users.forget()
                if self._bytes > _LARGE_BYTES:
                    gc.collect()  # of the program before, in whose modules everything is a ring
                product = self._execute(Modules())
            else:
                product = self._execute(self._modules)
        found = reached(product.function, product.arguments, product.keywords)
        order = {id(variable): number for number, variable in enumerate(created)}
        if way is Way.FACTORY:
            shared = [each.name for each in found.variables if id(each) not in order]
            if shared:
                raise ScenarioError(f"it holds variables of its module: {', '.join(shared[:3])}")
        variables = sorted(found.variables, key=lambda each: order.get(id(each), len(order)))
        self._bytes = sum(map(_bytes_of, created))
        return Made(product, tuple(variables), tuple(found.functions), tuple(found.resources), note)

    def _execute(self, modules: Modules) -> Product:
        """A product in these modules, from the seeds that every program begins with."""
        assert self._source is not None
        before, sys.argv = sys.argv, [self._source.file]
        seed()
        try:
            with modules.executing():
                return self._source.product()
        finally:
            sys.argv = before

    def _elsewhere(self) -> Product:
        """A product made in eager mode, whatever is going on in this thread."""
        assert self._source is not None

        def make() -> Product:
            return self._execute(Modules())

        product: Product = deeply(make)
        return product


def _snapshot(product: Product, name: str) -> Snapshot:
    return Snapshot(product, name)


@contextmanager
def _recorded() -> Iterator[list[tf.Variable]]:
    """The variables that are made within, in order."""
    created: list[tf.Variable] = []

    def remember(next_creator: Callable[..., Any], **settings: Any) -> Any:
        created.append(next_creator(**settings))
        return created[-1]

    with tf.variable_creator_scope(remember):
        yield created


def _bytes_of(variable: Any) -> int:
    shape = variable.shape
    return (shape.num_elements() or 0) * variable.dtype.size if shape.is_fully_defined() else 0
