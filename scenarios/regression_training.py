"""The guide's linear regression, with plain variables and as a model with an optimizer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from eager_vs_graph import Goal, Scenario, Size
from eager_vs_graph.scenario import Array, Feed, State

LEARNING_RATE = 0.01
INITIAL_WEIGHT, INITIAL_BIAS = 5.0, 10.0
TRUE_WEIGHT, TRUE_BIAS = 3.0, 2.0


def draw_examples(rng: np.random.Generator, examples: int) -> Feed:
    """Draw standard-normal ``x`` and ``y = 3x + 2 + noise`` with standard-normal noise."""
    x = rng.standard_normal(examples, dtype=np.float32)
    noise = rng.standard_normal(examples, dtype=np.float32)
    return {"x": x, "y": TRUE_WEIGHT * x + TRUE_BIAS + noise}


def fit_by_hand(
    weight: Array, bias: Array, x: Array, y: Array, *, updates: int, learning_rate: Any
) -> tuple[Array, Array, Mapping[str, Array]]:
    """Descend the gradient of the mean squared error; return weight, bias and the losses.

    The gradient of ``mean((w x + b - y)²)`` is ``(2 mean(error x), 2 mean(error))``.
    """
    losses = []
    for _ in range(updates):
        error = weight * x + bias - y
        losses.append(np.mean(error**2))
        weight = weight - learning_rate * 2 * np.mean(error * x)
        bias = bias - learning_rate * 2 * np.mean(error)
    final = {"loss": np.mean((weight * x + bias - y) ** 2)}
    return weight, bias, final if updates == 1 else {"losses": np.array(losses), **final}


class Regression(Scenario):
    """What both forms of the training share; no scenario by itself."""

    def inputs(self, rng: np.random.Generator) -> Sequence[Feed]:
        return [draw_examples(rng, self.size.examples)]

    def loss(self, x: Any, y: Any) -> Any:
        """Return the mean squared error of the current line."""
        raise NotImplementedError

    def update(self, x: Any, y: Any) -> Any:
        """Descend the gradient once; return the loss before that."""
        raise NotImplementedError

    def step(self, x: Any, y: Any) -> Mapping[str, Any]:
        if self.size.updates == 1:
            self.update(x, y)
            return {"loss": self.loss(x, y)}
        losses = tf.TensorArray(tf.float32, size=self.size.updates)
        # Over tf.range, AutoGraph makes this one tf.while_loop. Over Python's range, tracing would
        # copy the body 200 times into the graph, and tracing time would grow with the updates.
        for i in tf.range(self.size.updates):
            losses = losses.write(i, self.update(x, y))
        return {"losses": losses.stack(), "loss": self.loss(x, y)}


class RegressionTraining(Regression):
    """Fit y = 3x + 2 + noise with plain variables and assign_sub.

    One step makes ``updates`` updates of gradient descent at rate 0.01, at first from weight 5 and
    bias 10. It returns the mean squared error after the last of them (``loss``) and, where there
    are several, before each (``losses``: the guide prints ``losses[i + 1]`` as that at step i).
    """

    name = "regression_training"
    concept = "gradient descent on variables"
    sizes = {
        "tiny": Size(examples=10, updates=1),
        "small": Size(examples=1_000, updates=1),
        "large": Size(examples=100_000, updates=1),
        "guide": Size(examples=1_000, updates=200),
    }
    default_sizes = ("small",)
    batch = ("x", "y")
    # An update leaves 0.98 of the distance from the least-squares solution: 600 of them leave
    # nothing. The solution itself has a standard error of 1/√1000 = 0.03; 0.15 is nearly five.
    goal = Goal(
        steps=3, expect={"W": (2.85, 3.15), "B": (1.85, 2.15)}, sizes=("guide",), curve="losses"
    )

    def build(self) -> None:
        self.weight = tf.Variable(INITIAL_WEIGHT)
        self.bias = tf.Variable(INITIAL_BIAS)

    def loss(self, x: Any, y: Any) -> Any:
        return tf.reduce_mean(tf.square(self.weight * x + self.bias - y))

    def update(self, x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = self.loss(x, y)
        d_weight, d_bias = tape.gradient(loss, [self.weight, self.bias])
        self.weight.assign_sub(LEARNING_RATE * d_weight)
        self.bias.assign_sub(LEARNING_RATE * d_bias)
        return loss

    def reference(self, state: State, x: Array, y: Array) -> Mapping[str, Array]:
        state["weight"], state["bias"], outputs = fit_by_hand(
            state["weight"],
            state["bias"],
            x,
            y,
            updates=self.size.updates,
            learning_rate=LEARNING_RATE,
        )
        return outputs

    def measure(self, state: State) -> Mapping[str, float]:
        return {"W": float(state["weight"]), "B": float(state["bias"])}


class LinearModel(tf.keras.Model):
    """The guide's model ``W x + B``.

    The guide assigns a tf.Variable to each attribute; Keras 3 neither lists nor saves such
    variables with the model, so they are made with ``add_weight``.
    """

    def __init__(self) -> None:
        super().__init__()
        self.W = self.add_weight(
            name="weight", shape=(), initializer=tf.keras.initializers.Constant(INITIAL_WEIGHT)
        )
        self.B = self.add_weight(
            name="bias", shape=(), initializer=tf.keras.initializers.Constant(INITIAL_BIAS)
        )

    def call(self, inputs: Any) -> Any:
        """Return the line's value at each input."""
        return inputs * self.W + self.B


class RegressionTrainingOptimizer(Regression):
    """Fit y = 3x + 2 + noise with a Keras model and optimizer.

    The same training as ``regression_training``, in the guide's other form: a subclassed model
    whose variables a Keras SGD optimizer updates.
    """

    name = "regression_training_optimizer"
    concept = "Keras model and optimizer"
    sizes = {
        "tiny": Size(examples=10, updates=1),
        "small": Size(examples=1_000, updates=1),
        "large": Size(examples=100_000, updates=1),
        "guide": Size(examples=2_000, updates=300),
    }
    default_sizes = ("small",)
    batch = ("x", "y")
    # As above: 900 updates, and 0.1 is more than four standard errors of 1/√2000 = 0.022.
    goal = Goal(
        steps=3, expect={"W": (2.9, 3.1), "B": (1.9, 2.1)}, sizes=("guide",), curve="losses"
    )

    def build(self) -> None:
        self.model = LinearModel()
        self.optimizer = tf.keras.optimizers.SGD(learning_rate=LEARNING_RATE)
        self.optimizer.build(self.model.trainable_variables)

    def loss(self, x: Any, y: Any) -> Any:
        return tf.reduce_mean(tf.square(self.model(x) - y))

    def update(self, x: Any, y: Any) -> Any:
        variables = self.model.trainable_variables
        with tf.GradientTape() as tape:
            loss = self.loss(x, y)
        gradients = tape.gradient(loss, variables)
        self.optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return loss

    def reference(self, state: State, x: Array, y: Array) -> Mapping[str, Array]:
        state["model/weight"], state["model/bias"], outputs = fit_by_hand(
            state["model/weight"],
            state["model/bias"],
            x,
            y,
            updates=self.size.updates,
            learning_rate=state["optimizer/learning_rate"],
        )
        state["optimizer/iteration"] += self.size.updates
        return outputs

    def measure(self, state: State) -> Mapping[str, float]:
        return {"W": float(state["model/weight"]), "B": float(state["model/bias"])}
