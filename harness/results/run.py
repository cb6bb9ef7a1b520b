"""A run's folder: which file holds what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eager_vs_graph.errors import UsageError
from eager_vs_graph.results import codec, files
from eager_vs_graph.results.codec import SCHEMA
from eager_vs_graph.results.explanation import Explanation
from eager_vs_graph.results.record import CellParity, CheckpointParity, PassRecord
from eager_vs_graph.results.request import RunRequest
from eager_vs_graph.results.why import Why
from eager_vs_graph.results.why_files import WhyFile

if TYPE_CHECKING:
    from eager_vs_graph.results.rounds import Rounds


@dataclass(frozen=True)
class _EnvironmentFile:
    environment: dict[str, Any]
    request: RunRequest
    schema: int = SCHEMA


@dataclass(frozen=True)
class _ParityFile:
    cells: list[CellParity]
    schema: int = SCHEMA


@dataclass(frozen=True)
class _CheckpointsFile:
    pairs: list[CheckpointParity]
    schema: int = SCHEMA


@dataclass(frozen=True)
class _ExplanationsFile:
    explanations: list[Explanation]
    schema: int = SCHEMA


@dataclass(frozen=True)
class _PassFile(PassRecord):
    schema: int = field(default=SCHEMA, kw_only=True)


class Run:
    """A run's folder.

    Every method that reads raises ``UsageError`` where the file is missing or damaged, in one line
    that names the file and the field.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def id(self) -> str:
        """The folder's name."""
        return self.folder.name

    @property
    def raw(self) -> Path:
        """The folder of the passes."""
        return self.folder / "raw"

    @property
    def work(self) -> Path:
        """What an unfinished run needs: jobs and journals; gone when it is finished."""
        return self.folder / "work"

    @property
    def files(self) -> Path:
        """What the steps of the compared cells wrote; one folder a cell."""
        return self.folder / "files"

    @property
    def payload(self) -> Path:
        """The user's function and arguments, pickled, where they are no module's."""
        return self.folder / "adopted.pkl"

    @property
    def owner(self) -> Path:
        """The id of the process that measures the run."""
        return self.work / "pid"

    @property
    def is_linked(self) -> bool:
        """Whether what an open pass needs is a link to another folder, or not there."""
        return not all(map(files.is_own_folder, (self.raw, self.work)))

    def rounds_file(self, number: int) -> Path:
        """What was timed in a pass; an older version's record has JSON in its place."""
        older = self.raw / f"pass-{number}.json"
        return older if older.exists() else self.raw / f"pass-{number}.rounds"

    def pass_cells_file(self, number: int) -> Path:
        """Cold costs, failures and machine state of a pass."""
        return self.raw / f"pass-{number}.cells.json"

    def save_environment(self, environment: dict[str, Any], request: RunRequest) -> None:
        """Write what was asked for and where it ran."""
        codec.write_json(self.folder / "environment.json", _EnvironmentFile(environment, request))

    @property
    def environment(self) -> dict[str, Any]:
        """What the run ran on."""
        return self._environment_file.environment

    @property
    def request(self) -> RunRequest:
        """What was asked for."""
        return self._environment_file.request

    @cached_property
    def _environment_file(self) -> _EnvironmentFile:
        return codec.read(self.folder / "environment.json", _EnvironmentFile)

    def save_parity(self, cells: list[CellParity]) -> None:
        """Write the parity of all cells."""
        codec.write_json(self.folder / "parity.json", _ParityFile(cells))

    def parity(self) -> list[CellParity]:
        """Read the parity of all cells."""
        return codec.read(self.folder / "parity.json", _ParityFile).cells

    def save_checkpoints(self, pairs: list[CheckpointParity]) -> None:
        """Write what became of every checkpoint; no file where there was none."""
        if pairs:
            codec.write_json(self.folder / "checkpoints.json", _CheckpointsFile(pairs))

    def checkpoints(self) -> list[CheckpointParity]:
        """Read what became of every checkpoint; nothing where the run has no such file."""
        path = self.folder / "checkpoints.json"
        return codec.read(path, _CheckpointsFile).pairs if path.exists() else []

    def save_explanations(self, explanations: list[Explanation]) -> None:
        """Write why cells disagree; no file where none does."""
        if explanations:
            codec.write_json(self.folder / "explanations.json", _ExplanationsFile(explanations))

    def explanations(self) -> list[Explanation]:
        """Read why cells disagree; nothing where the run has no such file."""
        path = self.folder / "explanations.json"
        return codec.read(path, _ExplanationsFile).explanations if path.exists() else []

    def save_why(self, why: Why) -> None:
        """Write where the time of calls goes; no file where nobody looked."""
        if why.cells:
            codec.write_json(self.folder / "why.json", WhyFile(why))

    def why(self) -> Why:
        """Read where the time of calls goes; nothing where the run has no such file."""
        path = self.folder / "why.json"
        return codec.read(path, WhyFile).why if path.exists() else Why()

    def save_pass(self, record: PassRecord) -> None:
        """Write what a pass says besides its rounds."""
        file = self.pass_cells_file(record.number)
        codec.write_json(file, _PassFile(**vars(record)), within=self.folder)

    def pass_numbers(self) -> list[int]:
        """Numbers of the passes that have a file, in order."""
        names = (path.name.split(".")[0] for path in self.raw.glob("pass-*.cells.json"))
        numbers = (name.removeprefix("pass-") for name in names)
        return sorted(int(number) for number in numbers if number.isdecimal())

    def spent_s(self) -> float:
        """Wall seconds of the passes, of those that ended as they should and of the others."""
        records = [self.pass_record(number) for number in self.pass_numbers()]
        return sum(record.wall_s for record in records)

    def pass_record(self, number: int) -> PassRecord:
        """Read what a pass says besides its rounds."""
        file = self.pass_cells_file(number)
        record = codec.read(file, PassRecord)
        if record.number != number:
            raise UsageError(f"{file}: damaged: it is of pass {record.number} - at `$.number`")
        return record

    def save_rounds(self, number: int, timed: Sequence[Rounds]) -> None:
        """Write what was timed in a pass."""
        from eager_vs_graph.results import rounds

        files.write(self.folder, f"raw/pass-{number}.rounds", rounds.encode(timed))

    def rounds(self, number: int) -> list[Rounds]:
        """What was timed in a pass, in the order in which it was timed."""
        # NumPy takes a while, and verbs that read no rounds need not wait for it.
        from eager_vs_graph.results import rounds

        file = self.rounds_file(number)
        return rounds.decode_json(file) if file.suffix == ".json" else rounds.decode(file)
