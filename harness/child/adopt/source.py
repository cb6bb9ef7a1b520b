"""The user's code as it was pointed at: found once, made as often as there are programs."""

from __future__ import annotations

from typing import Any

import keras

from eager_vs_graph.catalog.target import CALL, FORWARD, MODEL_PARTS, Target
from eager_vs_graph.child.adopt import model as models
from eager_vs_graph.child.adopt.arguments import Arguments, calls, names_factory
from eager_vs_graph.child.adopt.call_arguments import refuse_what_is_no_function, split_arguments
from eager_vs_graph.child.adopt.making import Product
from eager_vs_graph.child.adopt.resolve import (
    Found,
    found,
    made_by,
    parameters_of,
    use_path,
)
from eager_vs_graph.child.adopt.way import Way, call_of
from eager_vs_graph.errors import PartNotFound, ScenarioError
from eager_vs_graph.scenario import Array


class TargetSource:
    """What a target names, and how it is called.

    Attributes:
        feeds: the tensors of the calls, in the order of ``places``; known after the first product.
        places: where in the arguments they are.
        file: where the user's code is.
    """

    def __init__(self, target: Target, name: str) -> None:
        self._target = target
        self._name = name
        self._found: Found | None = None
        self._part: models.Part | None = None
        self.places: list[str] = []
        self.feeds: list[list[Array]] = []
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
        call = call_of(product.arguments, product.keywords)
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
            self._found = found(target.reference, given=len(target.arguments))
            value: Any = self._found.value
            self._found.value = None
        else:
            value = self._found.again()
        owners = self._found.owners
        if isinstance(value, keras.Model):
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
            given = calls(target.arguments, made_by, parameters_of(function))
        return self._split(function, given, owners)

    def _of_model(self, model: Any) -> tuple[Any, list[Arguments]]:
        target = self._target
        if self._part is None:
            self._part = models.Part(model, target, calls(target.arguments, made_by))
        return self._part.of(model), self._part.calls

    def _split(self, function: Any, given: list[Arguments], owners: tuple[Any, ...]) -> Product:
        """The product; the tensors of the first one's calls are read."""
        refuse_what_is_no_function(function, self._name)
        first, *more = given
        is_first = not self.feeds
        places, feed, template, keywords = split_arguments(
            function, self._name, first.args, first.kwargs, read=is_first
        )
        if is_first:
            self.places = places
            self.feeds = [feed]
            for call in more:
                others, arrays, _, _ = split_arguments(function, self._name, call.args, call.kwargs)
                require_same_places(self._name, places, others)
                self.feeds.append(arrays)
            self.feeds = self.feeds or [[]]
        return Product(function, template, keywords, owners)

    def users_file(self, function: Any) -> str:
        """The file of the user's that a reader would look into."""
        return models.file_of_model(function.model) if self._part is not None else ""


def require_same_places(name: str, places: list[str], others: list[str]) -> None:
    """Check that a further call's tensors are where the first one's are.

    Raises:
        ScenarioError: they are not.
    """
    if others != places:
        raise ScenarioError(
            f"{name}: the arguments of a further step are {', '.join(others)}, but should "
            f"be {', '.join(places)} as in the first"
        )
