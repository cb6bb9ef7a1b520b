"""What the harness says of the reports of ``slow_table.py``: as lines, and as docs/why.md."""

from __future__ import annotations

import platform
from dataclasses import dataclass, replace
from importlib.metadata import version

from page import _cell, _link
from slow_table import Slow

from eager_vs_graph.reports.formatting import seconds
from eager_vs_graph.reports.why_wording import advice, retraces, sentence
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.why import CellWhy, Reason, reasons, with_measured

RIGHT, NAMED, WRONG, ERROR = "right", "named, not first", "wrong", "not answered"
WITHIN = 1.3


@dataclass(frozen=True)
class Judged:
    """A report, what was said of it, and the judgement."""

    report: Slow
    found: CellWhy
    reasons: list[Reason]
    word: str


def judged(report, found):
    """Whether the right reason is named, and first; of a control, whether no wrong one is."""
    if found.error:
        return Judged(report, found, [], ERROR)
    said = reasons(found)
    fits = [_fits(report, each) for each in said]
    if any(each.kind in report.never for each in said):
        word = WRONG
    elif not report.number:
        word = RIGHT if not report.reason or fits[-1] else WRONG
    else:
        word = RIGHT if fits[0] else NAMED if any(fits) else WRONG
    return Judged(report, found, said, word)


def _fits(report, reason):
    return reason.kind in report.reason.split("|") and (
        not report.of or reason.kind != "traced again" or reason.of == report.of
    )


def line(answer):
    """One line for the terminal."""
    said = ", ".join(_reason(each) for each in answer.reasons) or answer.found.error
    report = answer.report
    return f"{answer.word:17} {report.number or 'control'} {report.program} {report.mode}: {said}"


def total(answers):
    """How many are right."""
    reports = [each for each in answers if each.report.number]
    controls = [each for each in answers if not each.report.number]
    right, named = (sum(each.word == w for each in reports) for w in (RIGHT, NAMED))
    silent = sum(each.word == RIGHT for each in controls)
    return (
        f"of {len(reports)} reports, the right reason is said first in {right} and also said in "
        f"{named}; of {len(controls)} controls, {silent} are said nothing wrong of"
    )


def page(answers, built_in):
    """The page."""
    head = _HEAD.format(
        total=total(answers),
        system=f"{platform.system()} {platform.machine()}",
        tensorflow=version("tensorflow"),
    )
    reports = [_row(each) for each in answers if each.report.number]
    controls = [_row(each) for each in answers if not each.report.number]
    return "\n".join(
        [head + "\n".join(reports), _CONTROLS + "\n".join(controls), *_scenarios(built_in)]
    )


def _row(answer):
    report, found = answer.report, answer.found
    said = [text for text, _, _ in retraces([r for r in found.retraces if r.remedy])]
    said += [advice(each) for each in found.advice]
    return (
        f"| {_link(report.number) if report.number else ''} `{report.program}` | {report.mode} | "
        f"{_cell(sentence(found))} | {_cell('; '.join(said))} | {answer.word} |"
    )


def _reason(reason):
    return f"{reason.kind} ({reason.of})" if reason.of not in ("", "call") else reason.kind


def _scenarios(built_in):
    """The table of shares, and the one of predictions."""
    if not built_in:
        return []
    cells = with_measured(tuple(replace(c, cell=n) for n, c in built_in.items()))
    answered = [cell for cell in cells if not cell.error]
    adding = sum(cell.adds_up for cell in answered)
    rows = [
        f"| {_name(cell)} | {sentence(cell).partition(': ')[0]} | "
        f"{_cell(sentence(cell).partition(': ')[2])} | {100 * (1 - cell.missing):.0f} % |"
        for cell in answered
    ]
    pairs = [(c, p) for c in answered for p in c.predictions if p.measured_s]
    good = [(c, p) for c, p in pairs if 1 / WITHIN <= p.measured_s / p.expected_s <= WITHIN]
    predicted = [
        f"| {_name(cell)} | {each.mode} | {seconds(each.expected_s)} | "
        f"{seconds(each.measured_s)} | "
        f"{each.measured_s / each.expected_s:.2f} |"
        for cell, each in pairs
    ]
    return [
        _SCENARIOS.format(adding=adding, of=len(answered)) + "\n".join(rows),
        _PREDICTIONS.format(good=len(good), of=len(pairs)) + "\n".join(predicted) + "\n",
    ]


def _name(cell):
    of = Cell.parse(cell.cell)
    return f"{of.scenario} {of.size} in {of.mode}"


_HEAD = """# Why it is slow

`eager-vs-graph why TARGET` says where the time of a call goes in every mode, which argument makes a
`tf.function` trace again, and which change makes the call shorter. This page asks it about public
reports. `make slow` writes it, and keeps answers from run to run: these are of several runs, on
{system} with TensorFlow {tensorflow}, on a machine that was busy with other work.

How to read it: seconds are the clock's, while nothing is watched. Shares are those of TensorFlow's
profiler, in calls of their own, less what the profiler itself costs. A remedy is said only where it
was tried and gained something; *right* means that the reason which is said first is the one that
the report's authors or maintainers found.

## Reports

{total}.

That is no forecast for reports that nobody here has seen. What is expected was written by the
authors of this tool. After the first answers, the order in which reasons are said was changed,
and faults were mended; the input of one program was enlarged (37488), another got its right mode
(62854), the reason expected of a third was changed (46012), and one program was dropped, which
was not what its report describes. Before all that, the right reason was said first for 19 of 29,
and also said for 2.

| report | mode | where the time goes | what was tried and helped | judgement |
| --- | --- | --- | --- | --- |
"""
_CONTROLS = """
## Controls

Programs that look like the reports and have none of their reasons:

| program | mode | where the time goes | what was tried and helped | judgement |
| --- | --- | --- | --- | --- |
"""
_SCENARIOS = """
## The built-in scenarios

The shares add up to the clock's time within 10 % in {adding} of {of} cells; *sum* is what they add
up to before they are scaled to it.

| cell | call | shares | sum |
| --- | --- | --- | --- |
"""
_PREDICTIONS = """
## What could be gained, said before it is tried

From the shares of one mode, how long a call takes in another. Within a factor of 1.3 of what was
measured: {good} of {of}. The two were measured some seconds apart, on a machine that others used.
Below 1, the graph was rewritten into something faster, or XLA fused kernels, which no share tells;
above 1, the executor or XLA's kernels take longer than the first mode's kernels alone.

| from | to | predicted | measured | factor |
| --- | --- | --- | --- | --- |
"""
