"""The guide's gradient functions: derivatives of a function with respect to its arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from eager_vs_graph import Scenario, Size
from eager_vs_graph.scenario import Array, Feed, State

Function = Callable[..., Any]


def value_and_gradients_function(function: Function) -> Callable[..., tuple[Any, list[Any]]]:
    """Return a function that gives the value of another and its derivatives by each argument.

    A derivative is None where the value does not depend on the argument. This was
    ``tfe.value_and_gradients_function``; in TensorFlow 2, the tape is what there is.
    """

    def value_and_gradients(*arguments: Any) -> tuple[Any, list[Any]]:
        with tf.GradientTape() as tape:
            tape.watch(arguments)
            value = function(*arguments)
        return value, tape.gradient(value, list(arguments))

    return value_and_gradients


def gradients_function(function: Function) -> Callable[..., list[Any]]:
    """Return a function that gives the derivatives of another; see above."""

    def gradients(*arguments: Any) -> list[Any]:
        _, derivatives = value_and_gradients_function(function)(*arguments)
        return derivatives

    return gradients


def square(x: Any) -> Any:
    """Return x²."""
    return tf.multiply(x, x)


def absolute(x: Any) -> Any:
    """Return |x|, by a condition on a tensor."""
    return x if x > 0.0 else -x


def first_derivative(function: Function) -> Function:
    """Return a function of the first element of ``gradients_function``, to be derived again.

    The guide writes lambdas. AutoGraph reads a function's source, and cannot tell two lambdas of
    one signature on one line apart.
    """

    def derivative(x: Any) -> Any:
        return gradients_function(function)(x)[0]

    return derivative


class GradientFunctions(Scenario):
    """Differentiate functions by their arguments, three times over.

    The derivatives of x² are 2x, 2 and None: the second is a constant, on which no tape finds a way
    back to x. None is no tensor, and the output says whether it was None. |x| has an ``if`` on a
    tensor; x²y has two arguments, and its value comes along with its derivatives.
    """

    name = "gradient_functions"
    concept = "gradients with respect to arguments"
    sizes = {
        "small": Size(points=8),
        "guide": Size(x=(3.0,), y=(2.0,)),
    }
    default_sizes = ("small",)

    def inputs(self, rng: np.random.Generator) -> Sequence[Feed]:
        if "x" in self.size:
            points = zip(self.size.x, self.size.y, strict=True)
        else:
            points = zip(*rng.uniform(-2, 2, (2, self.size.points)), strict=True)
        return [{"x": np.array(x, np.float32), "y": np.array(y, np.float32)} for x, y in points]

    def step(self, x: Any, y: Any) -> Mapping[str, Any]:
        grad = first_derivative(square)
        gradgrad = first_derivative(grad)
        gradgradgrad = first_derivative(gradgrad)

        def product(x: Any, y: Any) -> Any:
            return square(x) * y

        value, (by_x, by_y) = value_and_gradients_function(product)(x, y)
        return {
            "square": square(x),
            "first": grad(x),
            "second": gradgrad(x),
            "third_is_none": tf.constant(gradgradgrad(x) is None),
            "abs_gradient": first_derivative(absolute)(x),
            "abs_gradient_opposite": first_derivative(absolute)(-x),
            "product": value,
            "product_by_x": by_x,
            "product_by_y": by_y,
        }

    def reference(self, state: State, x: Array, y: Array) -> Mapping[str, Array]:
        return {
            "square": x**2,
            "first": 2 * x,
            "second": np.array(2.0),
            "third_is_none": np.array(True),
            "abs_gradient": np.sign(x),
            "abs_gradient_opposite": -np.sign(x),
            "product": x**2 * y,
            "product_by_x": 2 * x * y,
            "product_by_y": x**2,
        }
