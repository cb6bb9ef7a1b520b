"""The guide's variables and optimizers: one line fitted by three update rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from eager_vs_graph import Goal, Scenario, Size, Tolerance
from eager_vs_graph.scenario import Array, Feed, State

INITIAL_WEIGHT, INITIAL_BIAS = 5.0, 10.0
TRUE_WEIGHT, TRUE_BIAS = 3.0, 2.0
LEARNING_RATE = 0.01
MOMENTUM = 0.9
BETA_1, BETA_2, EPSILON_HAT = 0.9, 0.999, 1e-7

ADAM_TENSORS = (
    "adam_loss",
    *(f"lines/adam/{parameter}" for parameter in ("weight", "bias")),
    *(
        f"optimizers/adam/{parameter}_{slot}"
        for parameter in ("weight", "bias")
        for slot in ("momentum", "velocity")
    ),
)


class Line(tf.Module):
    """The guide's model ``W x + B``: two variables in an object."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = tf.Variable(INITIAL_WEIGHT, name="weight")
        self.bias = tf.Variable(INITIAL_BIAS, name="bias")

    def __call__(self, inputs: Any) -> Any:
        """Return the line's value at each input."""
        return inputs * self.weight + self.bias


class VariablesAndOptimizers(Scenario):
    """Fit y = 3x + 2 + noise by SGD, momentum and Adam, with all their slot variables.

    One step makes ``updates`` updates of each of three lines, from weight 5 and bias 10, and
    returns their mean squared errors before the last update. Size ``guide`` reaches the guide's
    2,000 examples and 300 updates in three steps; its rate of 0.01 is that of all three rules.
    """

    name = "variables_and_optimizers"
    concept = "variables, optimizers and their slots"
    sizes = {
        "tiny": Size(examples=10, updates=10),
        "small": Size(examples=1_000, updates=1),
        "guide": Size(examples=2_000, updates=100),
    }
    default_sizes = ("small",)
    # Adam's steps are all near its rate, so that nothing pulls rounding errors back as in descent.
    # Between 8 and 16, float32 has a spacing of 2⁻²⁰, and an update rounds the bias by a standard
    # deviation of 2⁻²⁰/√12; 300 updates by δ = 4e-6. Six of them are 2.5e-5: 4e-6 of a bias of 7,
    # 1e-5 of a loss of 28 (2δ/√loss) and of the moments of its gradients.
    tolerance = dict.fromkeys(ADAM_TENSORS, Tolerance(rtol=1e-5, atol=1e-5))
    # After 300 updates of SGD, 0.98³⁰⁰ = 0.2 % of the way is left, 0.02 of the bias's 8; the
    # solution itself has a standard error of 1/√2000 = 0.022, and 0.12 leaves more than four of
    # them. Adam moves by about its rate in each update: not far enough in 300.
    goal = Goal(
        steps=3,
        expect={
            "sgd W": (2.88, 3.12),
            "sgd B": (1.88, 2.12),
            "momentum W": (2.88, 3.12),
            "momentum B": (1.88, 2.12),
        },
        sizes=("guide",),
    )

    def inputs(self, rng: np.random.Generator) -> Sequence[Feed]:
        x = rng.standard_normal(self.size.examples, dtype=np.float32)
        noise = rng.standard_normal(self.size.examples, dtype=np.float32)
        return [{"x": x, "y": TRUE_WEIGHT * x + TRUE_BIAS + noise}]

    def build(self) -> None:
        self.optimizers = {
            "sgd": tf.keras.optimizers.SGD(LEARNING_RATE),
            "momentum": tf.keras.optimizers.SGD(LEARNING_RATE, momentum=MOMENTUM),
            "adam": tf.keras.optimizers.Adam(LEARNING_RATE),
        }
        self.lines = {name: Line() for name in self.optimizers}
        for name, optimizer in self.optimizers.items():
            optimizer.build([self.lines[name].weight, self.lines[name].bias])

    def update(self, optimizer: Any, line: Line, x: Any, y: Any) -> Any:
        """Update a line once; return its mean squared error before."""
        variables = [line.weight, line.bias]
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(line(x) - y))
        gradients = tape.gradient(loss, variables)
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return loss

    def step(self, x: Any, y: Any) -> Mapping[str, Any]:
        losses = {f"{name}_loss": tf.constant(0.0) for name in self.optimizers}
        for _ in tf.range(self.size.updates):
            losses = {
                f"{name}_loss": self.update(optimizer, self.lines[name], x, y)
                for name, optimizer in self.optimizers.items()
            }
        return losses

    def reference(self, state: State, x: Array, y: Array) -> Mapping[str, Array]:
        rules = {"sgd": descend, "momentum": roll, "adam": adapt}
        losses = {}
        for _ in range(self.size.updates):
            for name, rule in rules.items():
                error = state[f"lines/{name}/weight"] * x + state[f"lines/{name}/bias"] - y
                losses[f"{name}_loss"] = np.mean(error**2)
                gradients = {"weight": 2 * np.mean(error * x), "bias": 2 * np.mean(error)}
                state[f"optimizers/{name}/iteration"] += 1
                for parameter, gradient in gradients.items():
                    rule(state, f"optimizers/{name}", f"lines/{name}", parameter, gradient)
        return losses

    def measure(self, state: State) -> Mapping[str, float]:
        return {
            f"{name} {letter}": float(state[f"lines/{name}/{parameter}"])
            for name in ("sgd", "momentum")
            for letter, parameter in (("W", "weight"), ("B", "bias"))
        }


def descend(state: State, optimizer: str, line: str, parameter: str, gradient: Any) -> None:
    """Gradient descent: w ← w − η g."""
    rate = state[f"{optimizer}/learning_rate"]
    state[f"{line}/{parameter}"] -= rate * gradient


def roll(state: State, optimizer: str, line: str, parameter: str, gradient: Any) -> None:
    """Classical momentum: v ← μ v − η g, w ← w + v (Sutskever et al. 2013, equations 1 and 2)."""
    velocity = f"{optimizer}/{parameter}_momentum"
    rate = state[f"{optimizer}/learning_rate"]
    state[velocity] = MOMENTUM * state[velocity] - rate * gradient
    state[f"{line}/{parameter}"] += state[velocity]


def adapt(state: State, optimizer: str, line: str, parameter: str, gradient: Any) -> None:
    """Adam: Kingma & Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015.

    Algorithm 1 in the order of computation given just before its section 2.1, which Keras follows:
    the bias correction goes into the rate, αₜ = α √(1 − β₂ᵗ) / (1 − β₁ᵗ), and epsilon is ε̂.

    Keras takes βᵗ of β in the variable's dtype. The float32 nearest to 0.999 is 1.3e-8 larger, so
    that 1 − β₂ᵗ is 1.3e-5 of itself smaller, and the correction is that of this β₂.
    """
    beta_1, beta_2 = (float(np.float32(beta)) for beta in (BETA_1, BETA_2))
    first, second = (f"{optimizer}/{parameter}_{slot}" for slot in ("momentum", "velocity"))
    t = int(state[f"{optimizer}/iteration"])
    rate = state[f"{optimizer}/learning_rate"] * np.sqrt(1 - beta_2**t) / (1 - beta_1**t)
    state[first] = BETA_1 * state[first] + (1 - BETA_1) * gradient
    state[second] = BETA_2 * state[second] + (1 - BETA_2) * gradient**2
    state[f"{line}/{parameter}"] -= rate * state[first] / (np.sqrt(state[second]) + EPSILON_HAT)
