"""A function's outputs as NumPy arrays in the structure that the function returned them in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from eager_vs_graph.child.adopt.results import results
from eager_vs_graph.child.adopt.structure import changed, leaves
from eager_vs_graph.scenario import Array


class Structure:
    """Remembers the structure of what a function returns, and gives arrays that structure.

    It watches an eager program's calls: a graph's outputs come back flat and named.
    """

    def __init__(self) -> None:
        self._value: Any = None

    def watching(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """The call, with its result remembered."""

        def watched(*args: Any, **kwargs: Any) -> Any:
            self._value = call(*args, **kwargs)
            return self._value

        return watched

    def of(self, arrays: Mapping[str, Array]) -> Any:
        """Copies of the arrays, by name, in the structure of the last result.

        What was None stays None; what has several tensors, such as a sparse one, is a tuple.
        """
        value = self._value
        places = leaves("" if isinstance(value, Mapping) else "output", value)

        def array_of(leaf: Any) -> Any:
            place, _ = next(places)
            if leaf is None:
                return None
            names = list(results({place or "output": leaf}))
            found = tuple(arrays[name].copy()[()] for name in names)
            return found[0] if len(found) == 1 else found

        return changed(value, array_of)
