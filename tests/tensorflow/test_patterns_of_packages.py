"""Patterns of other people's packages, without the packages."""

from __future__ import annotations

import pytest
from workbench import adopted, words

from eager_vs_graph.errors import UsageError
from eager_vs_graph.results.record import AGREEING


def test_a_variable_that_begins_with_what_another_one_holds():
    found = words(adopted("of_packages:permuted", "float32[2,6]"))
    assert {cell.status for cell in found.values()} <= set(AGREEING), found


@pytest.mark.parametrize("given", ["dictionary", "pair"])
def test_all_inputs_of_a_model_in_one_structure(given):
    scenario = adopted("of_packages:in_a_dictionary", f"of_packages:{given}", train=True, part=1)
    found = words(scenario)
    assert {cell.status for cell in found.values()} <= set(AGREEING), found


def test_a_structure_of_too_many_inputs_is_refused():
    with pytest.raises(UsageError, match="3 inputs were given, but the model takes 2"):
        adopted("of_packages:in_a_dictionary", "of_packages:triple")
