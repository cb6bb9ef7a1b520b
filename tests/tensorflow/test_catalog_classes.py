"""What the catalogue reads from the source is what the imported class says."""

from __future__ import annotations

import ast

import pytest

from eager_vs_graph.catalog import find as catalog
from eager_vs_graph.child.adopt.loading import load
from eager_vs_graph.scenario import Scenario

ALL = catalog.entries([catalog.BUILT_IN])


@pytest.mark.parametrize("entry", ALL, ids=lambda entry: entry.name)
def test_an_entry_is_what_the_class_says(entry):
    loaded = load(entry)
    assert issubclass(loaded, Scenario)
    assert (loaded.__name__, loaded.name) == (entry.class_name, entry.name)
    assert loaded.summary() == entry.summary
    assert entry.summary.endswith(".")
    assert entry.timing == loaded.timing
    assert list(loaded.sizes) == list(entry.sizes)
    for size, text in entry.sizes.items():
        read = {
            k.arg: ast.literal_eval(k.value) for k in ast.parse(f"f({text})").body[0].value.keywords
        }
        assert read == dict(loaded.sizes[size])


def test_importing_twice_gives_the_same_class():
    assert load(ALL[0]) is load(ALL[0])
