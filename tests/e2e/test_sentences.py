"""Every sentence that can be printed as a cause: a program of which it is right, and one of which
it must not be said.

The sentences are read from the source of ``harness/child/explain/causes``: a new one fails here
until it has both.
"""

from __future__ import annotations

import ast
import atexit
import re
import time
from functools import cache
from typing import NamedTuple

import pytest
from commands import REPOSITORY

from eager_vs_graph.catalog import find as catalog
from eager_vs_graph.catalog.user_code import entries_of
from eager_vs_graph.child.adopt.loading import load
from eager_vs_graph.child.explain import engine
from eager_vs_graph.child.explain.isolated import Workers
from eager_vs_graph.child.explaining import isolate
from eager_vs_graph.child.parity import check as parity
from eager_vs_graph.results.cells import Cell

OTHERS = REPOSITORY / "tests" / "reports_of_others"
CAUSES = REPOSITORY / "tests" / "causes"
SOURCE = REPOSITORY / "harness" / "child" / "explain"
TABLES = ("_SUMMARIES", "_MEANINGS", "_DECIDES")
"""Names of constants that hold sentences, or parts of them."""

WORKERS = Workers()
"""Made when tests are collected: no op has run by then."""
atexit.register(WORKERS.close)


class Case(NamedTuple):
    """A program in a mode; a name without a colon is a scenario of ``tests/causes``."""

    program: str
    arguments: tuple[str, ...] = ("float32[4]",)
    mode: str = "function"
    in_processes: bool = True
    """Whether experiments may have processes of their own."""


class Said(NamedTuple):
    """A sentence as its source has it, and where it is right and where it is not."""

    pattern: str
    """A regular expression of what is printed."""
    right: Case
    silent: Case


def of(program, inputs, mode="function", **options):
    return Case(program, (f"inputs:{inputs}",), mode, **options)


ROUNDS = of("optimised:scaled_twice", "rates", "session")
SMALLEST = of("optimised:smallest_of_relu", "ties")
SENTENCES = {
    "AutoGraph's rewriting gives": Said(
        "AutoGraph's rewriting gives the step's Python another meaning",
        Case("python_side:lambdas"),
        Case("agreeing:lambdas_with_their_value"),
    ),
    "the step computes in {}": Said(
        "the step computes in float32 eagerly and in float64",
        Case("python_side:widens"),
        of("agreeing:clipped_byte", "out_of_a_byte"),
    ),
    "Grappler's {} rewrites the graph into one that rounds differently": Said(
        "rewrites the graph into one that rounds differently", ROUNDS, SMALLEST
    ),
    "Grappler's {} rewrites a formula into one that keeps other digits": Said(
        "rewrites a formula into one that keeps other digits",
        of("optimised:soft_plus", "spread"),
        ROUNDS,
    ),
    "Grappler's {} rewrites a formula so that NaN": Said(
        "rewrites a formula so that NaN or infinity",
        of("optimised:negative_log_probability", "beta"),
        of("optimised:soft_plus", "spread"),
    ),
    "Grappler's {} changes what the graph means": Said(
        "changes what the graph means", SMALLEST, ROUNDS
    ),
    "Grappler's {} rewrites {}, which gives other digits": Said(
        "and what follows decides by them: a comparison",
        of("optimised:decides_on_cancelled", "signs"),
        SMALLEST,
    ),
    "the step asks in which mode": Said(
        "the step asks in which mode it runs",
        Case("python_side:asks_if_eager"),
        Case("agreeing:early_return"),
    ),
    "compiled by XLA, {} returns a value": Said(
        "compiled by XLA, FloorDiv returns a value where TensorFlow's kernel raises",
        of("compiled:divided_by_zero", "zeros_among", "xla"),
        of("agreeing:whole_numbers", "numbers", "xla"),
    ),
    "compiled by XLA, the step returns where": Said(
        "compiled by XLA, the step returns where it raises otherwise",
        of("compiled:reads_beyond", "two_rows", "xla"),
        of("compiled:divided_by_zero", "zeros_among", "xla"),
    ),
    "{} raises and eager returns": Said(
        "function raises and eager returns",
        of("python_side:digits", "numbers"),
        Case("agreeing:tensor_array"),
    ),
    "compiled by XLA, the assertion has no effect": Said(
        "the assertion has no effect",
        Case("compiled:asserts", mode="xla"),
        Case("agreeing:asserts_what_holds", mode="xla"),
    ),
    "compiled by XLA, {} takes an index": Said(
        "takes an index that is out of range for the nearest",
        of("compiled:gather_beyond", "index_beyond", "xla"),
        Case("agreeing:gathers_within", mode="xla"),
    ),
    "eager raises and {} returns": Said(
        "eager raises and function returns",
        Case("python_side:raises_in_eager_only"),
        Case("agreeing:gathers_within"),
    ),
    "the graph does not run the {}": Said(
        "the graph does not run the GatherV2 that raises in eager",
        Case("python_side:check_that_nobody_reads"),
        Case("agreeing:gathers_within"),
    ),
    "the step makes a tf.Variable": Said(
        "the step makes a tf.Variable in every call",
        Case("python_side:variable_in_call"),
        Case("agreeing:counts_in_a_variable"),
    ),
    "random ops draw other numbers": Said(
        "random ops draw other numbers", Case("randomness:unseeded"), Case("agreeing:stateless")
    ),
    "{} is traced again in every call": Said(
        "is traced again in every call: its argument",
        Case("python_argument", mode="eager"),
        Case("control_inner_function", mode="eager"),
    ),
    "the step is traced again for every new shape": Said(
        "the step is traced again for every new shape of x",
        Case("batch_lengths"),
        Case("control_doubling"),
    ),
    "the step makes a tf.function anew": Said(
        "the step makes a tf.function anew in each call",
        Case("made_anew", mode="eager"),
        Case("control_inner_function", mode="eager"),
    ),
    "SUMMARY of changes {}": Said(
        "every eager step changes .*; a graph keeps",
        Case("python_side:make_solver", ("float32[4,1]",)),
        Case("agreeing:counts_in_a_variable"),
    ),
    "SUMMARY of makes a Python value anew": Said(
        "every eager step makes a Python value anew",
        Case("python_side:counts_out_of_sight"),
        Case("agreeing:counts_in_a_variable"),
    ),
    "SUMMARY of calls {}": Said(
        "every eager step calls time.time; a graph keeps",
        Case("python_side:stamped"),
        Case("agreeing:with_a_generator"),
    ),
    "{} gives something else in every run": Said(
        "time.time gives something else in every run",
        Case("python_side:stamped", mode="eager"),
        Case("agreeing:with_a_generator", mode="eager"),
    ),
    "Python reads a shape": Said(
        "Python reads a shape that tracing does not know",
        of("python_side:mean_of_kept", "signs"),
        of("agreeing:length_in_the_graph", "signs"),
    ),
    "one call does not do the same work": Said(
        "one call does not do the same work in both modes",
        Case("dropped_result"),
        Case("control_little_is_left_out"),
    ),
    "with XLA's {} off, {} agrees with eager: {}": Said(
        "with XLA's HLO pass .* off, xla agrees with eager",
        of("compiled:there_and_back", "beyond_exp", "xla"),
        of("compiled:to_byte", "out_of_a_byte", "xla"),
    ),
    "it is rounding": Said(
        "agrees with eager: it is rounding",
        of("compiled:divided_with_rest", "large_and_three", "xla"),
        of("compiled:small_numbers", "small_numbers", "xla"),
    ),
    "its formula is equal for real numbers": Said(
        "its formula is equal for real numbers",
        Case("compiled:halves", ("float32[8,8]",), "xla"),
        of("compiled:divided_with_rest", "large_and_three", "xla"),
    ),
    "NaN or infinity comes out of one side only": Said(
        "agrees with eager: NaN or infinity comes out of one side only",
        of("compiled:there_and_back", "beyond_exp", "xla"),
        of("compiled:small_numbers", "small_numbers", "xla"),
    ),
    "it is not rounding: the result is another one": Said(
        "agrees with eager: it is not rounding",
        of("compiled:small_numbers", "small_numbers", "xla"),
        of("compiled:there_and_back", "beyond_exp", "xla"),
    ),
    "{} gives other digits, and what follows decides by them": Said(
        "gives other digits, and what follows decides by them",
        Case("compiled:decides_after_rounding", ("float32[8,8]",), "xla"),
        of("compiled:small_numbers", "small_numbers", "xla"),
    ),
    "XLA's own {} gives another result": Said(
        "XLA's own ArgMax gives another result than TensorFlow's kernel",
        of("compiled:best", "with_nan", "xla"),
        Case("agreeing:largest_of_numbers", ("float32[6]",), "xla"),
    ),
    ": it rounds differently": Said(
        "than TensorFlow's kernel: it rounds differently",
        of("compiled:tan_of_cosh", "angles", "xla"),
        of("compiled:best", "with_nan", "xla"),
    ),
    " for NaN{}": Said(
        "than TensorFlow's kernel for NaN",
        of("compiled:largest", "nan_first", "xla"),
        of("compiled:to_byte", "out_of_a_byte", "xla"),
    ),
    " for a number that is out of {}'s range": Said(
        "for a number that is out of uint8's range",
        of("compiled:to_byte", "out_of_a_byte", "xla"),
        of("agreeing:clipped_byte", "out_of_a_byte", "xla"),
    ),
    "compiling makes the difference": Said(
        "compiling makes the difference; which part of XLA was not found",
        of("compiled:small_numbers", "small_numbers", "xla", in_processes=False),
        of("compiled:small_numbers", "small_numbers", "xla"),
    ),
}
NOT_REACHED = {
    "Grappler's passes change the values together": "tests/tensorflow/test_grappler_passes.py",
    " for an infinity": "tests/tensorflow/test_op_alone_reasons.py",
    ", which is in the branch that tf.where does not select{}": (
        "tests/tensorflow/test_op_alone_reasons.py"
    ),
}
"""Sentences that other tests are about, and which."""


def templates():
    """Every sentence of the causes' source, with ``{}`` for what is filled in."""
    found = set()
    for file in sorted((SOURCE / "causes").glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id="Cause"), args=[_, _, summary, *_]):
                    found.update(_texts(summary))
                case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in TABLES:
                    values = value.values if isinstance(value, ast.Dict) else [value]
                    found.update(text for each in values for text in _texts(each))
                case ast.Assign(targets=[ast.Name(id="summary" | "meaning")], value=value):
                    found.update(_texts(value))
                case ast.FunctionDef(name="_why" | "_unselected"):
                    for each in ast.walk(node):
                        if isinstance(each, ast.Return) and each.value is not None:
                            found.update(_texts(each.value))
    return found - {""}


def _texts(node):
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.JoinedStr(values=parts):
            return ["".join(p.value if isinstance(p, ast.Constant) else "{}" for p in parts)]
        case ast.BinOp(left=left):
            return _texts(left)
        case ast.IfExp(body=body, orelse=orelse):
            return [*_texts(body), *_texts(orelse)]
        case ast.Call(func=ast.Attribute(value=ast.Name(id="SUMMARY"), attr="format"), args=args):
            return [f"SUMMARY of {text}" for text in _texts(args[0])]
        case ast.Name() | ast.Subscript() | ast.Call():
            return []
    raise AssertionError(f"a sentence of a kind that this test does not read: {ast.dump(node)}")


def test_every_sentence_has_a_case_in_which_it_is_right_and_one_in_which_it_is_not():
    known = {*SENTENCES, *NOT_REACHED}
    missing = [text for text in templates() if not any(text.startswith(each) for each in known)]
    assert not missing
    gone = [each for each in known if not any(text.startswith(each) for text in templates())]
    assert not gone
    assert all((REPOSITORY / file).is_file() for file in NOT_REACHED.values())


@cache
def said(case: Case) -> tuple[str, ...]:
    """The sentences of a case's causes, and whether it had any."""
    if ":" in case.program:
        path = [str(OTHERS)]
        entry = entries_of(case.program, arguments=case.arguments, path=path)[0]
    else:
        every = catalog.entries([CAUSES]) + catalog.entries([CAUSES / "controls"])
        (entry,) = [each for each in every if each.name == case.program]
    scenario = load(entry)
    (size,) = entry.sizes
    cell = Cell(entry.name, size, case.mode, "CPU:0", "resident")
    subject = parity.subject(scenario, size)
    found = engine.explain(
        subject,
        [cell],
        time.monotonic() + 600,
        lambda _cell: None,
        isolate=isolate(WORKERS, entry, subject, lambda _cell, _name: None)
        if case.in_processes
        else None,
    )
    explanation = next(each for each in found if each.cell == cell.id)
    return tuple(cause.summary for cause in explanation.causes)


@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_sentence_is_said_where_it_is_right(sentence):
    pattern, right, _silent = SENTENCES[sentence]
    assert any(re.search(pattern, each) for each in said(right)), said(right)


@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_sentence_is_not_said_where_it_is_not(sentence):
    pattern, _right, silent = SENTENCES[sentence]
    assert not any(re.search(pattern, each) for each in said(silent))
