"""The guide's "if and for loops just like Python": control flow that depends on tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from eager_vs_graph import Scenario, Size
from eager_vs_graph.scenario import Array, Feed, State

FIZZ, BUZZ, FIZZBUZZ = -3, -5, -15
"""Numbers for the words: a tensor of text could not be compiled by XLA."""


def collatz_steps(number: Any) -> Any:
    """Return in how many steps a number reaches 1 (OEIS A006577).

    An even number is halved, an odd one tripled and increased by 1. The conditions are tensors:
    nobody knows the number of steps before they are made.
    """
    steps = tf.constant(0)
    while number > 1:
        # In a v1 graph, `number % 2 == 0` asks whether two Python objects are the same one.
        if tf.equal(number % 2, 0):
            number //= 2
        else:
            number = 3 * number + 1
        steps += 1
    return steps


def fizzbuzz(number: Any) -> Any:
    """Return a number, or the word that stands for it when 3 or 5 divides it."""
    if tf.equal(number % 15, 0):
        said = FIZZBUZZ
    elif tf.equal(number % 3, 0):
        said = FIZZ
    elif tf.equal(number % 5, 0):
        said = BUZZ
    else:
        said = number
    return said


class PythonControlFlow(Scenario):
    """Run Python's for, while and if on tensors: collatz steps and fizzbuzz.

    Eager executes the Python; in a graph, AutoGraph makes while loops and conditionals of it. The
    feeds have the same shape and need different numbers of iterations, so that a graph whose trip
    count was fixed by tracing would be caught.
    """

    name = "python_control_flow"
    concept = "if, while and for on tensors"
    sizes = {
        "small": Size(count=4, below=30),
        "large": Size(count=100, below=10_000),
        "guide": Size(numbers=((1, 2, 3, 4, 5), (6, 7, 8, 9, 10), (11, 12, 13, 14, 15))),
    }
    default_sizes = ("small",)

    def inputs(self, rng: np.random.Generator) -> Sequence[Feed]:
        if "numbers" in self.size:
            return [{"numbers": np.array(five, np.int32)} for five in self.size.numbers]
        # On the way from a number below 10,000, none is above 27,114,424: an int32 holds them.
        count, below = self.size.count, self.size.below
        return [{"numbers": rng.integers(1, below, count, dtype=np.int32)} for _ in range(3)]

    def step(self, numbers: Any) -> Mapping[str, Any]:
        count = tf.size(numbers)
        # A list would collect the tensors of one traced iteration; a TensorArray is part of the
        # loop's state.
        steps = tf.TensorArray(tf.int32, count)
        said = tf.TensorArray(tf.int32, count)
        for i in tf.range(count):
            steps = steps.write(i, collatz_steps(numbers[i]))
            said = said.write(i, fizzbuzz(numbers[i]))
        return {"steps": steps.stack(), "said": said.stack()}

    def reference(self, state: State, numbers: Array) -> Mapping[str, Array]:
        return {
            "steps": np.array([len(collatz_path(int(number))) - 1 for number in numbers]),
            "said": np.select(
                [numbers % 15 == 0, numbers % 5 == 0, numbers % 3 == 0],
                [FIZZBUZZ, BUZZ, FIZZ],
                numbers,
            ),
        }


def collatz_path(number: int) -> list[int]:
    """Return the numbers from this one to 1."""
    path = [number]
    while path[-1] != 1:
        path.append(path[-1] // 2 if path[-1] % 2 == 0 else 3 * path[-1] + 1)
    return path
