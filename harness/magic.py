"""``%%compare``: a notebook cell, compared in every mode.

``%load_ext eager_vs_graph`` makes it known. The line of the magic is what follows the function in
a call of ``compare``. The cell runs as always, but for its last expression, which is compared.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from IPython.core.error import UsageError as MagicError
from IPython.core.interactiveshell import InteractiveShell

from eager_vs_graph.api import compare
from eager_vs_graph.comparison import Comparison
from eager_vs_graph.errors import UsageError

_EXPRESSION = "expression"
"""What a compared expression is called that is no call of a function."""
_ARRAY = ("shape", "dtype")
"""What arrays and tensors have; they are the inputs of an expression."""
_VARIABLE = "assign"
"""What a variable has besides; a variable is state, and no input."""


def load(shell: InteractiveShell) -> None:
    """Make ``%%compare`` known to a shell."""

    def magic(line: str, cell: str) -> Comparison:
        try:
            return compare_cell(shell, line, cell)
        except UsageError as error:
            raise MagicError(str(error)) from None  # shown as one line, without a traceback

    magic.__doc__ = compare_cell.__doc__
    shell.register_magic_function(magic, "cell", "compare")  # type: ignore[arg-type]


def compare_cell(shell: InteractiveShell, line: str, cell: str) -> Comparison:
    """Run a cell, and compare its last function or expression in every mode.

    The line has the arguments of ``eager_vs_graph.compare`` that follow the function::

        %%compare (x, 0.5), modes=["eager", "xla"], budget="90s"
        def f(x, rate):
            return tf.nn.dropout(tf.tanh(x), rate)

    The last statement may also be an expression. In a call such as ``f(x, 0.5)`` the function is
    compared with these arguments; any other, such as ``tf.tanh(x @ w) + 1``, is compared as a
    function of the arrays and tensors that it names. The result is shown, and is ``_`` afterwards.

    Args:
        shell: of the kernel.
        line: arguments of ``compare``.
        cell: the cell's code.

    Raises:
        UsageError: the line has no such arguments, or the cell ends with nothing to compare.
    """
    code: str = shell.transform_cell(cell)  # type: ignore[no-untyped-call]
    # Under this name Python finds the lines again, for AutoGraph and for a traceback.
    file = shell.compile.cache(code, raw_code=cell)
    tree = ast.parse(code, file)
    if not tree.body:
        raise UsageError("%%compare: the cell is empty, but should end with a function or a call")
    *before, last = tree.body
    if isinstance(last, ast.Expr):
        _execute(before, file, shell.user_ns)
        asked = _of_expression(shell, last.value)
    elif isinstance(last, ast.FunctionDef):
        _execute(tree.body, file, shell.user_ns)
        asked = _Asked(shell.user_ns[last.name])
    else:
        raise UsageError(
            f"%%compare: the cell ends with line {last.lineno}, `{ast.unparse(last)[:60]}`, but "
            "should end with a function or an expression such as f(x)"
        )
    args, options = _arguments(line, shell.user_ns)
    if asked.is_call and (args or {"args", "kwargs", "calls"} & options.keys()):
        raise UsageError(
            "%%compare: the line gives arguments, and so does the expression at the cell's end; "
            "give one of them"
        )
    if asked.is_call:
        options |= {"args": asked.args, "kwargs": asked.kwargs}
    try:
        return compare(asked.function, *args, **options)
    except TypeError as error:
        if error.__traceback__ is not None and error.__traceback__.tb_next is None:
            raise UsageError(f"%%compare: {error}") from None  # an option that there is not
        raise


@dataclass(frozen=True)
class _Asked:
    """What is compared."""

    function: Callable[..., Any]
    args: Sequence[Any] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    is_call: bool = False
    """Whether its arguments are known."""


def _execute(statements: list[ast.stmt], file: str, namespace: dict[str, Any]) -> None:
    exec(compile(ast.Module(statements, []), file, "exec"), namespace)  # noqa: S102 - the user's cell


def _arguments(line: str, namespace: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """The arguments that the line gives to ``compare``, as Python evaluates them."""
    if not line.strip():
        return [], {}
    try:
        call = ast.parse(f"_({line})", "<%%compare>", mode="eval").body
    except SyntaxError:
        call = None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
        raise UsageError(
            f"%%compare {line}: should be arguments of compare separated by commas, such as: "
            '%%compare (x,), modes=["eager", "xla"], budget="90s"'
        )
    call.func = ast.copy_location(ast.parse("lambda *a, **k: (list(a), k)", mode="eval").body, call)
    return _evaluate(call, namespace)  # type: ignore[no-any-return]


def _evaluate(expression: ast.expr, namespace: dict[str, Any]) -> Any:
    tree = ast.fix_missing_locations(ast.Expression(expression))
    return eval(compile(tree, "<%%compare>", "eval"), namespace)  # noqa: S307 - the user's cell


def _of_expression(shell: InteractiveShell, expression: ast.expr) -> _Asked:
    namespace = shell.user_ns
    if isinstance(expression, ast.Name | ast.Lambda):
        return _Asked(_evaluate(expression, namespace))
    if isinstance(expression, ast.Call) and _is_plain(expression):
        return _Asked(
            _evaluate(expression.func, namespace),
            [_evaluate(each, namespace) for each in expression.args],
            {str(each.arg): _evaluate(each.value, namespace) for each in expression.keywords},
            is_call=True,
        )
    inputs = {
        node.id: namespace[node.id]
        for node in ast.walk(expression)
        if isinstance(node, ast.Name) and _is_array(namespace.get(node.id))
    }
    if not inputs:
        raise UsageError(
            f"%%compare: `{ast.unparse(expression)[:60]}` names no array and no tensor, so that "
            "all of it would be a constant; give its arrays names first: x = …, then f(x)"
        )
    # A function of its own with lines of its own, for AutoGraph to read.
    code = f"def {_EXPRESSION}({', '.join(inputs)}):\n    return {ast.unparse(expression)}\n"
    made: dict[str, Any] = {}
    exec(compile(code, shell.compile.cache(code), "exec"), namespace, made)  # noqa: S102
    return _Asked(made[_EXPRESSION], list(inputs.values()), is_call=True)


def _is_plain(expression: ast.Call) -> bool:
    """Whether it is a call of something that has a name, with names and literals only."""
    function = expression.func
    while isinstance(function, ast.Attribute):
        function = function.value
    values = [*expression.args, *(each.value for each in expression.keywords)]
    return (
        isinstance(function, ast.Name)
        and all(each.arg for each in expression.keywords)
        and all(isinstance(each, ast.Name) or _is_literal(each) for each in values)
    )


def _is_literal(expression: ast.expr) -> bool:
    try:
        ast.literal_eval(expression)
    except (ValueError, TypeError):
        return False
    return True


def _is_array(value: Any) -> bool:
    has = all(hasattr(value, name) for name in _ARRAY) and not hasattr(value, _VARIABLE)
    return has and not isinstance(value, ModuleType | type)  # numpy has a `shape`, too
