"""Writes a minimal script that shows a disagreement by itself: TensorFlow and NumPy only.

The script holds the scenario's own ``build`` and ``step`` with what they need of their file, the
inputs as numbers (or the scenario's ``inputs`` and the seed, where they are many), and the
reference's value. It prints both values of the worst element and ends with code 0 when they differ.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.explanation import GRAPPLER, TRACE_TIME, Explanation
from eager_vs_graph.results.record import TensorComparison
from eager_vs_graph.results.scripts import shown
from eager_vs_graph.scenario import SEED, Scenario

if TYPE_CHECKING:
    from eager_vs_graph.child.parity.check import Subject

MODES = ("eager", "function", "session", "xla")
"""The modes that a script can run."""
_FEW = 200
"""Elements of inputs that are written as numbers."""
_METHODS = ("inputs", "build", "step")


def script(subject: Subject, explanation: Explanation) -> str:
    """The script, without its head, for the worst tensor of an explanation.

    Raises:
        ValueError: nothing differs, or the mode is not one that a script can run.
    """
    cell = Cell.parse(explanation.cell)
    if cell.mode not in MODES:
        raise ValueError(
            f"{explanation.cell}: mode {cell.mode} cannot be reproduced in a script, but "
            f"{', '.join(MODES)} can"
        )
    if not explanation.tensors:
        raise ValueError(f"{explanation.cell}: nothing differs, so there is nothing to reproduce")
    tensor = shown(explanation)
    feeds = subject.feeds
    few = sum(array.size for feed in feeds for array in feed.values()) <= _FEW
    source = _Source(subject.scenario, with_inputs=not few)
    parts = [
        source.imports(),
        _SCENARIO,
        *source.definitions(),
        _setting(subject, SEED, tensor, explanation, feeds if few else None, source.name),
        *(state := _state(explanation, tensor, source)),
        _RUN.replace("def built():\n", "def built():\n    put_back()\n") if state else _RUN,
        _EAGER,
        _MODES[cell.mode],
        _PRINT,
        _without_pass(explanation, tensor, cell.mode),
    ]
    return "\n\n".join(part.strip("\n") for part in parts if part.strip()) + "\n"


def _state(explanation: Explanation, tensor: TensorComparison, source: _Source) -> list[str]:
    """Code that puts Python's state back before each side runs, where a module keeps it."""
    items = [
        item
        for cause in explanation.causes
        if cause.name == TRACE_TIME and tensor.tensor in cause.tensors
        for item in cause.what.split(", ")
    ]
    if not [item for item in items if not item.startswith(("self.", "np.random", "random"))]:
        return []
    beside = "".join(f", vars(sys.modules[{name!r}])" for name in source.beside())
    return [_STATE.replace("BESIDE", beside)]


class _Source:
    """What of the author's file the script needs."""

    def __init__(self, scenario: type[Scenario], *, with_inputs: bool) -> None:
        if scenario.source_file() != inspect.getfile(scenario):
            raise ValueError("adopted code needs the harness to run")
        self.name = scenario.__name__
        self._module = sys.modules[scenario.__module__]
        self._text = Path(inspect.getfile(scenario)).read_text(encoding="utf-8")
        self._tree = ast.parse(self._text)
        self._top = dict(_by_name(self._tree))
        self._unwanted = {"reference", "measure", *(() if with_inputs else ("inputs",))}
        self._needed = self._reach(self.name)

    def imports(self) -> str:
        """The imports of the script: TensorFlow, NumPy, and of what else the code needs."""
        lines = ["import numpy as np", "import tensorflow as tf"]
        from eager_vs_graph.child.explain.python_state import helpers_of

        beside = {each.__name__: each for each in helpers_of(self._module)}
        for node in self._tree.body:
            if isinstance(node, ast.Import | ast.ImportFrom) and not _of_harness(node):
                bound = {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
                if bound & self._needed:
                    lines += [_embedded(beside[name]) for name in _modules(node) if name in beside]
                    lines.append(ast.unparse(node))
        if any(line.startswith(tuple(f"{name}_text" for name in beside)) for line in lines):
            lines[:0] = ["import sys", "import types"]
        # Annotations may name what only the harness has; they are not evaluated then.
        return "\n".join(["from __future__ import annotations", "", *dict.fromkeys(lines)])

    def beside(self) -> list[str]:
        """Names of the modules beside the author's that the script embeds."""
        from eager_vs_graph.child.explain.python_state import helpers_of

        return [each.__name__ for each in helpers_of(self._module) if self._imports(each)]

    def _imports(self, module: ModuleType) -> bool:
        return f"{module.__name__}_text" in self.imports()

    def definitions(self) -> Iterator[str]:
        """The functions, values and classes that build and step reach, in the file's order."""
        for node in self._tree.body:
            if isinstance(node, ast.ClassDef):
                if node.name in self._needed:
                    yield self._class(node)
            elif set(_bound(node)) & self._needed:
                yield self._segment(node)

    def _reach(self, start: str) -> set[str]:
        waiting, seen = [start], set[str]()
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            for node in self._top.get(name, ()):
                kept = self._kept(node) if isinstance(node, ast.ClassDef) else [node]
                bases = node.bases if isinstance(node, ast.ClassDef) else []
                for part in [*kept, *bases]:
                    waiting += [
                        each.id
                        for each in ast.walk(_unannotated(part))
                        if isinstance(each, ast.Name)
                    ]
        return seen

    def _kept(self, node: ast.ClassDef) -> list[ast.stmt]:
        """A class without its docstring, and a scenario without what only the harness reads."""
        if not issubclass(getattr(self._module, node.name), Scenario):
            return list(node.body)
        contract = set(vars(Scenario)) - set(_METHODS)
        kept = []
        for statement in node.body:
            names = set(_bound(statement))
            docstring = isinstance(statement, ast.Expr) and isinstance(
                statement.value, ast.Constant
            )
            if docstring or names & (self._unwanted | contract | {"sizes", "name"}):
                continue
            kept.append(statement)
        return kept

    def _class(self, node: ast.ClassDef) -> str:
        bases = ", ".join(ast.unparse(base) for base in node.bases)
        body = "\n\n".join(self._segment(each) for each in self._kept(node)) or "    pass"
        return f"class {node.name}({bases}):\n{body}" if bases else f"class {node.name}:\n{body}"

    def _segment(self, node: ast.AST) -> str:
        lines = self._text.splitlines()
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])  # type: ignore[attr-defined]
        return "\n".join(lines[first - 1 : node.end_lineno])  # type: ignore[attr-defined]


def _setting(
    subject: Subject,
    seed: int,
    tensor: TensorComparison,
    explanation: Explanation,
    feeds: Sequence[Any] | None,
    name: str,
) -> str:
    size = ", ".join(
        f"{key}={value!r}" for key, value in subject.scenario.sizes[subject.size].items()
    )
    judged = [each for each in explanation.judgements if each.tensor == tensor.tensor]
    lines = [
        f"STEPS = {subject.scenario.parity_steps}",
        f"SEED = {seed}",
        f"SIZE = Size({size})",
        f"TENSOR, KIND = {tensor.tensor!r}, {tensor.kind!r}",
        f"STEP, INDEX = {tensor.worst_step or 0}, {tuple(tensor.worst_index or ())!r}",
        f"REFERENCE = {judged[0].reference!r}" if judged else "REFERENCE = None",
        f"make = {name}",
    ]
    if feeds is None:
        lines.append("FEEDS = list(make(SIZE).inputs(np.random.default_rng(SEED)))")
    else:
        rows = [", ".join(f"{k!r}: {_literal(v)}" for k, v in feed.items()) for feed in feeds]
        lines.append("FEEDS = [\n" + "\n".join(f"    {{{row}}}," for row in rows) + "\n]")
    return "\n".join(lines)


def _literal(array: Any) -> str:
    array = np.asarray(array)
    values = repr(array.tolist()).replace("nan", "np.nan").replace("inf", "np.inf")
    return f"np.array({values}, np.dtype({array.dtype.name!r}))"


def _without_pass(explanation: Explanation, tensor: TensorComparison, mode: str) -> str:
    passes = [
        cause.what.partition(",")[0]
        for cause in explanation.causes
        if cause.name == GRAPPLER and tensor.tensor in cause.tensors
    ]
    if not passes or mode not in ("function", "xla") or " " in passes[0]:
        return ""
    return (
        f'tf.config.optimizer.set_experimental_options({{"{passes[0]}": False}})\n'
        f'print("{mode} without {passes[0]}:", element(run_mode()))'
    )


def _by_name(tree: ast.Module) -> Iterator[tuple[str, list[ast.stmt]]]:
    found: dict[str, list[ast.stmt]] = {}
    for node in tree.body:
        for name in _bound(node):
            found.setdefault(name, []).append(node)
    yield from found.items()


def _bound(node: ast.AST) -> Iterator[str]:
    """The names that a statement binds; none for an import."""
    match node:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Assign(targets=targets):
            for target in targets:
                yield from (each.id for each in ast.walk(target) if isinstance(each, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name)):
            yield name


def _unannotated(node: ast.AST) -> ast.AST:
    """The code without annotations: with ``from __future__ import annotations`` none is run."""
    copy = ast.parse(ast.unparse(node))
    for each in ast.walk(copy):
        if isinstance(each, ast.FunctionDef):
            each.returns = None
        elif isinstance(each, ast.arg):
            each.annotation = None
        elif isinstance(each, ast.AnnAssign):
            each.annotation = ast.Constant(None)
    return copy


def _of_harness(node: ast.Import | ast.ImportFrom) -> bool:
    return any(
        name.partition(".")[0] in ("eager_vs_graph", "__future__") for name in _modules(node)
    )


def _modules(node: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    return [alias.name for alias in node.names]


def _embedded(module: ModuleType) -> str:
    """Lines that make a module of the author's from its text, so that it can be imported."""
    text = Path(str(module.__file__)).read_text(encoding="utf-8")
    name = module.__name__
    return (
        f"{name}_text = {text!r}\n"
        f"sys.modules[{name!r}] = types.ModuleType({name!r})\n"
        f"exec({name}_text, vars(sys.modules[{name!r}]))"
    )


_SCENARIO = """
class Size(dict):
    __getattr__ = dict.__getitem__


class Scenario:
    def __init__(self, size):
        self.size = size

    def build(self):
        pass
"""

_STATE = """
import copy
import sys


def kept_by_python():
    for space in [globals()BESIDE]:
        for name, value in list(space.items()):
            yield from [(space, name, value)] if type(value) in KEEPS else []
            is_function = isinstance(value, type(put_back))
            for default in (value.__defaults__ if is_function else None) or ():
                yield from [(None, name, default)] if type(default) in KEEPS else []


def put_back():
    # What steps change outside of instances begins alike for both sides.
    for (space, name, value), start in START:
        fresh = copy.deepcopy(start)
        if isinstance(value, list):
            value[:] = fresh
        elif isinstance(value, (dict, set)):
            value.clear()
            value.update(fresh)
        elif isinstance(value, np.random.Generator):
            value.bit_generator.state = fresh.bit_generator.state
        elif space is not None:
            space[name] = fresh


KEEPS = (list, dict, set, int, float, np.random.Generator)
START = [
    (each, copy.deepcopy(each[2])) for each in kept_by_python() if not each[1].startswith("__")
]
"""

_RUN = """
def built():
    tf.keras.utils.set_random_seed(SEED)
    scenario = make(SIZE)
    scenario.build()
    return scenario


def variables(value):
    if isinstance(value, tf.Variable):
        return [value]
    if isinstance(value, Scenario):
        return variables(list(vars(value).values()))
    if isinstance(value, (list, tuple)):
        return [each for item in value for each in variables(item)]
    if isinstance(value, dict):
        return variables(list(value.values()))
    if isinstance(value, (tf.Module, tf.keras.layers.Layer, tf.keras.optimizers.Optimizer)):
        return [v if isinstance(v, tf.Variable) else v.value for v in value.variables]
    return [value.state] if isinstance(value, tf.random.Generator) else []


def variable_of(scenario):
    value = scenario
    for part in TENSOR.split("/"):
        value = value[int(part)] if part.isdigit() else getattr(value, part)
    return value


def steps(scenario, step):
    values = []
    for number in range(STEPS):
        feed = {name: tf.constant(array) for name, array in FEEDS[number % len(FEEDS)].items()}
        outputs = step(**feed)
        value = outputs[TENSOR] if KIND == "output" else variable_of(scenario)
        values.append(value.numpy())
    return values[STEP] if KIND == "output" else values[-1]


def element(value):
    return value[INDEX] if np.shape(value) and INDEX else value
"""

_EAGER = """
def run_eager():
    scenario = built()
    return steps(scenario, scenario.step)
"""

_MODES = {
    "eager": """
def run_mode():
    # The same program, run again with its variables put back.
    scenario = built()
    start = [variable.numpy() for variable in variables(scenario)]
    steps(scenario, scenario.step)
    for variable, value in zip(variables(scenario), start):
        variable.assign(value)
    return steps(scenario, scenario.step)


NAME = "eager again"
""",
    "function": """
def run_mode():
    scenario = built()
    return steps(scenario, tf.function(scenario.step))


NAME = "function"
""",
    "xla": """
def run_mode():
    scenario = built()
    return steps(scenario, tf.function(scenario.step, jit_compile=True))


NAME = "xla"
""",
    "session": """
def run_mode():
    v1 = tf.compat.v1
    start = [variable.numpy() for variable in variables(built())]
    with tf.Graph().as_default():
        scenario = built()
        places = {}
        for name, array in FEEDS[0].items():
            shapes = [feed[name].shape for feed in FEEDS]
            shape = [size[0] if len(set(size)) == 1 else None for size in zip(*shapes)]
            zeros = tf.zeros(array.shape, array.dtype)
            places[name] = tf.Variable(zeros, trainable=False, shape=shape)
        outputs = tf.function(scenario.step)(**{n: tf.identity(v) for n, v in places.items()})
        fetch = tf.identity(outputs[TENSOR]) if KIND == "output" else None
        every = list(outputs.values())
        loaded = [*variables(scenario), *places.values()]
        holders = [v1.placeholder(v.dtype, v.shape) for v in loaded]
        loads = [v.assign(holder, read_value=False) for v, holder in zip(loaded, holders)]
        with v1.Session() as session:
            session.run(v1.global_variables_initializer())
            for load, holder, value in zip(loads, holders, start):
                session.run(load, {holder: value})
            for number in range(STEPS):
                feed = [FEEDS[number % len(FEEDS)][name] for name in places]
                for load, holder, value in zip(loads[len(start) :], holders[len(start) :], feed):
                    session.run(load, {holder: value})
                found = session.run(every if fetch is None else fetch)
                if fetch is not None and number == STEP:
                    return found
            return session.run(variable_of(scenario))


NAME = "session"
""",
}

_PRINT = """
eager, mode = run_eager(), run_mode()
print("TensorFlow", tf.__version__)
print("eager:", element(eager))
print(f"{NAME}:", element(mode))
if REFERENCE is not None:
    print("float64 reference:", REFERENCE)
same = eager.dtype == mode.dtype and eager.shape == mode.shape and eager.tobytes() == mode.tobytes()
print("the same" if same else f"different: {eager.dtype}{eager.shape} and {mode.dtype}{mode.shape}")
"""
