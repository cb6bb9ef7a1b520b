"""Records with one thing changed that nobody would have written. No TensorFlow."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import strategies as st
from record_fixture import Shape, as_older_version_wrote, write_run

from eager_vs_graph.results import explanation as found
from eager_vs_graph.results.record import TensorComparison
from eager_vs_graph.results.run import Run

SHAPE = Shape(
    scenarios=("mnist_step",),
    modes=("eager", "session", "control"),
    inputs=("resident",),
    passes=2,
    blocks=2,
    curves=True,
    kinds={"eager": "execution", "session": "execution"},
)
CELL = "mnist_step/small/session/CPU:0/resident"
HUGE = 10**400
DEEP: Any = []
for _ in range(500):
    DEEP = [DEEP]

Content = dict[str, Any]
Files = dict[str, Content]

EXPLANATION = found.Explanation(
    cell=CELL,
    status="differs",
    reason="loss: 2 ULP",
    tensors=(TensorComparison("loss", "output", "eager", "differs", dtype="float32"),),
    against_reference=(TensorComparison("loss", "output", "reference", "differs"),),
    judgements=(
        found.Judgement(
            *("loss", "output", 0, (1,), "1.0"),
            sides=(found.Accuracy("session", "1.1", 2.0, 6.0),),
            verdict="eager is right",
        ),
    ),
    profiles=(
        found.Profile(
            *("loss", "output", "session", 0, 3),
            index=(0, 1, 2),
            value=("1.0", "2.0", "nan"),
            eager=("1.0", "2.5", "3.0"),
            reference=("1.0", "2.0", "3.0"),
            ulp=(0.0, 4.0, None),
            histogram=(1, 0, 0, 1),
            errors={"eager": (0.0, 0.5), "session": (0.0, None)},
        ),
    ),
    causes=(
        found.Cause("grappler", "remapping", "it fuses", "turn it off", ("loss",), ("a.py:1",)),
    ),
    origins=(found.Origin("loss", 0, "MatMul", "a.py:1", (0,), "1", "2", "3 ULP"),),
    unexplained=("weights",),
)
ENTRY = {
    "name": "mnist_step",
    "summary": "One step.",
    "sizes": {"small": "batch=32"},
    "file": "mnist_step.py",
    "class_name": "MnistStep",
    "concept": "",
    "default_sizes": ["small"],
    "timing": "",
    "distribution": "",
    "module": "",
    "target": {
        "reference": "a:f",
        "part": "call",
        "optional": False,
        "path": ["."],
        "arguments": ["float32[4]"],
        "batch": 32,
        "label": "",
        "loss": "",
        "optimizer": "",
        "payload": "",
    },
}


def sound(folder: Path) -> Files:
    """The files of a record that has something in every field, by their paths in the folder.

    Its first pass was recorded by an older version.
    """
    run = Run(write_run(folder, SHAPE))
    as_older_version_wrote(run, 1)
    run.save_explanations([EXPLANATION])
    names = ("environment", "parity", "checkpoints", "explanations")
    every = [f"{name}.json" for name in names]
    every += [str(path.relative_to(folder)) for path in sorted(run.raw.iterdir())]
    files = {name: load(folder / name) for name in every}
    request = files["environment.json"]["request"]
    request["entries"] = [ENTRY]
    request["timed"] = [
        {"cell": cell, "mode": cell.split("/")[2], "group": "g"}
        for cell in request["cells"]
        if "/control/" not in cell
    ]
    request["budget_s"], request["notes"] = 60.0, ["adopted as it stands"]
    return files


odd: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from([None, True, 0, -1, 7, 2**31, 2**63, -(2**70), HUGE, 0.5, -1.5, 1e300, 5e-324]),
    st.sampled_from(["", "x", "{n.__class__}", "=1+1", "../../x", "a/b/c/d/e", "\x1b[2J", "1e999"]),
    st.sampled_from(["x" * 5000, "identical", "differs", "$\\frac{", "²", "\ud800", "a\0b\n"]),
    st.sampled_from([[], [[]], {}, {"x": 1}, [None], ["x", 1], DEEP]),
    st.text(max_size=8),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
)


@st.composite
def changes(draw: st.DrawFn, files: Files) -> tuple[str, Content | list[Any] | Any]:
    """A file's name, and its content with one place changed: another value, none, or one more."""
    name = draw(st.sampled_from(sorted(files)))
    content = copy.deepcopy(files[name])
    place: Any = content
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not keys:
            return name, content
        key = draw(st.sampled_from(keys))
        inner = place[key]
        if isinstance(inner, dict | list) and inner and draw(st.integers(0, 9)):
            place = inner
            continue
        break
    kind = draw(st.sampled_from(["value", "value", "value", "gone", "key", "twice"]))
    if kind == "gone":
        del place[key]
    elif kind == "key" and isinstance(place, dict):
        place[draw(st.text(max_size=6)) or "new"] = place.pop(key)
    elif kind == "twice" and isinstance(place, list):
        place.append(copy.deepcopy(place[key]))
    else:
        place[key] = draw(odd)
    return name, content


def put(folder: Path, name: str, content: Any) -> Callable[[], None]:
    """Write the changed file; the answer puts the sound one back."""
    path = folder / name
    before = path.read_bytes()
    save(path, content)
    return lambda: path.write_bytes(before) and None


def load(path: Path) -> Any:
    """The content of a file of a record, as it is nested."""
    decode = msgspec.msgpack.decode if path.suffix == ".rounds" else msgspec.json.decode
    return decode(path.read_bytes())


def save(path: Path, content: Any) -> None:
    """The inverse."""
    if path.suffix == ".rounds":
        path.write_bytes(msgspec.msgpack.encode(_packable(content)))
    else:
        path.write_bytes(json.dumps(content).encode("utf-8", "surrogatepass"))


def _packable(content: Any) -> Any:
    """Without what MessagePack cannot hold."""
    if isinstance(content, int) and not -(2**63) <= content < 2**64:
        return float("inf")
    if isinstance(content, str):
        return content.encode("utf-8", "replace").decode()
    if isinstance(content, list):
        return [_packable(each) for each in content]
    if isinstance(content, dict):
        return {_packable(key): _packable(value) for key, value in content.items()}
    return content
