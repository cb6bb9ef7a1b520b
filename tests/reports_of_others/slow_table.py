"""Public reports of code that is slow, and the reason that is right.

The programs of ``slow.py`` are written as their reports have them, as far as that can be told. What
is expected is our own judgement, from the report and from what the maintainers answered.
``slow_reports.py`` asks the harness.
"""

from __future__ import annotations

from dataclasses import dataclass

TF = "tensorflow/tensorflow#"
TRACED_AGAIN = "traced again"


@dataclass(frozen=True)
class Slow:
    """A report, the program made of it, and the reason that is right."""

    number: str
    """Where it was reported; empty for a control."""
    program: str
    """A function of ``slow.py``."""
    arguments: tuple[str, ...]
    mode: str
    reason: str
    """The reason's kind; alternatives are separated by ``|``. For a control: the largest share."""
    of: str = ""
    """The argument that is traced again."""
    never: tuple[str, ...] = ()
    """Kinds that must not be among the reasons."""

    @property
    def key(self) -> str:
        """The report among all of them."""
        return f"{self.number} {self.program} {self.mode}"


ROW = ("float32[1,10]",)
MANY = "many small ops"
LOOP = "loop of the graph"
CALLBACK = "Python called from the graph"
PIPELINE = "input pipeline"
TRACED = "traced in the call"

REPORTS = (
    Slow(f"{TF}40261", "make_identity_predict", ROW, "eager", "predict"),
    Slow(f"{TF}33340", "make_compiled_predict", ROW, "eager", "predict"),
    Slow(f"{TF}35124", "make_policy", ("float32[1,5]",), "eager", "predict"),
    Slow(f"{TF}33030", "make_compiled_predict", ("float32[4,10]",), "eager", "predict"),
    Slow(f"{TF}32157", "training_by_epoch", ("slow:epochs",), "as_written", TRACED_AGAIN, "epoch"),
    Slow(f"{TF}24726", "squares", ("slow:numbers",), "as_written", TRACED_AGAIN, "x"),
    Slow(f"{TF}38561", "encode_text", ("slow:lengths",), "as_written", TRACED_AGAIN, "batch"),
    Slow(f"{TF}38561", "encode", ("slow:lengths",), "function", TRACED_AGAIN, "batch"),
    Slow(f"{TF}34025", "encode_text", ("slow:last_batches",), "as_written", TRACED_AGAIN, "batch"),
    Slow(f"{TF}38628", "beam_search", ("float32[4,64]",), "function", "unrolled loop"),
    Slow(f"{TF}39850", "slices", ("float32[16,32,4]",), "function", "unrolled loop"),
    Slow(f"{TF}30596", "make_tape_training", ("float32[32,8]", "float32[32,1]"), "eager", MANY),
    Slow(f"{TF}33898", "make_tape_training", ("float32[8,8]", "float32[8,1]"), "eager", MANY),
    Slow(f"{TF}48844", "make_small_batches", ("float32[4,8]", "float32[4,1]"), "eager", MANY),
    Slow(f"{TF}49229", "make_actor_critic", ("float32[20,4]", "float32[20,1]"), "eager", MANY),
    Slow(f"{TF}24774", "intersections", ("float32[200,16]",), "function", "map_fn"),
    Slow("google/automl#784", "boxes", ("float32[64,8,8]",), "function", "map_fn"),
    Slow(f"{TF}26807", "matrix_exponential", ("float32[8,8]",), "function", LOOP),
    Slow(f"{TF}36557", "rollout", ("float32[4,64]",), "function", LOOP),
    Slow(f"{TF}37488", "augmented", ("float32[512,512]",), "function", CALLBACK),
    Slow(f"{TF}53620", "decoded", ("float32[32,64]",), "function", CALLBACK),
    Slow(f"{TF}80365", "tanh_in_python", ("float32[32,64]",), "function", CALLBACK),
    Slow(f"{TF}40755", "make_mapped_data", ("float32[]",), "eager", f"{PIPELINE}|sequential map"),
    Slow(f"{TF}40634", "make_elements", ("float32[]",), "eager", f"{PIPELINE}|no prefetch|{MANY}"),
    Slow(f"{TF}14480", "make_from_generator", ("float32[]",), "eager", f"{PIPELINE}|no prefetch"),
    Slow(
        "lshug/first-order-model-tf#22", "animate", ("float32[4,64]",), "eager",
        f"{TRACED}|{TRACED_AGAIN}",
    ),
    Slow(f"{TF}46012", "make_models_again", ROW, "eager", f"{TRACED_AGAIN}|{TRACED}"),
    Slow(f"{TF}62854", "train_many", ("float32[4,64]",), "as_written", f"{TRACED}|{TRACED_AGAIN}"),
)  # fmt: skip

CONTROLS = (
    Slow(
        "", "large_product", ("float32[1024,1024]", "float32[1024,1024]"), "eager", "kernels",
        never=(MANY, TRACED, TRACED_AGAIN, "predict"),
    ),
    Slow(
        "", "large_loop", ("float32[512,512]",), "function", "kernels",
        never=("unrolled loop", LOOP, "map_fn", TRACED, CALLBACK),
    ),
    Slow(
        "", "steady", ("slow:same_calls",), "as_written", "",
        never=(TRACED_AGAIN, TRACED, CALLBACK, LOOP),
    ),
    Slow(
        "", "make_prefetched", ("float32[8,64]",), "function", "",
        never=("no prefetch", "sequential map", PIPELINE),
    ),
    Slow(
        "", "sleeping", ("float32[4]",), "eager", "Python",
        never=(MANY, TRACED, PIPELINE, CALLBACK),
    ),
    Slow(
        "", "convolution", ("float32[8,64,64,16]", "float32[3,3,16,32]"), "function", "kernels",
        never=("many small kernels", LOOP, "unrolled loop"),
    ),
)  # fmt: skip
