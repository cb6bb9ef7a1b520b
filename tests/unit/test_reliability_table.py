"""docs/reliability.md: every fault has a test, and that test is there."""

from __future__ import annotations

import ast
import re

from commands import REPOSITORY

COLUMNS = 7
TEXT = (REPOSITORY / "docs" / "reliability.md").read_text("utf-8")


def rows() -> list[list[str]]:
    """The fields of every fault."""
    lines = [line for line in TEXT.splitlines() if line.startswith("| ")]
    fields = [[field.strip() for field in line.strip("|").split(" | ")] for line in lines]
    return [each for each in fields if each[0] not in ("fault", "---")]


def test_there_are_forty_faults_at_least_and_each_is_there_once() -> None:
    faults = [(row[0], row[-1]) for row in rows()]
    assert len(faults) >= 40
    assert len(set(faults)) == len(faults)


def test_every_fault_names_a_test_that_is_there() -> None:
    for row in rows():
        assert len(row) == COLUMNS, row
        match = re.fullmatch(r"`((?:e2e|unit)/test_\w+\.py)::(test_\w+)`", row[-1])
        assert match, row
        tree = ast.parse((REPOSITORY / "tests" / match[1]).read_text("utf-8"))
        defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        assert match[2] in defined, row


def test_nothing_is_left_behind_by_any() -> None:
    assert {row[5] for row in rows()} == {"nothing"}
