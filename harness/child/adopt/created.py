"""Variables that a function creates when it is first called.

Layers and optimizers that nobody built do so. But a program's variables must be there before its
first step, so that it can start from the state that all programs start from; and a call to have
them created would leave its traces in the program's counters, iterators and files. So they are
created once, in a call of objects that are thrown away (``study.py``). From then on every program
has such variables made for it, and its function is handed these where it creates them itself.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import tensorflow as tf

from eager_vs_graph.child import first_calls
from eager_vs_graph.child.adopt.leaves import Leaf, of_variable
from eager_vs_graph.errors import ScenarioError


class Creation:
    """The variables that were created while this was entered, with their first values."""

    def __init__(self) -> None:
        self.variables: list[tf.Variable] = []
        self._leaves: list[Leaf] = []
        self._scope: Any = None

    def __enter__(self) -> Creation:
        self._scope = tf.variable_creator_scope(self._remember)
        self._scope.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._scope.__exit__(*error)

    def _remember(self, next_creator: Callable[..., Any], **settings: Any) -> Any:
        variable = next_creator(**settings)
        self.variables.append(variable)
        self._leaves.append(of_variable(variable, np.array(variable.numpy())))
        return variable

    def kept(self, reachable: Sequence[tf.Variable]) -> tuple[Leaf | None, ...]:
        """How to make each of them again; None for those that nothing refers to any more."""
        alive = {id(variable) for variable in reachable}
        leaves = [
            leaf if id(variable) in alive else None
            for variable, leaf in zip(self.variables, self._leaves, strict=True)
        ]
        return tuple(leaves) if any(leaves) else ()


class FirstCall:
    """A function whose first call finds its variables made."""

    def __init__(
        self, function: Callable[..., Any], variables: Sequence[tf.Variable | None]
    ) -> None:
        self.function = function
        self._variables: Sequence[tf.Variable | None] | None = variables

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function."""
        if self._variables is None:
            return self.function(*args, **kwargs)
        with first_calls.creating(), _handed_out(self._variables):
            result = self.function(*args, **kwargs)
        self._variables = None
        return result


@contextmanager
def _handed_out(variables: Sequence[tf.Variable | None]) -> Iterator[None]:
    """Within, these are what is created, in their order; None stands for one that is created."""
    left = deque(variables)

    def hand_out(next_creator: Callable[..., Any], **settings: Any) -> Any:
        variable = left.popleft() if left else None
        if variable is None:
            return next_creator(**settings)
        _require_alike(variable, settings)
        return variable

    with ExitStack() as stack:
        with tf.init_scope():  # where Keras creates; of a session, the graph around the function
            around = tf.compat.v1.get_default_graph()
            stack.enter_context(tf.variable_creator_scope(hand_out))
        if tf.compat.v1.get_default_graph() is not around:
            stack.enter_context(tf.variable_creator_scope(hand_out))
        yield


def _require_alike(variable: tf.Variable, settings: dict[str, Any]) -> None:
    """Check what is known of a variable that is to be created, before its value is computed.

    Raises:
        ScenarioError: it is another than the one that was created before in its place.
    """
    wanted = settings.get("dtype")
    name = settings.get("name")
    if wanted is not None and tf.as_dtype(wanted).base_dtype != variable.dtype.base_dtype:
        raise ScenarioError(
            f"the first call creates variable {name!r} of dtype {tf.as_dtype(wanted).name}, where "
            f"it created {variable.name!r} of dtype {variable.dtype.name} before"
        )
