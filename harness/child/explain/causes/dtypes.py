"""A dtype that is another in one mode: where it begins in the graph, and what it explains."""

from __future__ import annotations

from typing import Any

from eager_vs_graph.child.explain import graphs
from eager_vs_graph.child.explain.disagreement import Case, Finding
from eager_vs_graph.child.explain.experiments import names
from eager_vs_graph.child.parity.compare import compare
from eager_vs_graph.results.explanation import DTYPE, Cause, Key


def find(case: Case, _keys: set[Key]) -> Finding:
    """Look at every tensor whose dtype differs, whatever else explains its values."""
    if case.found.error or case.eager.error:
        return Finding()
    other = {
        key
        for key in case.apart
        if key in case.keys and case.found.values(key)[0].dtype != case.eager.values(key)[0].dtype
    }
    if not other:
        return Finding()
    key = case.worst(other)
    found, eager = case.found.values(key), case.eager.values(key)
    where = _beginnings(case, key)
    cause = Cause(
        DTYPE,
        f"{eager[0].dtype} became {found[0].dtype}",
        f"the step computes in {eager[0].dtype} eagerly and in {found[0].dtype} as "
        f"{case.cell.mode}: bytes and work are not the same either",
        f"make the dtype explicit where it begins (tf.cast(…, tf.{eager[0].dtype}))",
        names(other),
        tuple(where),
        (
            f"{key[1]}: eager {eager[0].dtype}, {case.cell.mode} {found[0].dtype}",
            f"cast to {eager[0].dtype}, the values are "
            f"{compare(found[0].astype(eager[0].dtype), eager[0]).word}",
        ),
    )
    return Finding([cause], other)


def _beginnings(case: Case, key: Key) -> list[str]:
    """The lines at which a dtype that no input of the op has comes into the output's graph."""
    operations = case.operations_of(key)
    if operations is None:
        return []
    dtype = case.found.values(key)[0].dtype
    begins = [op for op in operations if _begins(op, dtype)]
    numbers = {graphs.line_of(op, str(case.source.file)) for op in begins}
    return [case.source.place(number) for number in sorted(n for n in numbers if n is not None)]


def _begins(operation: Any, dtype: Any) -> bool:
    return any(tensor.dtype == dtype for tensor in operation.outputs) and not any(
        tensor.dtype == dtype for tensor in operation.inputs
    )
