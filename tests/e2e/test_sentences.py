"""Every sentence that can be printed as a cause: a program of which it is right, and one of which
it must not be said.

The sentences are read from the source of ``harness/child/explain/causes``: a new one fails here
until it has both.
"""

from __future__ import annotations

import ast
import re
from typing import NamedTuple

import pytest
from commands import REPOSITORY
from questions import Question, ask

SOURCE = REPOSITORY / "harness" / "child" / "explain"
TABLES = ("_SUMMARIES", "_MEANINGS", "_DECIDES")
"""Names of constants that hold sentences, or parts of them."""


class Said(NamedTuple):
    """A sentence as its source has it, and where it is right and where it is not."""

    pattern: str
    """A regular expression of what is printed."""
    right: Question
    silent: Question


def of(program, inputs, mode="function"):
    return Question(program, (f"inputs:{inputs}",), mode)


ROUNDS = of("optimised:scaled_twice", "rates", "session")
SMALLEST = of("optimised:smallest_of_relu", "ties")
SENTENCES = {
    "AutoGraph's rewriting gives": Said(
        "AutoGraph's rewriting gives the step's Python another meaning",
        Question("python_side:lambdas"),
        Question("agreeing:lambdas_with_their_value"),
    ),
    "the step computes in {}": Said(
        "the step computes in float32 eagerly and in float64",
        Question("python_side:widens"),
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
        Question("python_side:asks_if_eager"),
        Question("agreeing:early_return"),
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
        Question("agreeing:tensor_array"),
    ),
    "compiled by XLA, the assertion has no effect": Said(
        "the assertion has no effect",
        Question("compiled:asserts", mode="xla"),
        Question("agreeing:asserts_what_holds", mode="xla"),
    ),
    "compiled by XLA, {} takes an index": Said(
        "takes an index that is out of range for the nearest",
        of("compiled:gather_beyond", "index_beyond", "xla"),
        Question("agreeing:gathers_within", mode="xla"),
    ),
    "eager raises and {} returns": Said(
        "eager raises and function returns",
        Question("python_side:raises_in_eager_only"),
        Question("agreeing:gathers_within"),
    ),
    "the graph does not run the {}": Said(
        "the graph does not run the GatherV2 that raises in eager",
        Question("python_side:check_that_nobody_reads"),
        Question("agreeing:gathers_within"),
    ),
    "the step makes a tf.Variable": Said(
        "the step makes a tf.Variable in every call",
        Question("python_side:variable_in_call"),
        Question("agreeing:counts_in_a_variable"),
    ),
    "random ops draw other numbers": Said(
        "random ops draw other numbers",
        Question("randomness:unseeded"),
        Question("agreeing:stateless"),
    ),
    "{} is traced again in every call": Said(
        "is traced again in every call: its argument",
        Question("python_argument", mode="eager"),
        Question("control_inner_function", mode="eager"),
    ),
    "the step is traced again for every new shape": Said(
        "the step is traced again for every new shape of x",
        Question("batch_lengths"),
        Question("control_doubling"),
    ),
    "the step makes a tf.function anew": Said(
        "the step makes a tf.function anew in each call",
        Question("made_anew", mode="eager"),
        Question("control_inner_function", mode="eager"),
    ),
    "SUMMARY of changes {}": Said(
        "every eager step changes .*; a graph keeps",
        Question("python_side:make_solver", ("float32[4,1]",)),
        Question("agreeing:counts_in_a_variable"),
    ),
    "SUMMARY of makes a Python value anew": Said(
        "every eager step makes a Python value anew",
        Question("python_side:counts_out_of_sight"),
        Question("agreeing:counts_in_a_variable"),
    ),
    "SUMMARY of calls {}": Said(
        "every eager step calls time.time; a graph keeps",
        Question("python_side:stamped"),
        Question("agreeing:with_a_generator"),
    ),
    "{} gives something else in every run": Said(
        "time.time gives something else in every run",
        Question("python_side:stamped", mode="eager"),
        Question("agreeing:with_a_generator", mode="eager"),
    ),
    "Python reads a shape": Said(
        "Python reads a shape that tracing does not know",
        of("python_side:mean_of_kept", "signs"),
        of("agreeing:length_in_the_graph", "signs"),
    ),
    "one call does not do the same work": Said(
        "one call does not do the same work in both modes",
        Question("dropped_result"),
        Question("control_little_is_left_out"),
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
        Question("compiled:halves", ("float32[8,8]",), "xla"),
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
        Question("compiled:decides_after_rounding", ("float32[8,8]",), "xla"),
        of("compiled:small_numbers", "small_numbers", "xla"),
    ),
    "XLA's own {} gives another result": Said(
        "XLA's own ArgMax gives another result than TensorFlow's kernel",
        of("compiled:best", "with_nan", "xla"),
        Question("agreeing:largest_of_numbers", ("float32[6]",), "xla"),
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
        Question("cast_of_nan", mode="xla", in_processes=False),
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


def said(question: Question) -> list[str]:
    """The sentences of a program's causes, when all has been tried."""
    explanation = ask(question).explanation
    late = [each for each in explanation.not_tried if "out of time" in each]
    assert not late, explanation
    return [cause.summary for cause in explanation.causes]


@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_sentence_is_said_where_it_is_right(sentence):
    pattern, right, _silent = SENTENCES[sentence]
    assert any(re.search(pattern, each) for each in said(right)), said(right)


@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_sentence_is_not_said_where_it_is_not(sentence):
    pattern, _right, silent = SENTENCES[sentence]
    assert not any(re.search(pattern, each) for each in said(silent))
