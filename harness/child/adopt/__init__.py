"""Takes a user's function or Keras model, as it is, into the engine: as scenarios.

target.py     what was pointed at, in words (free of TensorFlow)
resolve.py    from words to the object
arguments.py  from ``float32[32,784]``, files and factories to arrays
copying.py    a copy of the object, and of what it refers to, for each program
function.py   a function with its arguments as a scenario
model.py      a Keras model's parts as functions
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eager_vs_graph.catalog.target import Target
    from eager_vs_graph.child.adopt.function import Adopted


def adopt(target: Target, name: str) -> type[Adopted]:
    """Make the scenario of a target (imports TensorFlow).

    Raises:
        ScenarioError: the target is not found, does not import, or cannot be adopted; in one line.
        NotThere: it has no such part, and the part is optional.
    """
    from eager_vs_graph.child.adopt.resolve import scenario

    return scenario(target, name)
