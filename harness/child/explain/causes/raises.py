"""One of the two raises: which op or line it is, and why the other does not."""

from __future__ import annotations

import re
import sys
import traceback
from typing import Any

import numpy as np
import tensorflow as tf

from eager_vs_graph.child.explain import graphs
from eager_vs_graph.child.explain.conditions import PLAIN, Condition
from eager_vs_graph.child.explain.disagreement import Disagreement
from eager_vs_graph.child.explain.ops import line_of
from eager_vs_graph.child.explain.probes import MODES as LOOKED_INTO
from eager_vs_graph.child.explain.probes import Look, look
from eager_vs_graph.child.explain.source import KEEPS
from eager_vs_graph.child.user_files import is_users_file, place, users_frame
from eager_vs_graph.results.explanation import RAISES, XLA, Cause
from eager_vs_graph.scenario import Feed

_OP = re.compile(r"\[Op:(\w+)\]|\{\{node (?:\S*/)?(\w+?)(?:_\d+)?\}\}")
_ASSERTS = ("check_ops.py", "control_flow_assert.py", "assert_util.py")
_GATHERS = {"GatherV2": (0, 1), "ResourceGather": (0, 1)}
_CHECK = "check indices and conditions before the step, or leave out jit_compile for it"
_SINGLETON = "singleton tf.Variables"


def of_eager(disagreement: Disagreement) -> list[Cause]:
    """Why a mode returns where eager raises."""
    error = disagreement.eager.raised
    if error is None:
        return []
    op, line = _op_of(error), _line_of(disagreement, error)
    where = (line,) if line else ()
    text = disagreement.eager.error
    mode = disagreement.cell.mode
    if mode == "xla":
        plain = disagreement.observe(Condition(without_jit=True))
        if plain.error:
            return [_of_xla(disagreement, error, op, where, plain.error)]
    if op and op not in _executed(disagreement):
        return [
            Cause(
                RAISES,
                f"{op} is not run",
                f"the graph does not run the {op} that raises in eager: nothing reads its result",
                "return or use the result of the check, or put it into tf.control_dependencies",
                where=where,
                evidence=(
                    f"eager raises {text}",
                    f"the graph that {mode} executes has no {op}",
                ),
            )
        ]
    return [
        Cause(
            RAISES,
            type(error).__name__,
            f"eager raises and {mode} returns",
            "see the line: what it does depends on the mode",
            where=where,
            evidence=(f"eager raises {text}",),
        )
    ]


def of_mode(disagreement: Disagreement) -> list[Cause]:
    """Why a mode raises where eager returns, and no change of conditions helps."""
    error = disagreement.found.raised
    if error is None:
        return []
    line = _line_of(disagreement, error)
    mode = disagreement.cell.mode
    if _SINGLETON in str(error):
        made = _variables_made(disagreement)
        return [
            Cause(
                RAISES,
                "a variable made in each call",
                f"the step makes a tf.Variable in every call: eager makes it anew, {mode} refuses",
                "make the variable once, before the step, and use it in the step",
                where=tuple(dict.fromkeys(made)) or ((line,) if line else ()),
                evidence=(
                    f"in its second call eager makes {len(made)} "
                    f"{'variable' if len(made) == 1 else 'variables'}",
                    f"{mode} raises {disagreement.found.error}",
                ),
            )
        ]
    remedy = "see the line: what it does is not possible in a graph"
    kept: list[str] = []
    if type(error).__name__ == "InaccessibleTensorError":
        remedy = (
            "a loop over tensors becomes tf.while_loop, whose tensors cannot leave it in a Python "
            "list: collect them in a tf.TensorArray, or loop over a Python range"
        )
        kept = [each.place for each in disagreement.source.of_kind(KEEPS)]
    return [
        Cause(
            RAISES,
            type(error).__name__,
            f"{mode} raises and eager returns",
            remedy,
            where=tuple(dict.fromkeys([*kept, *([line] if line else [])])),
            evidence=(f"{mode} raises {disagreement.found.error}",),
        )
    ]


def _of_xla(
    disagreement: Disagreement, error: Exception, op: str, where: tuple[str, ...], plain: str
) -> Cause:
    text = disagreement.eager.error
    evidence = [f"eager raises {text}", f"the same graph, not compiled, raises {plain}"]
    files = [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
    if any(file.endswith(_ASSERTS) for file in files) or isinstance(error, AssertionError):
        return Cause(
            XLA,
            "an assertion is dropped",
            "compiled by XLA, the assertion has no effect: the step goes on and returns",
            _CHECK,
            where=where,
            evidence=tuple(evidence),
        )
    if op in _GATHERS and (clamped := _clamped(disagreement, op, where)):
        return Cause(
            XLA,
            "an index is clamped",
            f"compiled by XLA, {op} takes an index that is out of range for the nearest that is "
            "not, and returns",
            _CHECK,
            where=where,
            evidence=(*evidence, clamped),
        )
    if not op:
        return Cause(
            XLA,
            f"{type(error).__name__} is not raised",
            "compiled by XLA, the step returns where it raises otherwise",
            _CHECK,
            where=where,
            evidence=tuple(evidence),
        )
    return Cause(
        XLA,
        f"XLA's {op}",
        f"compiled by XLA, {op} returns a value where TensorFlow's kernel raises",
        _CHECK,
        where=where,
        evidence=tuple(evidence),
    )


def _clamped(disagreement: Disagreement, op: str, where: tuple[str, ...]) -> str:
    """Evidence that a compiled gather gave what clamped indices give; empty where it did not."""
    lab, cell = disagreement.lab, disagreement.cell
    if cell.mode not in LOOKED_INTO:
        return ""
    own = lab.scenario.source_file()
    try:
        first = look(lab, cell, PLAIN, 0)
        for number, each in enumerate(first.trace.ops):
            if each.type != op or each.graph is not first.trace.graph:
                continue
            line = line_of(each.operation, own)
            if where and line is not None and place(*line) not in where:
                continue
            seen = look(lab, cell, PLAIN, 0, [number])
            if text := _of_gather(first, each, seen, number, lab.subject.feeds[0]):
                return text
    except Exception:  # evidence that could not be had
        return ""
    return ""


def _of_gather(first: Look, op: Any, seen: Look, number: int, feed: Feed) -> str:
    values, indices = (op.operation.inputs[index] for index in _GATHERS[op.type])
    given = tf.get_static_value(indices)
    if given is None and indices.op.type == "Placeholder":
        given = feed.get(indices.op.name)
    size = values.shape[0] if values.shape.rank else None
    if given is None or size is None or not first.outputs:
        return ""
    given = np.asarray(given)
    outside = given[(given < 0) | (given >= size)]
    if not outside.size or number not in seen.values:
        return ""
    nearest = np.clip(outside.ravel()[0], 0, size - 1)
    return (
        f"{op.type} is given index {outside.ravel()[0]} of 0 to {size - 1} and returns what "
        f"stands at {nearest}: {np.ravel(seen.values[number][0])[:4]}"
    )


def _op_of(error: Exception) -> str:
    """The type of the op that raised, where the message names it."""
    match = _OP.search(str(error))
    return (match[1] or match[2]) if match else ""


def _line_of(disagreement: Disagreement, error: Exception) -> str:
    own = disagreement.lab.scenario.source_file()
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if is_users_file(frame.filename, own)
    ]
    if frames:
        return place(frames[-1].filename, frames[-1].lineno or 0)
    told = re.findall(r'File "([^"]+)", line (\d+)', str(error))
    users = [(file, int(number)) for file, number in told if is_users_file(file, own)]
    return place(*users[-1]) if users else ""


def _executed(disagreement: Disagreement) -> set[str]:
    """Types of the ops in the graphs that the mode executes; of nothing where they are hidden."""
    try:
        found = graphs.optimised(disagreement.lab, disagreement.cell)
    except Exception:
        return _Every()
    nodes = graphs.nodes(found)
    return {node.op for node in nodes.values()} if nodes else _Every()


class _Every(set[str]):
    """Holds everything."""

    def __contains__(self, _item: object) -> bool:
        return True


def _variables_made(disagreement: Disagreement) -> list[str]:
    """The user's lines at which an eager call makes variables, after the first call."""
    own = disagreement.lab.scenario.source_file()
    made: list[str] = []

    def creator(next_creator: Any, **settings: Any) -> Any:
        line = users_frame(sys._getframe(1), own)
        made.append(place(*line) if line else "a variable")
        return next_creator(**settings)

    cell = disagreement.cell.in_mode("eager")
    with disagreement.lab.running(cell, PLAIN) as running:
        running.step(0)
        with tf.variable_creator_scope(creator):
            running.step(1)
    return made
