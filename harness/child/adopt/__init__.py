"""Takes a user's function or Keras model, as it is, into the engine: as scenarios.

loading.py         the scenario class of a catalogue's entry, adopted or the author's
resolve.py         from the words of a target to the object
source.py          what a target names and how it is called, to be made as often as asked
modules.py         the user's modules executed afresh
making.py          objects for each program: made anew, or copied
copying.py         a copy of an object and of what it refers to; leaves.py: what is made in it
created.py         variables that a function creates when it is first called
reach.py           what a function refers to; state_roots.py: by which names
tracing.py         the user's own tf.functions
arguments.py       from ``float32[32,784]``, files and factories to arrays
call_arguments.py  the tensors in a call's arguments; results.py: in its result
function.py        a function with its arguments as a scenario
model.py           a Keras model's parts as functions
saved_model.py     a SavedModel as a scenario
study.py           what a function does when it is called
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eager_vs_graph.catalog.target import Target
    from eager_vs_graph.scenario import Scenario


def adopt(target: Target, name: str) -> type[Scenario]:
    """Make the scenario of a target (imports TensorFlow).

    Raises:
        ScenarioError: the target is not found, does not import, or cannot be adopted; in one line.
        PartNotFound: it has no such part, and the part is optional.
    """
    from eager_vs_graph.child.adopt.targets import scenario

    return scenario(target, name)
