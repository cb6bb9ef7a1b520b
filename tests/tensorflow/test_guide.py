"""The guide's own values, in every mode that runs the scenario.

A scenario's row goes into ``GUIDE``; nothing else has to be touched. A mode that cannot run a
scenario is named in its row, with what TensorFlow says.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from workbench import GRAPHS, WHOLE, built_in, program, words

from eager_vs_graph.child.parity.trajectory import of_program
from eager_vs_graph.modes import MODES
from eager_vs_graph.results.cells import INPUTS

NO_VALUE = (
    r"NotImplementedError: Cannot convert a symbolic tf\.Tensor \(a:0\) to a numpy array\..*"
    r"\(numpy_interop\.py:\d+\); a graph's tensor has no value while the step is traced, and "
    r"tf\.numpy_function calls NumPy when it has one"
)


NEEDS_PYTHON = {
    "xla": r"InvalidArgumentError: Detected unsupported operations .*PyFunc.*XLA_CPU_JIT.*",
    "saved_model": r"does not deploy: Could not find callback with key=pyfunc_\d+ .*",
    "saved_model_session": r"does not deploy: Could not find callback with key=pyfunc_\d+ .*",
    "session_remote": r".*Could not find callback with key=pyfunc_\d+ in the registry.*",
}
"""What modes say that cannot call the Python function of this process."""


@dataclass(frozen=True)
class Guide:
    """What the guide says of a scenario.

    Attributes:
        scenario: its name.
        outputs: the values it gives, by output, step after step from the initial state.
        state: values of variables after the last of these steps.
        within: how far a value may be off; 0 means exactly.
        refused: what a mode says that cannot run it, as a regular expression.
        size: the size that has the guide's parameters.
    """

    scenario: str
    outputs: Sequence[Mapping[str, Any]]
    state: Mapping[str, Any] = field(default_factory=dict)
    within: float = 0.0
    refused: Mapping[str, str] = field(default_factory=dict)
    size: str = "guide"


GUIDE = (
    Guide("hello_matmul", [{"m": [[4.0]]}]),
    Guide(
        "numpy_interop",
        [
            {
                "sum": [[2, 3], [4, 5]],
                "product": [[2, 6], [12, 20]],
                "numpy_product": [[2, 6], [12, 20]],
                "numpy_value": [[1, 2], [3, 4]],
            }
        ],
        refused=dict.fromkeys(GRAPHS, NO_VALUE),
    ),
    Guide(
        "numpy_bridge",
        [
            {
                "sum": [[2, 3], [4, 5]],
                "product": [[2, 6], [12, 20]],
                "numpy_product": [[2, 6], [12, 20]],
                "numpy_value": [[1, 2], [3, 4]],
            }
        ],
        refused=NEEDS_PYTHON,
    ),
    Guide(
        "python_control_flow",
        [  # steps: OEIS A006577; −3 is Fizz, −5 Buzz, −15 FizzBuzz
            {"steps": [0, 1, 7, 2, 5], "said": [1, 2, -3, 4, -5]},
            {"steps": [8, 16, 3, 19, 6], "said": [-3, 7, 8, -3, -5]},
            {"steps": [14, 9, 9, 17, 17], "said": [11, -3, 13, 14, -15]},
        ],
    ),
    Guide(
        "gradient_tape",
        [
            {
                "gradient": [[2.0]],
                "second_use_raises": True,
                "gradient_of_square": [[2.0]],
                "gradient_of_cube": [[3.0]],
            }
        ],
    ),
    Guide(
        "metrics",
        [{"keras_mean": 2.5, "own_mean": 2.5}, {"keras_mean": 5.5, "own_mean": 5.5}],
        {"own_mean/total": 22.0, "own_mean/count": 4},
    ),
    Guide(
        "line_search",
        [
            # f(x) = x² from x = 3: the rate 1 leads to −3, the rate 1/2 to the minimum.
            {"x": [0.0], "value": 0.0, "rate": 0.25, "tried": 2},
            {"x": [0.0], "value": 0.0, "rate": 1.0, "tried": 0},
        ],
    ),
    Guide(
        "gradient_functions",
        [
            {
                "square": 9.0,
                "first": 6.0,
                "second": 2.0,
                "third_is_none": True,
                "abs_gradient": 1.0,
                "abs_gradient_opposite": -1.0,
                "product": 18.0,
                "product_by_x": 12.0,
                "product_by_y": 9.0,
            }
        ],
    ),
    Guide(
        "gradient_clipping",
        [  # the gradient (3, 4) has norm 5: clipped to 1, to 1.001 · 5, and where it is zero
            {"value": 12.5, "plain_gradient": [3.0, 4.0], "clipped_gradient": [0.6, 0.8]},
            {"value": 12.5, "plain_gradient": [3.0, 4.0], "clipped_gradient": [3.0, 4.0]},
            {"value": 0.0, "plain_gradient": [0.0, 0.0], "clipped_gradient": [0.0, 0.0]},
        ],
        within=1e-6,
    ),
    Guide(
        "straight_through",
        [  # of 0.4, 0.6, 1.5, 2.5, −1.2 and −0.4; halves are rounded to even
            {
                "custom_value": [0, 1, 2, 2, -1, 0],
                "stopped_value": [0, 1, 2, 2, -1, 0],
                "custom_gradient": [0, 2, 4, 8, -2, 0],
                "stopped_gradient": [0, 2, 4, 8, -2, 0],
            }
        ],
    ),
    Guide(
        "py_func_bridge",
        [{"eager_call": [[4.0]], "numpy_call": [[4.0]], "gradient": [[4.0]]}],
        refused=NEEDS_PYTHON,
    ),
)

# The modes of the default grid differ by policy in what Grappler knows of the inputs.
RUNS = [(m, i) for m in WHOLE for i in INPUTS if MODES[m].default or i == "resident"]


def assert_values(found: Mapping[str, Any], expected: Mapping[str, Any], within: float) -> None:
    for name, value in expected.items():
        assert np.shape(found[name]) == np.shape(value), name
        np.testing.assert_allclose(found[name], value, rtol=0, atol=within, err_msg=name)


@pytest.mark.parametrize(("mode", "inputs"), RUNS)
@pytest.mark.parametrize("guide", GUIDE, ids=lambda guide: guide.scenario)
def test_a_mode_gives_the_guides_values(guide, mode, inputs):
    scenario = built_in(guide.scenario)
    if mode in guide.refused:
        cell = words(scenario, [mode], inputs, guide.size)[mode]
        assert cell.status == "unsupported"
        assert re.fullmatch(guide.refused[mode], cell.reason), cell.reason
        return
    built = program(scenario, mode, inputs, guide.size)
    found = of_program(built, built.state(), built.task.feeds, len(guide.outputs))
    built.close()
    for outputs, expected in zip(found.outputs, guide.outputs, strict=True):
        assert_values(outputs, expected, guide.within)
    assert_values(found.state, guide.state, guide.within)
