"""Whether this user made a run: resuming one executes code that its record names.

A run has a mark that only this user's key makes: HMAC-SHA256 over the files that name code. The key
is a private file in the user's state folder. ``report`` and ``compare`` execute nothing, and read
runs of others too.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

from eager_vs_graph.errors import UsageError
from eager_vs_graph.results import files
from eager_vs_graph.results.run import Run
from eager_vs_graph.runs import command

_MARK = "mark"


def mark(run: Run) -> None:
    """Mark a run as this user's; nothing where the user has no state folder to keep a key in."""
    key = _key()
    if key:
        files.write(run.folder, _MARK, _digest(run, key).encode())


def require_own(run: Run) -> None:
    """Check that this user made the run, and nobody changed what it names.

    Raises:
        UsageError: neither is sure; the message says how to resume it anyway.
    """
    key = _key()
    try:
        found = files.read(run.folder / _MARK).decode("ascii")
    except (OSError, UnicodeDecodeError):
        found = ""
    if not (key and hmac.compare_digest(found, _digest(run, key))):
        again = command.line("bench", "--resume", run.folder, "--trust")
        raise UsageError(
            f"{run.folder}: was not made by this user on this machine, or was changed since; "
            f"resuming it executes the code that it names. If you trust it: `{again}`"
        )


def _digest(run: Run, key: bytes) -> str:
    digest = hmac.new(key, digestmod=hashlib.sha256)
    for file in (run.folder / "environment.json", run.payload):
        digest.update(file.read_bytes() if file.is_file() else b"")
        digest.update(b"\0")
    return digest.hexdigest()


def _key() -> bytes:
    """This user's key, made at the first run; empty where none can be kept."""
    home = os.environ.get("XDG_STATE_HOME") or Path("~/.local/state").expanduser()
    file = Path(home) / "eager-vs-graph" / "key"
    try:
        if not file.exists():
            _make_key(file)
        return file.read_bytes()
    except OSError:
        return b""


def _make_key(file: Path) -> None:
    """Make a key at once or not at all: another run that begins now must not read half of it."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, partial = tempfile.mkstemp(dir=file.parent)  # readable by its owner only
    try:
        with os.fdopen(descriptor, "wb") as new:
            new.write(secrets.token_bytes(32))
        with suppress(FileExistsError):  # that run was faster
            file.hardlink_to(partial)  # does not replace a key, as a rename would
    finally:
        Path(partial).unlink()
