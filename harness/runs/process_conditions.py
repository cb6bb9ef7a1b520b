"""Conditions that need a process of their own, and what follows from what it shows.

oneDNN is chosen when TensorFlow is loaded, the number of threads when it is first used, and op
determinism cannot be switched off again.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace

from eager_vs_graph.results.explanation import (
    DETERMINISM,
    GRAPPLER,
    NO_ONEDNN,
    NONDETERMINISM,
    ONE_THREAD,
    ONEDNN,
    THREADS,
    TRIED,
    Cause,
    Explanation,
    FreshResult,
)

_BETTER = {"differs": ("close", "identical", "vacuous"), "close": ("identical", "vacuous")}


@dataclass(frozen=True)
class _Meaning:
    """What it means when a condition makes tensors agree."""

    name: str
    summary: str
    remedy: str


_MEANINGS = {
    DETERMINISM: _Meaning(
        NONDETERMINISM,
        "a kernel adds in an order that changes from run to run",
        "tf.config.experimental.enable_op_determinism() before the first op, with tf.random seeds",
    ),
    ONE_THREAD: _Meaning(
        THREADS,
        "threads share the work in another order",
        "tf.config.threading.set_intra_op_parallelism_threads(1), or accept it as rounding with a "
        "stated tolerance",
    ),
    NO_ONEDNN: _Meaning(
        ONEDNN,
        "a kernel of oneDNN, which only one of the modes takes, rounds differently",
        "TF_ENABLE_ONEDNN_OPTS=0 in the environment, or accept it as rounding with a stated "
        "tolerance",
    ),
}


def environment(condition: str) -> dict[str, str]:
    """Environment variables of a process with that condition."""
    return {"TF_ENABLE_ONEDNN_OPTS": "0"} if condition == NO_ONEDNN else {}


def fused(explanation: Explanation) -> list[str]:
    """Tensors for which a Grappler pass has put a fused op, which may be a kernel of oneDNN."""
    return [
        name
        for cause in explanation.named(GRAPPLER)
        if any(mark in line for line in cause.evidence for mark in ("_Fused", "_Mkl"))
        for name in cause.tensors
    ]


def open_under(condition: str, explanation: Explanation) -> bool:
    """Whether a condition could still tell something of a cell."""
    return bool(explanation.unexplained) or (condition == NO_ONEDNN and bool(fused(explanation)))


def needed(explanations: Sequence[Explanation]) -> list[str]:
    """The conditions worth a process, in order, for what is still open."""
    open_ = [each for each in explanations if each.unexplained]
    unsteady = any(set(each.unexplained) & set(each.unsteady) for each in open_)
    steady = any(set(each.unexplained) - set(each.unsteady) for each in open_)
    conditions = [DETERMINISM] if unsteady else []
    if os.environ.get("TF_ENABLE_ONEDNN_OPTS") != "0" and (steady or any(map(fused, explanations))):
        conditions.append(NO_ONEDNN)
    return [*conditions, ONE_THREAD] if open_ else conditions


def conclude(explanation: Explanation, results: Sequence[FreshResult]) -> Explanation:
    """Add what fresh processes showed to a cell's explanation."""
    left = list(explanation.unexplained)
    found, excluded = list(explanation.causes), list(explanation.excluded)
    refused: list[str] = []
    for result in results:
        also = fused(explanation) if result.condition == NO_ONEDNN else []
        if result.cell != explanation.cell or not (left or also):
            continue
        if result.error:
            refused.append(f"{result.condition}: {result.error}")
            continue
        asked = dict.fromkeys([*left, *also])
        agreeing = [name for name in asked if _agrees(explanation, result, name)]
        if agreeing:
            found.append(_cause(explanation, result, agreeing, refused))
            left = [name for name in left if name not in agreeing]
        else:
            excluded.append(f"{result.condition}: the difference stays")
            refused += [excluded[-1]] if result.condition == DETERMINISM else []
    not_tried = list(explanation.not_tried)
    if left:
        not_tried += refused
    return replace(
        explanation,
        causes=tuple(found),
        excluded=tuple(excluded),
        unexplained=tuple(left),
        not_tried=tuple(not_tried),
    )


def _agrees(explanation: Explanation, result: FreshResult, name: str) -> bool:
    if name in explanation.unsteady:
        return result.eager_again.get(name) == "identical"
    if result.condition == DETERMINISM:
        return False
    before = next(tensor.status for tensor in explanation.tensors if tensor.tensor == name)
    return result.against_eager.get(name) in _BETTER.get(before, ())


def _cause(
    explanation: Explanation, result: FreshResult, agreeing: list[str], refused: list[str]
) -> Cause:
    meaning = _MEANINGS[result.condition]
    unsteady = [name for name in agreeing if name in explanation.unsteady]
    tensor = next(t for t in explanation.tensors if t.tensor == agreeing[0])
    value = f"{tensor.tensor}: {tensor.value} against {tensor.reference}"
    evidence = [
        f"{value}; in a fresh process {result.condition}, it is {_told(result, agreeing[0])}",
        *(f"{TRIED}{line}" for line in refused),
    ]
    return Cause(
        NONDETERMINISM if unsteady else meaning.name,
        result.condition,
        meaning.summary,
        meaning.remedy,
        tuple(agreeing),
        evidence=tuple(evidence),
    )


def _told(result: FreshResult, name: str) -> str:
    status = result.against_eager.get(name, "")
    again = result.eager_again.get(name, "")
    return f"{status} to eager's" if again == "identical" else f"{again} from run to run"
