"""Judges what the harness said of the reports, and makes docs/differences.md of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from table import Report

RIGHT, WRONG, NO_CAUSE = "right", "wrong", "no cause"
NOT_REPRODUCIBLE = "not reproducible on this version"


@dataclass(frozen=True)
class Answer:
    """What the harness said of a report, and our judgement of it."""

    report: Report
    status: str
    op: str
    line: str
    causes: tuple[str, ...]
    seconds: float
    word: str


def judged(report: Report, told: dict[str, Any]) -> Answer:
    """The answer, held against what is right."""
    origin = next((each for each in told.get("origins", ()) if each["op"]), None)
    causes = [each for each in told.get("causes", ()) if each["name"] != "unequal work"]
    lines = [line for each in causes for line in each["where"]]
    if origin is not None and origin["line"]:
        lines.insert(0, origin["line"])
    named = next((each for each in lines if _any(report.line, each)), lines[0] if lines else "")
    return Answer(
        report,
        told["status"],
        origin["op"] if origin is not None else "",
        named,
        tuple(f"{each['name']}: {each['what']}" for each in causes),
        told.get("seconds", 0.0),
        _word(report, told, origin["op"] if origin is not None else "", causes, lines),
    )


def _word(
    report: Report, told: dict[str, Any], op: str, causes: list[dict[str, Any]], lines: list[str]
) -> str:
    agrees = told["status"] in ("identical", "close") and not told.get("tensors")
    if agrees and not causes:
        return NOT_REPRODUCIBLE if report.number else RIGHT
    if not report.number:
        return WRONG
    if not causes:
        return NO_CAUSE if "tensors" in told else WRONG
    name, what = report.cause
    fitting = [
        each
        for each in causes
        if each["name"] == name
        and _any(what, " ".join([each["what"], each["summary"], *each["evidence"]]))
    ]
    ops = not op or not report.op or op in report.op.split("|")
    at = any(_any(report.line, each) for each in lines)
    return RIGHT if len(fitting) == len(causes) and ops and (at or not report.line) else WRONG


def _any(alternatives: str, text: str) -> bool:
    return any(each in text for each in alternatives.split("|"))


def line(answer: Answer) -> str:
    """An answer in a line."""
    number = answer.report.number or "control"
    return (
        f"{answer.word:<9.9} {number:<28} {answer.report.program} [{answer.report.mode}] "
        f"{answer.status} | {answer.op} | {answer.line} | {'; '.join(answer.causes)} | "
        f"{answer.seconds:.1f} s"
    )


def total(answers: list[Answer]) -> str:
    """The numbers."""
    words = [each.word for each in answers if each.report.number]
    controls = [each.word for each in answers if not each.report.number]
    flagged = len(words) - words.count(NOT_REPRODUCIBLE)
    return (
        f"{len(words)} reports: {words.count(NOT_REPRODUCIBLE)} not reproducible on this version, "
        f"{flagged} flagged. Causes: {words.count(RIGHT)} right, {words.count(NO_CAUSE)} not "
        f"found, {words.count(WRONG)} wrong. {controls.count(RIGHT)} of {len(controls)} controls "
        "without an alarm."
    )


_HEAD = """# What it says of other people's reports

Public reports of values that differ between eager and a graph, each rebuilt as a program of a few
lines in [tests/reports_of_others](../tests/reports_of_others), and what `explain` says of it. This
page is written by `make differences`, which asks about all of them; it says what one run on one
machine gave ({system}, TensorFlow {tensorflow}).

{total}

*Right* is our own judgement: the cause, the first op that differs (where values drift apart at an
op) and the line are what the report, its answers and a look at the code or at the HLO say. *Not
reproducible on this version* is said where every mode gives the same here.

| report | mode | status | first op that differs | line | cause | judgement |
| --- | --- | --- | --- | --- | --- | --- |
"""
_CONTROLS = """
## Controls

Programs that look like the reports, in which nothing differs:

| program | mode | status | judgement |
| --- | --- | --- | --- |
"""


def page(answers: list[Answer]) -> str:
    """The page."""
    import platform
    from importlib.metadata import version

    head = _HEAD.format(
        total=total(answers),
        system=f"{platform.system()} {platform.machine()}",
        tensorflow=version("tensorflow"),
    )
    rows = [
        f"| {_link(a.report.number)} `{a.report.program.partition(':')[2]}` | {a.report.mode} | "
        f"{_cell(a.status)} | {a.op} | {_code(a.line)} | {_cell('; '.join(a.causes))} | {a.word} |"
        for a in answers
        if a.report.number
    ]
    controls = [
        f"| `{a.report.program.partition(':')[2]}` | {a.report.mode} | {a.status} | "
        f"{'silent' if a.word == RIGHT else a.word} |"
        for a in answers
        if not a.report.number
    ]
    return head + "\n".join(rows) + "\n" + _CONTROLS + "\n".join(controls) + "\n"


def _link(number: str) -> str:
    project, _, issue = number.partition("#")
    if not issue:
        return f"[{number}](https://www.tensorflow.org/guide/function)"
    return f"[{number}](https://github.com/{project}/issues/{issue})"


def _code(text: str) -> str:
    place, _, code = text.partition(": ")
    return f"{place} `{_cell(code)}`" if code else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
