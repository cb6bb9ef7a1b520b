"""The scenario class of an entry: imported, or made of the user's own code."""

from __future__ import annotations

from eager_vs_graph.catalog.entry import Entry
from eager_vs_graph.catalog.importing import scenario_class
from eager_vs_graph.child.adopt import adopt
from eager_vs_graph.scenario import Scenario


def load(entry: Entry) -> type[Scenario]:
    """Import the entry's file and return its class, or adopt its target.

    Raises:
        ScenarioError: the file does not import, or its class is not a scenario.
        PartNotFound: the entry's target has no such part; see ``adopt``.
    """
    if entry.target is not None:
        return adopt(entry.target, entry.name)
    return scenario_class(entry.file, entry.class_name, entry.module)
