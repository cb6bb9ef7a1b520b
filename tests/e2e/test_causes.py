"""Scenarios of known cause (``tests/causes``): the right word and cause, and no false alarm."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import NamedTuple

import numpy as np
import pytest
from commands import SUPPORT, python
from questions import CAUSES, CONTROLS, LONG_S, Question, ask, entries

from eager_vs_graph.catalog import find as catalog
from eager_vs_graph.catalog.selection import Selection
from eager_vs_graph.child.adopt.loading import load
from eager_vs_graph.child.explain.equal_work import unequal_work
from eager_vs_graph.child.explain.reproduce import script
from eager_vs_graph.child.parity import check as parity
from eager_vs_graph.modes import MODES
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.explanation import (
    DTYPE,
    GRAPPLER,
    MODE_BRANCH,
    ONEDNN,
    RANDOM_STREAMS,
    RETRACE,
    SHAPE,
    TRACE_TIME,
    UNEQUAL_WORK,
    XLA,
    Explanation,
    FreshResult,
)
from eager_vs_graph.results.record import TensorComparison
from eager_vs_graph.results.scripts import head, shown
from eager_vs_graph.runs import explain as inquiry
from eager_vs_graph.runs import process_conditions as fresh
from eager_vs_graph.runs.progress import Progress


class Known(NamedTuple):
    """What is expected of a scenario."""

    status: str
    cause: str
    what: str
    where: str = ""
    """Part of a line that is named."""
    mode: str = "function"


KNOWN = {
    "lost_epsilon": Known("differs", GRAPPLER, "constant_folding"),
    "reciprocal": Known("close", GRAPPLER, "constant_folding"),
    "involution": Known("close", GRAPPLER, "arithmetic_optimization"),
    "softplus": Known("differs", GRAPPLER, "arithmetic_optimization"),
    "expm1_training": Known("close", GRAPPLER, "arithmetic_optimization"),
    "monotone": Known("differs", GRAPPLER, "arithmetic_optimization"),
    "power_half": Known("differs", GRAPPLER, "arithmetic_optimization"),
    "two_passes": Known("differs", GRAPPLER, "constant_folding"),
    "fused_dense": Known("close", GRAPPLER, "", mode="session"),
    "frozen_counter": Known("differs", TRACE_TIME, "self.calls", "self.calls += 1"),
    "decaying_rate": Known("differs", TRACE_TIME, "self.rate", "self.rate *= 0.5"),
    "growing_list": Known("differs", TRACE_TIME, "HISTORY", "HISTORY.append(1)"),
    "numpy_noise": Known("differs", TRACE_TIME, "np.random", "np.random.normal(size=3)"),
    "python_noise": Known("differs", TRACE_TIME, "random", "random.random()"),
    "own_generator": Known("differs", TRACE_TIME, "self.rng", "self.rng.normal()"),
    "mutable_default": Known("differs", TRACE_TIME, "seen (of remembered)", "seen.append"),
    "clock": Known("differs", TRACE_TIME, "time.time", "time.time()"),
    "next_of_iterator": Known("differs", TRACE_TIME, "", "next(self.values)"),
    "closure_counter": Known("differs", TRACE_TIME, "calls (of self.scale)", "calls += 1"),
    "kept_tensor": Known("differs", TRACE_TIME, "self.last", "self.last = x"),
    "warmup": Known("differs", TRACE_TIME, "self.steps_done", "self.steps_done += 1"),
    "random_stream": Known(
        "differs", RANDOM_STREAMS, "RandomStandardNormal", "tf.random.normal([3])"
    ),
    "seeded_op": Known("differs", RANDOM_STREAMS, "RandomUniform", "seed=1"),
    "shuffled_batch": Known("differs", RANDOM_STREAMS, "RandomShuffle", "shuffle(x)"),
    "asks_the_mode": Known("differs", MODE_BRANCH, "tf.executing_eagerly", "executing_eagerly()"),
    "float64_in_graph": Known("differs", DTYPE, "float64", "tf.cast(x, tf.float64)"),
    "masked_length": Known("differs", SHAPE, "kept", "kept.shape[0] or 1"),
    "static_batch": Known("differs", SHAPE, "x", "x.shape[0] is None", mode="session"),
    "batch_lengths": Known("identical", RETRACE, "x"),
    "python_argument": Known("identical", RETRACE, "factor", "self.scaled(x", mode="eager"),
    "made_anew": Known("identical", RETRACE, "each call", "tf.function(lambda", mode="eager"),
    "silent_log": Known("identical", UNEQUAL_WORK, "self.log", "self.log.append"),
    "dropped_result": Known("identical", UNEQUAL_WORK, "dropped", "_unused = tf.matmul(x, x)"),
    "folded_inputs": Known("identical", UNEQUAL_WORK, "constant", "table = tf.matmul"),
    "same_again": Known("identical", UNEQUAL_WORK, "repeated"),
    "reads_the_last_slice": Known(
        "identical", UNEQUAL_WORK, "dropped", "_unread = tf.linalg.matvec(x, x[row])"
    ),
    "slices_nobody_reads": Known(
        "identical", UNEQUAL_WORK, "dropped", "y = tf.tile(x[row], [32]) * 2.0"
    ),
    "numpy_work": Known("identical", UNEQUAL_WORK, "Python"),
    "argmin_of_relu": Known("differs", GRAPPLER, "arithmetic_optimization"),
    "add_and_take_away": Known("differs", GRAPPLER, "constant_folding"),
    "divided_by_constant": Known("close", GRAPPLER, "constant_folding", mode="session"),
    "power_minus_half": Known("close", GRAPPLER, "arithmetic_optimization"),
    "cast_of_nan": Known("differs", XLA, "jit_compile", mode="xla"),
    "cast_to_byte": Known("differs", XLA, "XLA's Cast", "tf.cast(x, tf.uint8)", mode="xla"),
    "top_of_nan": Known("differs", XLA, "XLA's TopKV2", "tf.nn.top_k", mode="xla"),
    "half_precision_chain": Known("differs", XLA, "jit_compile", mode="xla"),
    "object_counts": Known("differs", TRACE_TIME, "self.holder", "holder.value += 1"),
    "dictionary_counts": Known("differs", TRACE_TIME, "self.stats", 'stats["calls"] += 1'),
    "numpy_coin": Known("differs", TRACE_TIME, "np.random", "np.random.rand() > 0.5"),
    "stamped": Known("differs", TRACE_TIME, "datetime.now", "datetime.now()"),
    "annealed_layer": Known(
        "differs", TRACE_TIME, "self.layer.temperature", "self.temperature = max("
    ),
    "keras_layer_counts": Known("differs", TRACE_TIME, "self.layer.calls", "self.calls += 1"),
    "nn_dropout": Known("differs", RANDOM_STREAMS, "RandomUniform", "tf.nn.dropout(x"),
    "truncated_in_helper": Known("differs", RANDOM_STREAMS, "TruncatedNormal", "truncated_normal("),
    "batch_decides": Known("differs", SHAPE, "x", "x.shape[0] or 0", mode="session"),
    "unique_length": Known("differs", SHAPE, "found", "found.shape[0]"),
    "inside_function": Known("differs", MODE_BRANCH, "tf.inside_function", "tf.inside_function()"),
    "helper_counts": Known("differs", TRACE_TIME, "noise_helpers.COUNT", 'COUNT["calls"] += 1'),
    "helper_draws": Known("differs", TRACE_TIME, "noise_helpers.RNG", "RNG.normal("),
    "dropped_gradient": Known("identical", UNEQUAL_WORK, "dropped", "tape.gradient(loss"),
    "body_of_forty": Known("identical", UNEQUAL_WORK, "self.rows", "self.rows += 1"),
    "xla_moments": Known("differs", XLA, "XLA's Mean", "tf.nn.moments", mode="xla"),
}
SLOW = ("weighted_histogram", "fused_tanh")
"""Causes that need a fresh process; of the first, test_disagreements.py asks the command line."""
MOVES_ON = ("dataset_next",)
"""What moves on in every mode alike, since each has an iterator of its own."""
OF_WORK = (RETRACE, UNEQUAL_WORK)
SHOWN = [name for name, known in KNOWN.items() if known.cause not in OF_WORK]
"""Disagreements that a script can show: those of values."""
VARYING = ("clock", "stamped")
"""Values that are others in every process."""


@cache
def explained(name: str, mode: str) -> tuple[Explanation, str]:
    """The explanation of a scenario's mode, and its script where there is something to show."""
    subject, explanation = ask(Question(name, mode=mode, in_processes=False))
    if not explanation.tensors:
        return explanation, ""
    return explanation, f"{head(explanation)}{script(subject, explanation)}"


def test_every_scenario_of_the_folder_has_a_known_cause():
    assert {*KNOWN, *SLOW, *MOVES_ON} == entries(CAUSES).keys()
    assert len(entries(CONTROLS)) >= 10


@pytest.mark.parametrize("name", KNOWN)
def test_the_known_cause_is_named(name):
    known = KNOWN[name]
    if known.mode not in MODES:
        pytest.skip(f"there is no mode {known.mode}")
    explanation, _script = explained(name, known.mode)
    assert explanation.status == known.status, explanation
    causes = explanation.named(known.cause)
    assert causes, explanation
    assert any(known.what in cause.what for cause in causes), causes
    assert any(known.where in line for cause in causes for line in (*cause.where, "")), causes
    assert all(cause.remedy and cause.evidence for cause in explanation.causes)
    assert not explanation.unexplained


@pytest.mark.parametrize("name", entries(CONTROLS))
def test_nothing_is_found_where_modes_agree(name):
    explanation, _script = explained(name, "function")
    assert explanation.status in ("identical", "close"), explanation
    assert not explanation.causes
    assert not explanation.unexplained


@pytest.mark.parametrize("name", MOVES_ON)
def test_what_moves_on_in_every_mode_alike_has_no_cause(name):
    explanation, _script = explained(name, "function")
    assert not explanation.tensors
    assert not explanation.causes


def test_causes_of_values_name_no_more_than_the_tensors_that_they_change():
    (cause,) = explained("random_stream", "function")[0].named(RANDOM_STREAMS)
    assert cause.tensors == ("y",)
    by_pass = {c.what: c.tensors for c in explained("two_passes", "function")[0].named(GRAPPLER)}
    assert by_pass == {"constant_folding": ("eps",), "arithmetic_optimization": ("soft",)}


def test_the_reference_says_who_is_right():
    (judged,) = explained("lost_epsilon", "function")[0].judgements
    assert judged.verdict.startswith("eager is right to")
    assert judged.verdict.endswith("function has lost all digits")
    (judged,) = explained("softplus", "function")[0].judgements
    assert judged.verdict.startswith("function is right to")
    assert judged.verdict.endswith("eager has lost all digits")


def test_the_evidence_of_a_pass_shows_the_ops_before_and_after():
    (cause,) = explained("expm1_training", "function")[0].named(GRAPPLER)
    assert any("Expm1" in line for line in cause.evidence), cause.evidence
    assert any("without arithmetic_optimization" in line for line in cause.evidence)


def test_training_that_parts_more_and_more_is_said_to_grow():
    explanation, _script = explained("expm1_training", "function")
    (output,) = [tensor for tensor in explanation.tensors if tensor.kind == "output"]
    assert output.first_step == 0
    assert output.grows is True
    assert len(output.by_step) == 5


@pytest.fixture(scope="module")
def scripts(tmp_path_factory):
    """Every script, run by itself: a fresh process each, where the harness cannot be imported."""
    folder = tmp_path_factory.mktemp("scripts")
    for name in SHOWN:
        (folder / f"{name}.py").write_text(explained(name, KNOWN[name].mode)[1], encoding="utf-8")
    done = python("-I", SUPPORT / "run_scripts.py", folder, cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("name", SHOWN)
def test_a_script_shows_by_itself_what_it_claims(scripts, name):
    code, out, err = (
        (scripts / f"{name}.{suffix}").read_text(encoding="utf-8")
        for suffix in ("code", "out", "err")
    )
    assert code == "0", err
    known = KNOWN[name]
    tensor = shown(explained(name, known.mode)[0])
    lines = dict(line.split(": ", 1) for line in out.splitlines() if ": " in line)
    assert "different" in lines, out
    if known.cause == DTYPE:
        assert lines["different"] == "float32(3,) and float64(3,)"
    elif known.cause != RANDOM_STREAMS and name not in VARYING:
        # The same seeds do not promise the same streams.
        assert_equal(lines["eager"], tensor.reference)
        assert_equal(lines["eager again" if known.mode == "eager" else known.mode], tensor.value)


def assert_equal(printed: str, expected: str | None) -> None:
    assert np.array_equal(float(printed), float(expected or 0), equal_nan=True)


def test_the_script_of_a_pass_shows_eagers_value_without_it(scripts):
    out = (scripts / "argmin_of_relu.out").read_text(encoding="utf-8").splitlines()
    assert "function without arithmetic_optimization: 1" in out


@pytest.mark.parametrize(
    ("name", "reason"),
    [("dropped_result", "the graph never: nobody reads what it gives"), ("control_matmul", None)],
)
def test_unequal_work_can_be_asked_for_by_itself(name, reason):
    scenario = load({**entries(CAUSES), **entries(CONTROLS)}[name])
    cell = Cell(name, "small", "function", "CPU:0", "resident")
    found = unequal_work(parity.subject(scenario, "small"), cell)
    assert (reason in found[0]) if reason else not found


def test_onednn_is_named_where_its_kernel_is_what_a_pass_puts(tmp_path):
    (entry,) = catalog.entries([CAUSES / "onednn.py"])
    selection = Selection([entry], list(entry.sizes), ["function"], ["CPU:0"], ["resident"])
    request = inquiry.ExplainRequest(selection, seconds=LONG_S)
    answers = inquiry.explain(request, tmp_path, Progress()).explanations
    found = next(each for each in answers if Cell.parse(each.cell).mode == "function")
    assert found.status in ("identical", "close", "differs"), found
    if not found.tensors:  # this processor's kernels round alike
        assert not found.causes
        return
    assert [cause.what for cause in found.named(GRAPPLER)] == ["remapping"], found
    fused = any("_FusedMatMul" in line for cause in found.causes for line in cause.evidence)
    assert bool(found.named(ONEDNN)) <= fused, found


STILL_OPEN = Explanation(
    "s/tiny/function/CPU:0/resident",
    "differs",
    tensors=(TensorComparison("y", "output", "eager", "differs", value="2.0", reference="1.0"),),
    unexplained=("y",),
)


def fresh_result(condition, against="differs", again="identical", error=""):
    words = {} if error else {"y": against}
    return FreshResult(condition, STILL_OPEN.cell, words, {"y": again}, {}, error)


@pytest.mark.parametrize(
    ("unsteady", "results", "cause"),
    [
        ((), [fresh_result(fresh.NO_ONEDNN, "identical")], "onednn"),
        ((), [fresh_result(fresh.NO_ONEDNN), fresh_result(fresh.ONE_THREAD, "close")], "threads"),
        (("y",), [fresh_result(fresh.DETERMINISM)], "nondeterminism"),
        (("y",), [fresh_result(fresh.DETERMINISM, again="differs")], None),
        ((), [fresh_result(fresh.NO_ONEDNN), fresh_result(fresh.ONE_THREAD)], None),
    ],
)
def test_what_follows_from_fresh_processes(unsteady, results, cause):
    found = fresh.conclude(replace(STILL_OPEN, unsteady=unsteady), results)
    assert [each.name for each in found.causes] == ([cause] if cause else [])
    assert found.unexplained == (() if cause else ("y",))
    assert cause or len(found.excluded) == len(results)


def test_op_determinism_that_refuses_is_told_as_tried():
    refused = fresh_result(fresh.DETERMINISM, error="UnimplementedError: no such kernel")
    steady = fresh_result(fresh.ONE_THREAD)
    found = fresh.conclude(replace(STILL_OPEN, unsteady=("y",)), [refused, steady])
    (cause,) = found.causes
    assert cause.name == "nondeterminism"
    assert any("UnimplementedError" in line for line in cause.evidence)
