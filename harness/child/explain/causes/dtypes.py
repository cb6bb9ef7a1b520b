"""A dtype that is another in one mode: where it begins in the graph, and what it explains."""

from __future__ import annotations

from typing import Any

from eager_vs_graph.child.explain import graphs
from eager_vs_graph.child.explain.disagreement import Disagreement, Finding
from eager_vs_graph.child.explain.experiments import names
from eager_vs_graph.child.parity.compare import compare
from eager_vs_graph.results.explanation import DTYPE, Cause, Key


def find(disagreement: Disagreement, _keys: set[Key]) -> Finding:
    """Look at every tensor whose dtype differs, whatever else explains its values."""
    if disagreement.found.error or disagreement.eager.error:
        return Finding()
    other = {
        key
        for key in disagreement.differing
        if key in disagreement.keys
        and disagreement.found.values(key)[0].dtype != disagreement.eager.values(key)[0].dtype
    }
    if not other:
        return Finding()
    key = disagreement.worst(other)
    found, eager = disagreement.found.values(key), disagreement.eager.values(key)
    where = _beginnings(disagreement, key)
    cause = Cause(
        DTYPE,
        f"{eager[0].dtype} became {found[0].dtype}",
        f"the step computes in {eager[0].dtype} eagerly and in {found[0].dtype} as "
        f"{disagreement.cell.mode}: bytes and work are not the same either",
        f"make the dtype explicit where it begins (tf.cast(…, tf.{eager[0].dtype}))",
        names(other),
        tuple(where),
        (
            f"{key[1]}: eager {eager[0].dtype}, {disagreement.cell.mode} {found[0].dtype}",
            f"cast to {eager[0].dtype}, the values are "
            f"{compare(found[0].astype(eager[0].dtype), eager[0]).status}",
        ),
    )
    return Finding([cause], other)


def _beginnings(disagreement: Disagreement, key: Key) -> list[str]:
    """The lines at which a dtype that no input of the op has comes into the output's graph."""
    operations = disagreement.operations_of(key)
    if operations is None:
        return []
    dtype = disagreement.found.values(key)[0].dtype
    begins = [op for op in operations if _begins(op, dtype)]
    numbers = {graphs.line_of(op, str(disagreement.source.file)) for op in begins}
    return [
        disagreement.source.place(number) for number in sorted(n for n in numbers if n is not None)
    ]


def _begins(operation: Any, dtype: Any) -> bool:
    return any(tensor.dtype == dtype for tensor in operation.outputs) and not any(
        tensor.dtype == dtype for tensor in operation.inputs
    )
