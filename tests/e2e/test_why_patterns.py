"""Patterns that make calls slow: each is seen where it is, and nowhere else; its change changes it.

Whether a change gains anything is measured, and no matter for a test.
"""

import functools
from contextlib import ExitStack

import pytest
from commands import REPOSITORY

from eager_vs_graph.catalog.user_code import entries_of
from eager_vs_graph.child.adopt.loading import load
from eager_vs_graph.child.parity.subject import subject
from eager_vs_graph.child.why import engine
from eager_vs_graph.child.why.calls import Calls
from eager_vs_graph.child.why.counters import counted
from eager_vs_graph.child.why.look import Pattern, Trials
from eager_vs_graph.child.why.patterns import patterns
from eager_vs_graph.child.why.patterns.changes import replaced
from eager_vs_graph.child.why.retraces import watching
from eager_vs_graph.child.why.watch import BRIEF
from eager_vs_graph.results.cells import Cell

OTHERS = REPOSITORY / "tests" / "reports_of_others"
PATTERNS = {pattern.name: pattern for pattern in patterns()}

SEEN = {
    "objects made in the call": ("make_optimizer_in_step", ("float32[4,8]",), "eager"),
    "run_eagerly": ("make_eager_fit", ("float32[8,8]", "float32[8,1]"), "eager"),
    "predict": ("make_identity_predict", ("float32[1,10]",), "eager"),
    "traced in the call": ("animate", ("float32[4,64]",), "eager"),
    "printing": ("printing_step", ("float32[4,4]",), "eager"),
    "Python called from the graph": ("tanh_in_python", ("float32[4,64]",), "function"),
    "no prefetch": ("make_mapped_data", ("float32[]",), "eager"),
    "sequential map": ("make_mapped_data", ("float32[]",), "eager"),
    "map_fn": ("boxes", ("float32[16,4,4]",), "function"),
    "loop of the graph": ("rollout", ("float32[4,64]",), "function"),
    "unrolled loop": ("beam_search", ("float32[4,64]",), "function"),
    "many small ops": ("loss_of_many_metrics", ("float32[8]",), "eager"),
    "one row at a time": ("beam_search", ("float32[1,64]",), "eager"),
    "many small kernels": ("loss_of_many_metrics", ("float32[8]",), "function"),
}
NOTHING = (
    ("large_product", ("float32[64,64]", "float32[64,64]"), "function"),
    ("steady", ("slow:same_calls",), "as_written"),
    ("sleeping", ("float32[4]",), "eager"),
)
GONE = {
    "loop of the graph": lambda counts: not counts.graph_ops["While"],
    "map_fn": lambda counts: not counts.graph_ops["TensorListReserve"],
    "Python called from the graph": lambda counts: not counts.graph_ops["EagerPyFunc"],
    "unrolled loop": lambda counts: sum(counts.graph_ops.values()) < 100,
    "printing": lambda counts: not counts.called["print"],
    "objects made in the call": lambda counts: (
        not any(name.endswith("BaseOptimizer.__init__") for name in counts.called)
    ),
    "predict": lambda counts: (
        not any(name.endswith("TensorFlowTrainer.predict") for name in counts.called)
    ),
    "run_eagerly": lambda counts: (
        not any(name.endswith("Layer.__call__") for name in counts.called)
    ),
}


def subject_of(program, arguments):
    entry = entries_of(f"slow:{program}", arguments=arguments, path=[str(OTHERS)])[0]
    return entry.name, subject(load(entry), "given")


@pytest.fixture(scope="module")
def looked():
    """Gives what is seen of a program, each looked at once; nothing is tried."""
    known = {}
    with ExitStack() as stack:
        # A brief look is enough for what is seen: no test asserts a time.
        watch = functools.partial(engine.watch, effort=BRIEF)
        stack.enter_context(replaced(engine, watch=watch))

        def look(program, arguments, mode):
            if (program, arguments, mode) not in known:
                name, sub = subject_of(program, arguments)
                cell = Cell(name, "given", mode, "CPU:0", "resident")
                seen = engine.seen(sub, cell, lambda _stage: False)
                known[program, arguments, mode] = stack.enter_context(seen)
            return known[program, arguments, mode]

        yield look


@pytest.mark.parametrize("name", SEEN)
def test_a_pattern_is_seen_where_it_is(looked, name):
    assert PATTERNS[name].seen(looked(*SEEN[name]).look)


@pytest.mark.parametrize("program", NOTHING, ids=lambda each: each[0])
def test_nothing_is_seen_where_nothing_is(looked, program):
    look = looked(*program).look
    of_the_code = [each for each in PATTERNS.values() if not each.general]
    assert [each.name for each in of_the_code if each.seen(look)] == []


@pytest.mark.parametrize("name", GONE)
def test_what_is_seen_is_gone_with_the_change(looked, name):
    it = looked(*SEEN[name])
    with PATTERNS[name].change(it.look):
        with watching() as traces:
            changed = it.look.subject.build(it.look.cell)
            calls = Calls(changed)
            for _ in range(3):
                calls.bare()
        counts = counted(changed, calls, traces)
        changed.close()
    assert GONE[name](counts)


def test_every_pattern_has_a_program_that_shows_it():
    assert {"feeding", *SEEN} == set(PATTERNS)


def test_a_change_that_does_not_run_gives_no_advice(looked):
    def breaks(_look):
        raise ValueError("no such change")

    it = looked("steady", ("slow:same_calls",), "as_written")
    trials = Trials(it.look, it.program, it.calls)
    broken = Pattern(name="b", seen=lambda _look: "it is there", remedy="", change=breaks)
    absent = Pattern(name="a", seen=lambda _look: "", remedy="")
    assert trials.advice(broken) is None
    assert trials.failed["b"] == "ValueError: no such change"
    assert trials.advice(absent) is None


def test_a_change_that_changes_the_answer_gives_no_advice(looked):
    import tensorflow as tf

    def wrong(_look):
        return replaced(tf, tanh=lambda x: x)

    it = looked("printing_step", ("float32[4,4]",), "eager")
    trials = Trials(it.look, it.program, it.calls)
    faster = Pattern(name="f", seen=lambda _look: "it is there", remedy="", change=wrong)
    assert trials.advice(faster) is None
    assert "is another one" in trials.failed["f"]


def test_changes_leave_tensorflow_as_it_was(looked):
    import tensorflow as tf

    names = ("map_fn", "range", "py_function", "print")
    before = [getattr(tf, name) for name in names]
    it = looked("steady", ("slow:same_calls",), "as_written")
    for pattern in PATTERNS.values():
        with pattern.change(it.look):
            pass
    assert [getattr(tf, name) for name in names] == before
