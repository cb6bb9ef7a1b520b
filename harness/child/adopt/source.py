"""The user's code as it was pointed at: found once, made as often as there are programs."""

from __future__ import annotations

from typing import Any

from eager_vs_graph.catalog.target import CALL, FORWARD, MODEL_PARTS, Target
from eager_vs_graph.child.adopt import model as models
from eager_vs_graph.child.adopt.arguments import Arguments, names_factory
from eager_vs_graph.child.adopt.arguments import calls as arguments_of_calls
from eager_vs_graph.child.adopt.call_arguments import refuse_what_is_no_function
from eager_vs_graph.child.adopt.making import Product
from eager_vs_graph.child.adopt.resolve import (
    Found,
    found,
    made_by,
    parameters_of,
    use_path,
)
from eager_vs_graph.child.adopt.successive import Calls, split_calls
from eager_vs_graph.child.adopt.way import Way, call_of
from eager_vs_graph.errors import PartNotFound, ScenarioError
from eager_vs_graph.modes import kerases


class TargetSource:
    """What a target names, and how it is called.

    Attributes:
        calls: how it is called; known after the first product.
        file: where the user's code is.
    """

    def __init__(self, target: Target, name: str) -> None:
        self._target = target
        self._name = name
        self._found: Found | None = None
        self._part: models.Part | None = None
        self.calls: Calls | None = None
        self.file = target.reference.rpartition(":")[0] or target.reference

    @property
    def traces_itself(self) -> bool:
        """See ``Scenario``."""
        return self._part is not None and self._part.traces_itself

    @property
    def calls_factory(self) -> bool:
        """Whether a function of the user's is called to make it."""
        called = self._found is not None and self._found.calls_factory
        return called or any(map(names_factory, self._target.arguments))

    def way(self, product: Product) -> Way:
        """How a script comes to what is called, and calls it.

        Raises:
            ValueError: no script can.
        """
        if self._found is None or not self._found.steps:
            raise ValueError(f"{self._target.reference} is no function of a module")
        if self._target.part not in (CALL, FORWARD):
            raise ValueError(f"{self._target.part} of a model cannot stand in a script")
        texts = {call_of(each.arguments, each.keywords) for each in product.templates}
        if len(texts) > 1:
            raise ValueError("calls with other arguments in each step cannot stand in a script")
        (call,) = texts
        return Way(self._found.module, self._found.steps, call, self._part is not None)

    def product(self) -> Product:
        """Import what is missing, and make the function with its arguments.

        Raises:
            ScenarioError: it cannot be made; in one line.
            PartNotFound: it has no such part, and nobody asked for it by name.
        """
        target = self._target
        use_path(target.path)
        if self._found is None:
            self._found = found(
                target.reference, given=len(target.arguments), imports=target.imports
            )
            value: Any = self._found.value
            self._found.value = None
        else:
            value = self._found.again()
        owners = self._found.owners
        if kerases.is_model(value):
            function, given = self._of_model(value)
        elif target.part in MODEL_PARTS:
            if target.optional:
                raise PartNotFound(target.part)
            raise ScenarioError(
                f"{target.reference} gives a {type(value).__name__}, but --train and "
                f"{target.part} need a Keras model"
            )
        else:
            function = value
            given = arguments_of_calls(target.arguments, made_by, parameters_of(function))
        return self._split(function, given, owners)

    def _of_model(self, model: Any) -> tuple[Any, list[Arguments]]:
        target = self._target
        if self._part is None:
            given = arguments_of_calls(target.arguments, made_by)
            self._part = models.Part(model, target, given)
        return self._part.of(model), self._part.calls

    def _split(self, function: Any, given: list[Arguments], owners: tuple[Any, ...]) -> Product:
        """The product; the tensors of the first one's calls are read."""
        refuse_what_is_no_function(function, self._name)
        if self.calls is not None:
            given = given[: len(self.calls.feeds)]  # in a graph, an iterator has no end
        calls = split_calls(function, self._name, given, read=self.calls is None)
        self.calls = self.calls or calls
        return Product(function, calls.templates, owners)

    def users_file(self, function: Any) -> str:
        """The file of the user's that a reader would look into."""
        return models.file_of_model(function.model) if self._part is not None else ""
