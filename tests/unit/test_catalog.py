"""The catalogue reads from the source what importing would say, and names what is wrong."""

from __future__ import annotations

from textwrap import dedent

import pytest

from eager_vs_graph.catalog import find as catalog
from eager_vs_graph.catalog.entry import Entry
from eager_vs_graph.child.adopt.loading import load
from eager_vs_graph.errors import ScenarioError, UsageError
from eager_vs_graph.scenario import Size

ALL = catalog.entries([catalog.BUILT_IN])


def write(folder, name: str, body: str):
    file = folder / f"{name}.py"
    file.write_text(dedent(body), encoding="utf-8")
    return file


def scenario(name: str, class_name: str = "Mine") -> str:
    return (
        "from eager_vs_graph import Scenario, Size\n\n"
        f'class {class_name}(Scenario):\n    """What it is."""\n\n'
        f'    name = "{name}"\n    sizes = {{"tiny": Size(n=2)}}\n'
    )


def test_the_five_scenarios_are_there():
    assert {entry.name for entry in ALL} >= {
        "matmul_chain",
        "regression_training",
        "mnist_step",
        "custom_gradient",
        "py_func_bridge",
    }
    assert len({entry.name for entry in ALL}) == len(ALL)


def test_a_folder_of_ones_own(tmp_path):
    write(tmp_path, "helper", "FACTOR = 2\n")
    write(tmp_path, "_private", "this is not python")
    file = write(tmp_path, "mine", "from helper import FACTOR\n" + scenario("mine"))
    (entry,) = catalog.select([str(tmp_path)])
    assert entry == Entry("mine", "What it is.", {"tiny": "n=2"}, file, "Mine", "", ["tiny"])
    assert load(entry).name == "mine"
    assert catalog.select([str(file)]) == [entry]
    assert [e.name for e in catalog.select([str(file), "mnist_step"])] == ["mine", "mnist_step"]


def test_two_files_of_one_name_in_two_folders_are_two_modules(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    write(tmp_path / "a", "mine", scenario("one"))
    write(tmp_path / "b", "mine", scenario("two"))
    found = catalog.select([str(tmp_path / "a"), str(tmp_path / "b")])
    assert [load(entry).name for entry in found] == ["one", "two"]
    assert [load(entry).name for entry in found] == ["one", "two"]


def test_several_scenarios_in_a_file(tmp_path):
    file = write(tmp_path, "mine", scenario("one", "A") + scenario("two", "B"))
    assert [(e.name, e.class_name) for e in catalog.entries([file])] == [("one", "A"), ("two", "B")]


@pytest.mark.parametrize(
    ("status", "hint"),
    [("matmul_chian", "did you mean matmul_chain"), ("zzz", "choose from: ")],
)
def test_an_unknown_name_gives_the_nearest(status, hint):
    with pytest.raises(UsageError, match=f"unknown scenario '{status}'; ") as raised:
        catalog.select([status])
    assert hint in str(raised.value)


def test_one_of_several_scenarios_in_a_file(tmp_path):
    file = write(tmp_path, "two", scenario("one", "A") + scenario("other", "B"))
    (entry,) = catalog.select([f"{file}:other"])
    assert entry.name == "other"
    assert [e.name for e in catalog.select([f"{file}:one", "mnist_step"])] == ["one", "mnist_step"]
    with pytest.raises(UsageError, match=r"unknown scenario in .*two\.py 'othr'; did you mean"):
        catalog.select([f"{file}:othr"])
    with pytest.raises(UsageError, match=r"gone\.py"):
        catalog.select([f"{tmp_path / 'gone.py'}:one"])


def test_two_scenarios_of_one_name_are_told_with_their_files(tmp_path):
    a = write(tmp_path, "a", scenario("same", "A"))
    b = write(tmp_path, "b", scenario("same", "B"))
    with pytest.raises(ScenarioError) as raised:
        catalog.select([str(tmp_path)])
    assert str(raised.value) == (
        f"two scenarios are named 'same': A in {a} and B in {b}; rename one"
    )


def test_a_name_that_a_built_in_scenario_has_is_told_when_both_are_wanted(tmp_path):
    mine = write(tmp_path, "mine", scenario("mnist_step"))
    assert [e.file for e in catalog.select([str(mine)])] == [mine]
    with pytest.raises(ScenarioError, match="two scenarios are named 'mnist_step'"):
        catalog.select([str(mine), "mnist_step"])
    assert [e.name for e in catalog.select([str(mine), "matmul_chain"])] == [
        *("mnist_step", "matmul_chain")
    ]


BAD = {
    "does not parse": ("class Mine(Scenario:\n    pass\n", r"bad\.py:1: does not parse: "),
    "a name made by code": (
        scenario("x").replace('"x"', '"x" + "y"'),
        r"bad\.py:3: Mine should give `name` and `concept` as literal text",
    ),
    "sizes made by code": (
        scenario("x").replace('{"tiny": Size(n=2)}', "{n: Size(n=n) for n in (1, 2)}"),
        "`sizes` as a literal dict",
    ),
    "sizes spread": (
        scenario("x").replace('{"tiny": Size(n=2)}', '{"tiny": Size(n=2), **OTHERS}'),
        "`sizes` as a literal dict",
    ),
    "a size that is no Size": (
        scenario("x").replace("Size(n=2)", "2"),
        "`sizes` as a literal dict",
    ),
    "no sizes": (
        scenario("x").replace('{"tiny": Size(n=2)}', "{}"),
        "has name 'x' and 0 sizes, but should have",
    ),
    "a name with a slash": (scenario("a/b"), "should have a name of a-z, 0-9 and _"),
    "an empty name": (scenario(""), "should have a name of a-z, 0-9 and _"),
    "a size with a slash": (scenario("x").replace('"tiny"', '"a/b"'), "size 'a/b'"),
    "a size that is a number": (scenario("x").replace('"tiny"', "8"), "size 8"),
    "a timing without the size": (
        scenario("x") + '    timing = "Time of {n}:"\n',
        "has `timing`, which is printed for the size 'guide', but its sizes are: tiny",
    ),
    "a timing of what is no parameter": (
        scenario("x").replace("tiny", "guide") + '    timing = "Time of {m}:"\n',
        r"should be parameters of the size 'guide' \(n=2\): KeyError: 'm'",
    ),
    "not text": ("\ud800", "bad.py"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_file_that_declares_badly_is_told_with_its_line(case, tmp_path):
    body, message = BAD[case]
    (tmp_path / "bad.py").write_bytes(body.encode("utf-8", "surrogatepass"))
    with pytest.raises(ScenarioError, match=message) as raised:
        catalog.entries([tmp_path])
    assert str(tmp_path / "bad.py") in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_place_that_is_not_there(tmp_path):
    for status in (str(tmp_path / "nowhere"), "./nowhere.py", "nowhere.py"):
        with pytest.raises(UsageError, match=r"nowhere.*: no such file or folder of scenarios"):
            catalog.select([status])


def test_a_place_without_scenarios(tmp_path):
    write(tmp_path, "helper", "FACTOR = 2\n")
    with pytest.raises(UsageError, match="no scenario found; a scenario is a class with `name`"):
        catalog.select([str(tmp_path)])
    with pytest.raises(UsageError, match="no scenario found"):
        catalog.select([str(tmp_path / "helper.py")])


@pytest.mark.parametrize(
    ("first", "reason"),
    [
        ("import no_such_module_at_all\n", "ModuleNotFoundError: No module named 'no_such"),
        ("1 / 0\n", "ZeroDivisionError: division by zero"),
        ("raise SystemExit('bye')\n", "SystemExit: bye"),
    ],
)
def test_a_file_that_does_not_import_is_told_with_its_reason(first, reason, tmp_path):
    file = write(tmp_path, "mine", first + scenario("mine"))
    (entry,) = catalog.entries([tmp_path])  # listing does not execute it
    for _ in range(2):
        with pytest.raises(ScenarioError, match="does not import: ") as raised:
            load(entry)
        assert str(raised.value).startswith(f"{file}: does not import: {reason}")


def test_a_class_that_is_no_scenario_is_told(tmp_path):
    file = write(tmp_path, "mine", scenario("mine").replace("Mine(Scenario)", "Mine"))
    (entry,) = catalog.entries([file])
    with pytest.raises(ScenarioError, match=r"does not subclass eager_vs_graph\.Scenario"):
        load(entry)


def test_concept_and_default_sizes_are_read_without_executing(tmp_path):
    body = """
        class Mine:
            name = "mine"
            concept = "Doubling"
            sizes = {"tiny": Size(n=2), "huge": Size(n=3)}
            default_sizes = ("tiny",)
    """
    (entry,) = catalog.entries([write(tmp_path, "mine", body)])
    assert (entry.concept, entry.default_sizes) == ("Doubling", ["tiny"])


def test_a_default_size_must_exist(tmp_path):
    body = """
        class Mine:
            name = "mine"
            sizes = {"tiny": Size(n=2)}
            default_sizes = ("tny",)
    """
    with pytest.raises(ScenarioError, match=r"'tny' in default_sizes.*only its sizes there: tiny"):
        catalog.entries([write(tmp_path, "mine", body)])


@pytest.mark.parametrize("name", ["values", "items", "keys", "get"])
def test_a_size_does_not_hide_a_parameter_behind_a_method(name):
    with pytest.raises(ValueError, match=f"size has parameter '{name}', but self.size.{name} is"):
        Size(n=1, **{name: 2})
