"""The page in a browser: what its script does, and what is there without it."""

from __future__ import annotations

import re
import runpy
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Error, Page, expect, sync_playwright
from record_fixture import TIMED_CELL, Shape, write_run

from eager_vs_graph.reports import render
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.run import Run
from eager_vs_graph.results.why import DISPATCH, KERNELS, PYTHON, CellWhy, Share, Why

WIDTHS = (390, 820, 1440)
NARROW, _, WIDE = WIDTHS
BIG_RECORD = Path(__file__).parents[1] / "benchmarks" / "big_record.py"
TIMED_GROUP = "mnist_step/small/CPU:0/resident"
Open = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, or the one that Playwright has installed."""
    with sync_playwright() as playwright:
        installed = shutil.which("chromium") or shutil.which("google-chrome")
        try:
            browser = playwright.chromium.launch(executable_path=installed, args=["--no-sandbox"])
        except Error as error:
            pytest.skip(
                f"no Chromium: `apt-get install chromium` ({error.message.splitlines()[0]})"
            )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def troubled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a run with one of every kind of trouble, and with shares of a call's time."""
    run = Run(write_run(tmp_path_factory.mktemp("troubled") / "run"))
    cell = Cell.parse(TIMED_CELL).in_mode("eager").id
    shares = (Share(KERNELS, 4e-4, 20), Share(DISPATCH, 3e-4, 20), Share(PYTHON, 3e-4))
    run.save_why(Why((CellWhy(cell, call_s=1e-3, profiled_s=1e-3, shares=shares),)))
    return render(run.folder).page


def make_record(source: Path, target: Path, cells: int, rounds: int) -> None:
    """Make a record of another size; see the script."""
    runpy.run_path(str(BIG_RECORD))["write"](source, target, cells, rounds)


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of one comparison."""
    folder = tmp_path_factory.mktemp("one")
    shape = Shape(inputs=("resident",), trouble=False)
    make_record(write_run(folder / "whole", shape), folder / "one", cells=4, rounds=400)
    return render(folder / "one").page


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of so many comparisons that the details of most are packed."""
    folder = tmp_path_factory.mktemp("many")
    make_record(write_run(folder / "small"), folder / "big", cells=400, rounds=8000)
    return render(folder / "big").page


@pytest.fixture
def opened(browser: Browser) -> Iterator[Open]:
    """Opens a page; a test fails where its script raises, or where it asks for another file."""
    contexts, troubles = [], []

    def open_page(path: Path, anchor: str = "", width: int = WIDE, **options: object) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on(
            "console", lambda said: troubles.append(said.text) if said.type == "error" else None
        )
        page.on(
            "request",
            lambda asked: (
                None
                if asked.url.startswith(("data:", path.as_uri()))
                else troubles.append(asked.url)
            ),
        )
        page.goto(path.as_uri() + anchor)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not troubles


def column(page: Page, number: int) -> list[str]:
    """The texts of a column of the table of cells, of the rows that are shown."""
    found: list[str] = page.evaluate(
        "number => [...document.querySelectorAll('#cells tbody tr')].filter(row => !row.hidden)"
        ".map(row => row.cells[number].textContent)",
        number,
    )
    return found


def speedups(page: Page) -> list[float]:
    """The speed-ups of the rows that are shown and have one, from top to bottom."""
    return [float(text.split("×")[0]) for text in column(page, 2) if text]


def test_a_heading_sorts_down_then_up_then_as_it_was(opened: Open, troubled: Path) -> None:
    page = opened(troubled)
    before = column(page, 0)
    button = page.get_by_role("button", name="speed-up")
    heading = page.locator("#cells th.speedup")
    button.click()
    expect(heading).to_have_attribute("aria-sort", "descending")
    down = speedups(page)
    assert down == sorted(down, reverse=True)
    assert len(set(down)) > 5
    assert column(page, 2)[-1] == ""  # what has no value is last
    button.click()
    assert speedups(page) == sorted(down)
    assert column(page, 2)[-1] == ""
    button.click()
    assert column(page, 0) == before
    assert heading.get_attribute("aria-sort") is None


def test_latencies_are_sorted_by_time_and_not_by_text(opened: Open, troubled: Path) -> None:
    page = opened(troubled)
    page.get_by_role("button", name="latency").click()
    units = {"µs": 1e-6, "ms": 1e-3, "s": 1.0}
    found = [text.split() for text in column(page, 4) if text != "not timed"]
    assert {unit for _, unit in found} == {"µs", "ms"}
    times = [float(number) * units[unit] for number, unit in found]
    assert times == sorted(times)


def test_rows_are_filtered_and_searched_and_counted(opened: Open, troubled: Path) -> None:
    page = opened(troubled)
    tools = page.get_by_role("form", name="Filter the results")
    rows = len(column(page, 0))
    expect(tools).to_contain_text(f"{rows} cells")
    tools.get_by_label("Mode", exact=True).select_option("session")
    assert set(column(page, 1)) == {"session"}
    tools.get_by_label("Outputs", exact=True).select_option("crashed")
    assert column(page, 5) == ["crashed"]
    expect(tools).to_contain_text(f"1 of {rows} cells")
    tools.get_by_role("button", name="Clear").click()
    assert len(column(page, 0)) == rows
    tools.get_by_label("Scenario", exact=True).select_option("mnist_step")
    tools.get_by_label("Verdict", exact=True).select_option("faster")
    assert set(column(page, 3)) == {"faster"}
    tools.get_by_role("button", name="Clear").click()
    tools.get_by_label("Search").fill("MNIST fed function")
    found = column(page, 0)
    assert found
    assert all("mnist" in name and "fed" in name for name in found)
    tools.get_by_label("Search").fill("no such thing")
    assert not column(page, 0)


def test_a_number_of_the_modes_shows_the_cells_that_it_counts(opened: Open, troubled: Path) -> None:
    page = opened(troubled)
    link = page.get_by_role("link", name="Show slower cells of function")
    number = int(link.text_content() or "")
    link.click()
    assert column(page, 3) == ["slower"] * number
    assert set(column(page, 1)) == {"function"}


def test_a_row_says_interval_and_sample(opened: Open, troubled: Path) -> None:
    page = opened(troubled)
    row = page.locator(f'[id="{TIMED_CELL}"]')
    tip = page.get_by_role("tooltip")
    expect(tip).to_be_hidden()
    row.locator("td").first.hover()
    expect(tip).to_contain_text("95% interval [")
    expect(tip).to_contain_text("120 rounds in 4 passes")
    expect(tip).to_contain_text("median call")
    page.locator("h1").hover()
    expect(tip).to_be_hidden()


def test_the_table_is_walked_with_the_keyboard(opened: Open, troubled: Path) -> None:
    page = opened(troubled)
    page.locator("#cells tbody tr").first.focus()
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    expect(page.get_by_role("tooltip")).to_be_visible()
    focused = page.evaluate("document.activeElement.id")
    assert focused == page.evaluate("document.querySelector('#cells').tBodies[0].rows[3].id")
    page.keyboard.press("Enter")
    scenario, size, _, device, inputs = focused.split("/")
    details = page.locator(f'[id="{scenario}/{size}/{device}/{inputs}"]')
    expect(details).to_have_attribute("open", "")
    expect(details.locator("summary")).to_be_focused()


def test_the_keyboard_reaches_the_results_first(opened: Open, troubled: Path) -> None:
    page = opened(troubled)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the results")).to_be_focused()
    page.keyboard.press("Enter")
    assert page.url.endswith("#results")


def test_every_link_of_the_page_leads_somewhere(opened: Open, troubled: Path) -> None:
    page = opened(troubled)
    lost = page.evaluate(
        "[...document.querySelectorAll('a[href]')].map(each => each.getAttribute('href'))"
        ".filter(each => !each.startsWith('#') || !document.getElementById(each.slice(1)))"
    )
    assert lost == []
    sections = page.evaluate("[...document.querySelectorAll('main > section')].map(e => e.id)")
    contents = page.evaluate(
        "[...document.querySelectorAll('nav a')].map(e => e.getAttribute('href').slice(1))"
    )
    assert contents == sections


def test_a_link_leads_to_a_cell_and_opens_a_comparison(opened: Open, troubled: Path) -> None:
    page = opened(troubled, f"#{TIMED_CELL}")
    expect(page.locator(f'[id="{TIMED_CELL}"]')).to_be_in_viewport()
    page = opened(troubled, f"#{TIMED_GROUP}")
    details = page.locator(f'[id="{TIMED_GROUP}"]')
    expect(details).to_have_attribute("open", "")
    expect(details.locator("summary")).to_be_in_viewport()
    expect(details.locator("svg.drawing").first).to_be_visible()


def test_a_mark_of_the_picture_leads_to_its_cell(opened: Open, troubled: Path) -> None:
    page = opened(troubled)
    marks = page.locator("#overview svg a")
    assert marks.count() == len([text for text in column(page, 2) if "[" in text])
    target = marks.first.get_attribute("href") or ""
    marks.first.click()
    expect(page.locator(f'[id="{target[1:]}"]')).to_be_in_viewport()


def test_a_command_is_copied(opened: Open, one: Path) -> None:
    page = opened(one, permissions=["clipboard-read", "clipboard-write"])
    command = page.locator("#comparisons .command code")
    page.locator("#comparisons .copy").click()
    expect(page.locator("#comparisons .copy")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == command.text_content()


def test_packed_details_are_opened_by_their_links(opened: Open, many: Path) -> None:
    page = opened(many)
    there = "[...document.querySelectorAll('#cells a')].map(each => each.getAttribute('href'))"
    links = page.evaluate(there)
    packed = page.evaluate(f"{there}.filter(each => !document.getElementById(each.slice(1)))")
    assert 0 < len(packed) < len(links)
    timed = next(each for each in packed if "mnist_step" in each and "small" in each)
    page.locator(f'#cells a[href="{timed}"]').click()
    details = page.locator(f'[id="{timed[1:]}"]')
    expect(details).to_have_attribute("open", "")
    expect(details.get_by_role("row").nth(1)).to_contain_text("eager")
    assert details.locator("svg .dots").count() == 3
    marks = details.locator("svg circle.m title")
    assert marks.count() > 0
    assert "has repaid its start after" in marks.first.text_content()
    assert details.locator("svg path.c").count() == 3
    # The same figures as in the table of cells.
    latency = page.locator(f'[id="{timed[1:].replace("/CPU", "/session/CPU")}"] td').nth(3)
    expect(details).to_contain_text(latency.text_content() or "nothing")


def test_the_page_is_complete_without_scripts(opened: Open, troubled: Path) -> None:
    page = opened(troubled, java_script_enabled=False)
    text = page.locator("body").inner_text()
    for words in ("session is fastest in", "crashed", "What failed", "Which mode is fastest"):
        assert words in text
    assert page.locator("#cells tbody tr").count() == 42
    assert page.locator(".tools").count() == page.locator(".copy").count() == 0
    details = page.locator(f'[id="{TIMED_GROUP}"]')
    details.locator("summary").click()
    expect(details.locator("table").first).to_be_visible()
    expect(details.locator("svg.drawing").first).to_be_visible()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["troubled", "one", "many"])
def test_nothing_is_wider_than_the_screen(
    opened: Open, name: str, width: int, request: pytest.FixtureRequest
) -> None:
    page = opened(request.getfixturevalue(name), width=width)
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_figures_of_a_comparison_fit_on_a_wide_screen(opened: Open, troubled: Path) -> None:
    page = opened(troubled, f"#{TIMED_GROUP}")
    table = page.locator(f'[id="{TIMED_GROUP}"] .scroll').first
    expect(table.get_by_role("columnheader", name="passes")).to_be_visible()
    assert table.evaluate("each => each.scrollWidth - each.clientWidth") == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [NARROW, WIDE])
@pytest.mark.parametrize("name", ["troubled", "one"])
def test_axe_finds_nothing(
    opened: Open, name: str, width: int, scheme: str, request: pytest.FixtureRequest
) -> None:
    page = opened(request.getfixturevalue(name), width=width, color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_axe_sees_what_is_wrong(opened: Open, one: Path) -> None:
    page = opened(one)
    page.evaluate("document.querySelector('#cells').insertAdjacentHTML('afterend', '<button>')")
    assert Axe().run(page).violations_count == 1


def test_it_is_printed_whole(opened: Open, troubled: Path) -> None:
    page = opened(troubled)
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    for hidden in ("nav", ".tools", ".copy"):
        expect(page.locator(hidden).first).to_be_hidden()
    shown = page.locator(f'[id="{TIMED_GROUP}"] table').first
    expect(shown).to_be_visible()
    pdf = page.pdf(format="A4")
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) > 3
