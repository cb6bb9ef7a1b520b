"""Variables and work are on the cell's device: in a process that has split its CPU in two."""

from __future__ import annotations

import json

import pytest
from commands import SUPPORT, python
from workbench import WHOLE

from eager_vs_graph.results.cells import INPUTS, Cell

every_mode = pytest.mark.parametrize("mode", WHOLE)
every_policy = pytest.mark.parametrize("inputs", INPUTS)


@pytest.fixture(scope="module")
def placement(tmp_path_factory):
    done = python(SUPPORT / "placement_script.py", cwd=tmp_path_factory.mktemp("placement"))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@every_policy
@every_mode
@pytest.mark.parametrize("device", ["CPU:0", "CPU:1"])
def test_variables_and_work_are_on_the_cells_device(placement, device, mode, inputs):
    assert placement["devices"] == ["CPU:0", "CPU:1"]
    found = placement[Cell("accumulate", "tiny", mode, device, inputs).id]
    assert found["variables"] == [device]
    assert found["work"] == [device]
    assert found["status"] == "identical"
    assert found["traces"] == (mode != "eager")


@pytest.mark.parametrize("device", ["CPU:0", "CPU:1"])
@pytest.mark.parametrize("mode", ["eager", "function"])
def test_a_step_places_its_own_work_whatever_the_cells_device(placement, mode, device):
    found = placement["placed by the step"][f"{mode} {device}"]
    assert found["status"] == "close"  # to the reference: a product of float32
    assert found["outputs"] == {"at_home": "CPU:0", "away": "CPU:1", "back_home": "CPU:0"}


def test_a_session_copies_between_the_devices_that_a_step_names(placement):
    found = placement["placed by the step"]
    home, away = found["session CPU:0"], found["session CPU:1"]
    assert home["status"] == away["status"] == "close"
    assert home["products"] == away["products"] == ["CPU:0", "CPU:1"]
    # The input and the square go there, the cube comes back.
    assert home["copies"] == [["CPU:0", "CPU:1"], ["CPU:0", "CPU:1"], ["CPU:1", "CPU:0"]]
    assert ["CPU:1", "CPU:0"] in away["copies"]  # the cell's own inputs are on CPU:1
