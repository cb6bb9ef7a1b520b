"""What reports and statistics read from a run's request, one function for each need.

The record's other readers go through ``eager_vs_graph.results.record``. Entries that an older
record lacks read as empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from eager_vs_graph.results.mode_kinds import EXECUTION

Request = Mapping[str, Any]
"""``Run.request()``."""

BY_TESTS = "pytest"


def command(request: Request) -> str:
    """Return the command line that made the run."""
    return str(request.get("command", ""))


def scenario_names(request: Request) -> list[str]:
    """Return the names of the scenarios, in the run's order."""
    return list(request.get("scenarios", {}))


def scenario_summary(request: Request, scenario: str) -> str:
    """Return what a scenario computes, in its author's words."""
    return str(_scenario(request, scenario).get("summary", ""))


def size_parameters(request: Request, scenario: str) -> dict[str, str]:
    """Return the parameters of each size of a scenario, such as ``n=8, products=20``."""
    return dict(_scenario(request, scenario).get("sizes", {}))


def timing_line(request: Request, scenario: str) -> str:
    """Return the line that heads the seconds of a scenario's size ``guide``."""
    return str(_scenario(request, scenario).get("timing", ""))


def mode_kinds(request: Request) -> dict[str, str]:
    """Return the kind of each mode; empty for records that are older than kinds."""
    about = request.get("about_modes", {})
    return {mode: str(each.get("kind", EXECUTION)) for mode, each in about.items()}


def mode_summaries(request: Request) -> dict[str, str]:
    """Return what each mode is, in a line; empty for records that are older than kinds."""
    about = request.get("about_modes", {})
    return {mode: str(each.get("summary", "")) for mode, each in about.items()}


def adopted_scenarios(request: Request) -> set[str]:
    """Return the names of the scenarios that are a user's own function or model."""
    return {entry["name"] for entry in request.get("entries", ()) if entry.get("target")}


def adoption_notes(request: Request) -> list[str]:
    """Return what a reader should know of how code of the user's own was run."""
    return list(request.get("notes", []))


def absent_devices(request: Request) -> list[str]:
    """Return the kinds of devices that were asked for and not found."""
    return list(request.get("absent_devices", []))


def control_of(request: Request) -> str | None:
    """Return the mode that the A/A control repeats; None where there is no control."""
    twin: str | None = request.get("control_of")
    return twin


def passes_asked_for(request: Request) -> int | None:
    """Return the number of passes that was asked for; None where precision and budget decide."""
    passes: int | None = request.get("passes")
    return passes


def budget_s(request: Request) -> float:
    """Return the budget in seconds; 0 where there was none."""
    return float(request.get("budget_s") or 0.0)


def precision(request: Request) -> float:
    """Return the half-width of the intervals that was aimed at, as a fraction; 0 for none."""
    return float(request.get("precision") or 0.0)


def seed(request: Request) -> int:
    """Return the seed of the order of blocks."""
    return int(request.get("seed") or 0)


def logical_cpus(request: Request) -> int:
    """Return how many logical devices the CPU was split into."""
    return int(request.get("logical_cpus") or 1)


def recorded_by_tests(request: Request) -> bool:
    """Whether a test suite recorded the run, which times one mode after the other."""
    return request.get("recorded_by") == BY_TESTS


def _scenario(request: Request, name: str) -> Mapping[str, Any]:
    described: Mapping[str, Any] = request.get("scenarios", {}).get(name, {})
    return described
