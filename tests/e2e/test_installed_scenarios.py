"""Scenarios of an installed distribution, from ``list`` to ``parity``."""

from __future__ import annotations

import json

from commands import harness
from distributions import distribution, sound


def test_from_list_to_parity(tmp_path, monkeypatch):
    site, work = tmp_path / "site", tmp_path / "work"
    work.mkdir()
    package = sound(site)
    (site / package / "__init__.py").write_text("", "utf-8")
    distribution(site, "broken-one", {"x": "nowhere"}, {})
    monkeypatch.setenv("PYTHONPATH", str(site))
    listed = harness("list", cwd=work)
    assert listed.returncode == 0
    assert "concept" not in listed.stdout
    assert "Sizes: tiny*. From their-scenarios.\n" in listed.stdout
    assert listed.stderr == (
        "left out: distribution broken-one, entry point x = nowhere: there is no module nowhere\n"
    )
    content = json.loads(harness("list", "--format", "json", cwd=work).stdout)
    by_name = {entry["name"]: entry["distribution"] for entry in content["scenarios"]}
    assert (by_name["shipped"], by_name["hello_matmul"]) == ("their-scenarios", "")
    done = harness("parity", "--scenarios", "shipped", "--modes", "eager,function", cwd=work)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("identical") == 2
