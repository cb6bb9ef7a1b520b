"""XLA's passes: which changed a program, and which of them make it differ from eager.

A process dumps the program after each pass that changed it; others compile it with a pass switched
off. Passes that the compiler cannot do without end their process: that costs the experiment only.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from eager_vs_graph.child.explain.experiments import Observation
from eager_vs_graph.results.explanation import OUT_OF_TIME, Key

Run = Callable[[Mapping[str, str]], Observation]
"""Compiles and runs the program in a process with these environment variables."""

_AFTER = re.compile(r"\.(\d{4})\.(?:[^.]+)\.after_(.+?)\.before_.+\.txt$")
_STRUCTURE = re.compile(
    r"^(pipeline-start|pipeline-end|flatten-call-graph|layout-assignment|copy-insertion|"
    r".*-wrapper|sharding-removal|.*canonicaliz.*|batched_gather_scatter_normalizer|adding_.*|"
    r"removing_.*|.*expander.*|.*decomposer.*|.*packer.*|.*pipeline.*|.*-passes|HLO_passes_.*)$",
    re.IGNORECASE,
)
"""Passes that prepare a program or are made of others: without them it does not compile."""
_FIRST = ("algsimp", "fusion", "cse", "constant_folding", "simplify-fp-conversions")
"""Passes that are known to change values, tried before the others."""
FLAGS = {
    "excess precision": "--xla_allow_excess_precision=false",
    "LLVM's optimiser": "--xla_backend_optimization_level=0",
}
"""Switches that are no passes, by what they take away."""
_METADATA = re.compile(r", metadata=\{.*?\}|, backend_config=\{.*?\}|\{[0-9,]*\}(?=[ ,)])|%")
_MOVES = re.compile(
    r"\] (reshape|broadcast|constant|parameter|bitcast|copy|tuple|get-tuple-element|transpose)\("
)
"""Instructions that compute nothing."""
_INSTRUCTION = re.compile(r"^\s+(?:ROOT )?\S+ = ")


@dataclass
class Passes:
    """What the passes came to."""

    changed: list[str] = field(default_factory=list)
    """Passes that changed the program, in order."""
    restoring: dict[str, set[Key]] = field(default_factory=dict)
    """Tensors that agree better without one, by what was off."""
    together: tuple[str, ...] = ()
    """Passes that restore tensors only when all of them are off…"""
    keys_together: set[Key] = field(default_factory=set)
    """… and these tensors."""
    found: dict[str, Observation] = field(default_factory=dict)
    """What the program gave, by what was off."""
    rewrites: dict[str, list[str]] = field(default_factory=dict)
    """What a pass made of the program, a line each."""
    all_off: set[Key] = field(default_factory=set)
    """Tensors that agree better with every optional pass off."""
    not_tried: list[str] = field(default_factory=list)


def search(
    run: Run,
    better: Callable[[Observation], set[Key]],
    keys: set[Key],
    in_time: Callable[[], bool],
    *,
    switches: bool = True,
) -> Passes:
    """Find the passes whose absence makes tensors agree better.

    Args:
        run: compiles and runs.
        better: which tensors agree better with eager in an observation than they did.
        keys: the tensors in question.
        in_time: whether another process may be started.
        switches: whether to try ``FLAGS``, too, for what no pass explains.
    """
    result = Passes()
    with tempfile.TemporaryDirectory(prefix="hlo-") as folder:
        flags = f"--xla_dump_to={folder} --xla_dump_hlo_pass_re=.* --xla_dump_hlo_as_text"
        run({"XLA_FLAGS": flags})
        files = _in_order(Path(folder))
        result.changed = list(dict.fromkeys(name for name, _ in files))
        optional = [name for name in result.changed if not _STRUCTURE.match(name)]
        optional.sort(key=lambda name: _FIRST.index(name) if name in _FIRST else len(_FIRST))
        found = _without(run, result, optional)
        result.all_off = better(found) & keys if found is not None else set()
        open_ = set(result.all_off)
        for name in optional:
            if not open_:
                break
            if not in_time():
                result.not_tried.append(f"XLA's passes from {name} on: {OUT_OF_TIME}")
                break
            found = _without(run, result, [name])
            if found is not None and (restored := better(found) & open_):
                result.restoring[name] = restored
                result.rewrites[name] = _rewrites(files, name)
                open_ -= restored
        if open_ and len(optional) > 1 and in_time():
            result.together = tuple(_reduced(run, result, optional, better, open_, in_time))
            result.keys_together = open_
            for name in result.together:
                result.rewrites[name] = _rewrites(files, name)
    left = keys - result.all_off
    for label, flag in FLAGS.items() if switches else ():
        if not left or not in_time():
            break
        found = _flagged(run, result, label, flag)
        if found is not None and (restored := better(found) & left):
            result.restoring[label] = restored
            left = left - restored
    return result


def _without(run: Run, result: Passes, passes: Sequence[str]) -> Observation | None:
    if not passes:
        return None
    return _flagged(run, result, ",".join(passes), f"--xla_disable_hlo_passes={','.join(passes)}")


def _flagged(run: Run, result: Passes, label: str, flags: str) -> Observation | None:
    try:
        found = run({"XLA_FLAGS": flags})
    except RuntimeError as error:
        result.not_tried.append(f"XLA without {label}: {error}")
        return None
    if found.error:
        result.not_tried.append(f"XLA without {label}: {found.error}")
        return None
    result.found[label] = found
    return found


def _reduced(
    run: Run,
    result: Passes,
    passes: Sequence[str],
    better: Callable[[Observation], set[Key]],
    keys: set[Key],
    in_time: Callable[[], bool],
) -> list[str]:
    """A smaller set of passes that restores the tensors when all of it is off."""
    kept = list(passes)
    for name in passes:
        if not in_time():
            break
        fewer = [each for each in kept if each != name]
        found = _without(run, result, fewer)
        if found is not None and keys <= better(found):
            kept = fewer
    return kept


def _in_order(folder: Path) -> list[tuple[str, list[str]]]:
    """The dumps of the program that computes: the pass and the instructions after it, in order."""
    by_module: dict[str, list[tuple[int, str, Path]]] = {}
    for path in folder.iterdir():
        if match := _AFTER.search(path.name):
            module = path.name[: match.start()]
            by_module.setdefault(module, []).append((int(match[1]), match[2], path))
    if not by_module:
        return []
    # A step is one module; constants that are folded on the way have small ones of their own.
    largest = max(by_module.values(), key=lambda files: sum(f[2].stat().st_size for f in files))
    return [(name, _instructions(path)) for _, name, path in sorted(largest)]


def _instructions(path: Path) -> list[str]:
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return [_METADATA.sub("", line).strip() for line in lines if _INSTRUCTION.match(line)]


def _rewrites(files: Sequence[tuple[str, list[str]]], name: str) -> list[str]:
    """What a pass took out of the program and put into it, when it changed it first."""
    for (_, before), (after_name, after) in pairwise(files):
        if after_name == name:
            gone = [line for line in before if line not in after]
            new = [line for line in after if line not in before]
            if gone or new:
                return [f"{name} removed {_short(gone)}", f"and added {_short(new)}"]
    return []


def _short(lines: Sequence[str]) -> str:
    computing = [line for line in lines if not _MOVES.search(line)] or list(lines)
    shown = [line.removeprefix("ROOT ")[:110] for line in computing[:3]]
    more = f" and {len(lines) - len(shown)} more" if len(lines) > len(shown) else ""
    return f"{'; '.join(shown) or 'nothing'}{more}"
