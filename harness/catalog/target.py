"""What a user points at, in words that fit into a plan. Free of TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass, field

CALL, FORWARD, TRAIN_STEP, PREDICT, FIT = "call", "forward", "train_step", "predict", "fit"
MODEL_PARTS = (FORWARD, TRAIN_STEP, PREDICT, FIT)


@dataclass(frozen=True)
class Target:
    """A function or model of the user's, and what of it is to be run."""

    reference: str
    """``module:attribute.path``, ``file.py:attribute``, a ``.keras`` file or a SavedModel folder;
    with ``payload``, what to call it in messages."""
    part: str = CALL
    """``call`` is what the target itself is: a function, or a model's forward pass. ``forward``,
    ``train_step``, ``predict`` and ``fit`` are a Keras model's."""
    optional: bool = False
    """Whether the part is left out, rather than refused, where the target has none."""
    path: list[str] = field(default_factory=list)
    """Folders that modules are found in, before all others."""
    arguments: list[str] = field(default_factory=list)
    """As typed; see ``eager_vs_graph.child.adopt.arguments``."""
    batch: int = 32
    """Rows where a model's shape leaves the batch open."""
    label: str = ""
    """An argument's text for the labels; empty: drawn for the model's loss."""
    loss: str = ""
    optimizer: str = ""
    """By Keras's names; empty: what the model was compiled with."""
    imports: list[str] = field(default_factory=list)
    """Modules with the classes that a ``.keras`` file refers to."""
    payload: str = ""
    """File with the pickled function and its arguments, where they are no module's."""
