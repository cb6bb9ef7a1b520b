"""What a scenario's author writes, and all that an author needs to read.

A scenario is one workload in ordinary TensorFlow 2, written once and knowing nothing of modes::

    class Doubling(Scenario):
        '''Double a vector and count the calls.'''

        name = "doubling"
        sizes = {"tiny": Size(n=8), "large": Size(n=100_000)}

        def inputs(self, rng):
            return [{"x": rng.standard_normal(self.size.n, dtype=np.float32)}]

        def build(self):
            self.calls = tf.Variable(0)

        def step(self, x):
            self.calls.assign_add(1)
            return {"doubled": 2.0 * x}

        def reference(self, state, x):
            state["calls"] += 1
            return {"doubled": 2.0 * x}

Put it in a file of its own under ``scenarios/`` (or in any folder given to ``--scenarios``);
nothing has to be registered. ``name``, ``concept``, ``sizes``, ``default_sizes``, ``timing`` and
the docstring must be literal: ``list`` reads them without executing the file.
"""

from __future__ import annotations

import inspect
import shutil
import tempfile
import weakref
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from eager_vs_graph.errors import NoReference

Array = NDArray[Any]
Feed = dict[str, Array]
"""The NumPy inputs of one step, by argument name of ``step``."""

State = dict[str, Array]
"""Values of the variables that ``build`` made, by structural name (see ``modes/variables.py``)."""

SEED = 20181031
"""The seed of inputs and initial values: the date of the guide's TensorFlow."""


class Size(Mapping[str, Any]):
    """One parameter set of a scenario; parameters read as attributes: ``self.size.n``.

    Raises:
        ValueError: a parameter is named like a method of mappings, which would be read instead.
    """

    def __init__(self, **parameters: Any) -> None:
        if hidden := sorted(name for name in parameters if hasattr(self, name)):
            raise ValueError(
                f"size has parameter {hidden[0]!r}, but self.size.{hidden[0]} is a method of every "
                "mapping; name it otherwise"
            )
        self._parameters = MappingProxyType(dict(parameters))

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["_parameters"][name]
        except KeyError:
            known = ", ".join(self.__dict__.get("_parameters", ())) or "none"
            raise AttributeError(f"size has no parameter {name!r} (it has: {known})") from None

    def __getitem__(self, name: str) -> Any:
        return self._parameters[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._parameters)

    def __len__(self) -> int:
        return len(self._parameters)

    def __repr__(self) -> str:
        return f"Size({', '.join(f'{k}={v!r}' for k, v in self._parameters.items())})"


@dataclass(frozen=True)
class Tolerance:
    """How far a value may be from its reference and still be called ``close``.

    An element is close when ``|value - reference| <= atol + rtol * |reference|``. The default for
    a dtype is that of ``torch.testing.assert_close`` (``child/parity/compare.py``). An ``atol``
    above zero hides the loss of every digit in small values: use zero where small values matter.

    Attributes:
        rtol: relative tolerance, no unit.
        atol: absolute tolerance, in the unit of the tensor.
    """

    rtol: float
    atol: float = 0.0

    def __post_init__(self) -> None:
        if not (0 <= self.rtol < 1 and self.atol >= 0):
            raise ValueError(f"{self}: rtol must be in [0, 1) and atol at least 0")


@dataclass(frozen=True)
class KnownDifference:
    """A disagreement that the author knows and explains; it is still shown, but fails nothing.

    Attributes:
        tensors: names of the outputs or variables that differ.
        reason: why they differ, in one sentence: it is printed beside every occurrence.
        against: the references it holds for, of ``eager`` and ``reference``.
        modes: the modes it holds for; empty means every mode.
        sizes: the sizes it holds for; empty means every size.
        inputs: the inputs policies it holds for; empty means both.
    """

    tensors: tuple[str, ...]
    reason: str
    against: tuple[str, ...] = ("eager", "reference")
    modes: tuple[str, ...] = ()
    sizes: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        # Until 0.1 the reference was called "oracle".
        renamed = tuple("reference" if each == "oracle" else each for each in self.against)
        object.__setattr__(self, "against", renamed)

    def covers(self, tensor: str, *, against: str, mode: str, size: str, inputs: str) -> bool:
        """Whether the difference was declared for this tensor in this comparison."""
        return (
            tensor in self.tensors
            and against in self.against
            and (not self.modes or mode in self.modes)
            and (not self.sizes or size in self.sizes)
            and (not self.inputs or inputs in self.inputs)
        )


@dataclass(frozen=True)
class Goal:
    """What a training scenario must have learned, in every mode.

    Attributes:
        steps: how many steps to run from the initial state before measuring.
        expect: lowest and highest acceptable value of each quantity that ``measure`` returns.
        sizes: the sizes the goal is checked at; empty means every size.
        curve: the output of ``step`` that is recorded on the way and drawn, mode by mode: a scalar
            (one value a step) or a vector (one value an update, step after step). Empty: none.
    """

    steps: int
    expect: Mapping[str, tuple[float, float]]
    sizes: tuple[str, ...] = ()
    curve: str = ""


_RENAMED = {"oracle": "reference", "oracle_written": "reference_written"}


class Scenario:
    """One workload; subclass it, one class a scenario.

    The harness makes an instance per program, calls ``build`` once and ``step`` often, and finds
    the state in the instance's attributes: variables, layers, models, optimizers and metrics that
    ``build`` assigned to ``self``.

    Attributes:
        name: text in lower case with underscores, unique in the catalogue.
        sizes: the parameter sets, from small to large.
        default_sizes: the sizes that run when none is asked for; empty means every size.
        concept: what of TensorFlow the workload is about, in a few words.
        tolerance: one for all tensors, or by tensor name; default: by dtype.
        parity_steps: how many steps parity compares.
        known_differences: disagreements declared with their reason.
        goal: what training must reach; needs ``measure``.
        timing: a line in the guide's own words, such as ``"Time to multiply a ({n}, {n}) matrix by
            itself {products} times:"``, with the size's parameters in braces. Reports print it
            with the seconds of a call of the size ``guide`` on every device.
        unsupported: reasons, by mode, why the workload cannot run there. Only for what
            TensorFlow does not report by itself.
        traces_itself: ``step`` makes its own tf.functions, as Keras's ``fit`` does. Mode ``eager``
            then calls it under ``tf.config.run_functions_eagerly(True)``, ``function`` calls it
            as it is, and modes that put ``step`` into a graph of theirs are ``unsupported``. Make
            the functions once, in ``build`` or on the first call, or every call traces anew.
        judged_by_eager: the reference is the scenario's own code in float64, so that no author has
            said how near to it float32 should come: an answer that is about as near as eager's is
            ``close``, and where eager itself loses its digits, that is told and blames no mode.
        own_functions: names of the tf.functions in adopted code that a step calls. Modes take them
            as Python, but for those of an instance that ``keeps_functions``, which is set before
            ``build``; ``functions`` then returns them.
        python_inputs: names of inputs that are Python numbers in ``step`` and not tensors, given
            as arrays without dimensions: a tf.function is traced for each. Modes of one graph are
            then ``unsupported``.
        batch: names of the inputs whose first dimension is the batch. The distribution modes
            split them evenly among replicas, and are ``unsupported`` where none is named. Name
            outputs too that have a row for each example: they are put together again.
        replicas: what the modes of ``batch`` make of the replicas' results, ``mean`` or ``sum``.
        checkpoint: of an instance: a ``tf.train.Checkpoint``, where ``build`` assigned one. Then a
            checkpoint that one mode wrote after ``parity_steps`` steps must restore in every mode
            bit for bit, from a state in which every variable has another value, and training on
            must give what it gives in the mode that wrote.
        folder: of an instance: an empty folder for the files of its steps (see below).

    Each replica does ``step`` on its share of the batch. With ``mean``, whatever the replicas
    return and write to floating-point variables is averaged, and so are the gradients of Keras
    optimizers: a step that averages over its batch (``tf.reduce_mean``) does the same as on the
    whole batch. With ``sum`` it is added up: for a step that divides by the whole batch itself, as
    ``tf.nn.compute_average_loss`` and the losses of Keras do. Other dtypes count, choose or name:
    every replica must return the same, and the first one's are written. A variable with an
    ``aggregation`` of its own keeps it. What is no sum over examples is not the same in parts:
    clipping of gradients, batch normalization, noise.
    """

    name: ClassVar[str]
    sizes: ClassVar[Mapping[str, Size]]
    default_sizes: ClassVar[tuple[str, ...]] = ()
    concept: ClassVar[str] = ""
    tolerance: ClassVar[Tolerance | Mapping[str, Tolerance] | None] = None
    parity_steps: ClassVar[int] = 3
    known_differences: ClassVar[tuple[KnownDifference, ...]] = ()
    goal: ClassVar[Goal | None] = None
    timing: ClassVar[str] = ""
    unsupported: ClassVar[Mapping[str, str]] = MappingProxyType({})
    traces_itself: ClassVar[bool] = False
    judged_by_eager: ClassVar[bool] = False
    own_functions: ClassVar[tuple[str, ...]] = ()
    python_inputs: ClassVar[tuple[str, ...]] = ()
    keeps_functions: bool = False

    batch: ClassVar[tuple[str, ...]] = ()
    replicas: ClassVar[Literal["mean", "sum"]] = "mean"

    checkpoint: Any = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # Until 0.1 the reference was called "oracle"; scenarios written for it still run.
        for old, new in _RENAMED.items():
            if old in vars(cls) and new not in vars(cls):
                setattr(cls, new, vars(cls)[old])

    def __init__(self, size: Size) -> None:
        self.size = size

    @cached_property
    def folder(self) -> Path:
        """A folder for the files of this instance's steps, empty at first.

        Every program has its own, made when it is first asked for and removed with the program:
        what is timed leaves nothing on the disk. In ``build``, give a summary writer this folder
        and assign the writer to ``self``; the harness initialises and flushes it where TensorFlow
        leaves that to the user::

            self.writer = tf.summary.create_file_writer(str(self.folder))

        Where ``build`` has asked for the folder, what the compared steps wrote to it is compared
        too (see ``written``), and kept in the run's folder, where ``tensorboard --logdir`` finds
        it.
        """
        folder = Path(tempfile.mkdtemp(prefix=f"{self.name}-"))
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        return folder

    def inputs(self, rng: np.random.Generator) -> Sequence[Feed]:
        """Return the feeds of successive steps; they are cycled.

        Every feed is a dict from argument name of ``step`` to a NumPy array of explicit dtype
        (beware of float64: ``float32_array / np.sqrt(n)`` is one). Draw from ``rng`` only: it is
        seeded, and the same for every mode.
        """
        raise NotImplementedError

    def build(self) -> None:
        """Create every variable, layer and optimizer, and assign them to ``self``.

        Give Keras layers and optimizers their shapes here (``layer.build``, ``optimizer.build``):
        a ``step`` that creates variables is refused, because no state could be loaded before it.
        """

    def step(self, *args: Any, **inputs: Any) -> Mapping[str, Any]:
        """Do one unit of work and return named tensors.

        Natural TensorFlow 2; the arguments are tensors named like the feed's entries.
        """
        raise NotImplementedError

    def reference(
        self,
        state: State,  # noqa: ARG002 - for those who write one
        /,
        *args: Any,  # noqa: ARG002
        **inputs: Any,  # noqa: ARG002
    ) -> Mapping[str, Array]:
        """Do the same step in NumPy, independently: no TensorFlow.

        Args:
            state: value of every variable; floats are float64. Update it in place.
            args: not used; with it, a subclass may name its arguments.
            inputs: the feed; floats are float64.

        Returns:
            An array for each output of ``step``, of the same name and shape.

        Raises:
            NoReference: there is none, for the reason given; the modes are then compared with
                eager alone. A scenario without this method has none.
        """
        raise NoReference("the scenario has no method `reference`")

    def written(self) -> Mapping[str, Array]:
        """Return what the steps wrote to ``folder``, read back and compared like an output.

        As it is, this reads the summaries in ``folder`` with TensorBoard's reader: for each tag,
        ``summary of <tag>``, the values in the order of writing, and ``steps of <tag>`` (int64).
        A scenario that writes other files overrides it: one array for each thing written, whose
        first axis grows with every write. No TensorFlow.
        """
        from eager_vs_graph.results.event_files import read_summaries

        return read_summaries(self.folder)

    def reference_written(
        self,
        outputs: Sequence[Mapping[str, Array]],  # noqa: ARG002 - for those who override it
    ) -> Mapping[str, Array]:
        """Return what ``written`` should return after some steps from the initial state.

        To be written for every scenario whose steps write to ``folder``. NumPy only.

        Args:
            outputs: what ``reference`` returned for each of the steps.
        """
        return {}

    def measure(self, state: State) -> Mapping[str, float]:
        """Return the quantities that ``goal`` expects, from the state after ``goal.steps`` steps.

        NumPy only. ``state`` holds the variables' values in their own dtypes.
        """
        raise NotImplementedError

    def functions(self) -> Sequence[Any]:
        """The tf.functions that the step calls and that are kept; see ``own_functions``."""
        return ()

    @classmethod
    def source_file(cls) -> str:
        """The author's file: its lines are named in messages."""
        return inspect.getfile(cls)

    @classmethod
    def adopted(cls) -> dict[str, Any]:
        """What a run's record says of user's code that was adopted; nothing of a scenario's."""
        return {}

    @classmethod
    def summary(cls) -> str:
        """The first line of the class's docstring."""
        return (cls.__doc__ or "").strip().partition("\n")[0]

    @classmethod
    def tolerance_of(cls, tensor: str) -> Tolerance | None:
        """The declared tolerance of a tensor, or None for its dtype's default."""
        if isinstance(cls.tolerance, Mapping):
            return cls.tolerance.get(tensor)
        return cls.tolerance
