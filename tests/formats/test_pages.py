"""docs/formats/*.md say what the readers do: each row of their tables is read and must say so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ci_results.formats.whole import WHOLE

from .reading import FORMATS, children, ours, read, whole

PAGES = sorted((Path(__file__).parents[2] / "docs" / "formats").glob("*.md"))
RECORD, REPORT, FIRST = "the record", "the report", "the first of the report"
FRAMES = {
    "allure": '{"uuid":"u","name":"t","historyId":"h",{}}',
    "coverity": '{"type":"Coverity issues","formatVersion":10,"issues":[{}]}',
    "cppcheck": "<results version='2'><cppcheck version='2.10'/><errors>{}</errors></results>",
    "valgrind": "<valgrindoutput><tool>memcheck</tool>{}</valgrindoutput>",
    "gcc_json": "[{}]",
    "fedora_wiki": "{|\n! Test Case\n! x86_64\n|-\n{}\n|}",
    "ltp": '{"results":[{}]}',
    "csdiff": '{"defects":[{}]}',
    "csdiff_text": "{}",
    "ctrf": '{"results":{"tool":{"name":"x"},"tests":[{}]}}',
    "resultsdb_message": "{}",
    "rpmdiff": '{"tool":"rpmdiff","mode":"comparison","tests":[{}]}',
    "rpmdiff_text": "{}",
    "rpmgrill": '{"results":{"tool":"rpmgrill"},"tests":[{}]}',
    "rpmgrill_xml": "<results tool='rpmgrill'>{}</results>",
    "rpmgrill_yaml": "results:\n  tool: rpmgrill\ntests:\n{}",
    "rpminspect": "{{}}",
    "rpminspect_text": "{}",
    "rpmlint": "{}\n 1 packages and 0 specfiles checked; 0 errors, 0 warnings",
    "tps": '{"tool":"tps","jobs":[{}]}',
    "avocado": '{"job_id":"1","debuglog":"x","errors":0,"tests":[{}]}',
    "beaker": "<job><recipeSet><recipe arch='x86_64'>{}</recipe></recipeSet></job>",
    "go_test": "{}",
    "gtest": '{"testsuites":[{"testsuite":[{}]}]}',
    "allure_xml": "<test-suite><name>S</name><test-cases>{}</test-cases></test-suite>",
    "ctest": "<Site><Testing>{}</Testing></Site>",
    "mocha": '{"stats":{"suites":1},{}}',
    "openqa_details": "[{}]",
    "robot_json": '{"suite":{"tests":[{}],"name":"S"}}',
    "kiwi": "[{}]",
    "manual_csv": "testcase,outcome,arch\n{}",
    "nitrate": "<testcaseruns>{}</testcaseruns>",
    "openqa": '{"job":{"test":"base","modules":[{}]}}',
    "tmt": "{}",
    "nunit": "<test-run>{}</test-run>",
    "robot": "<robot><suite name='S'>{}</suite></robot>",
    "trx": "<TestRun><Results>{}</Results></TestRun>",
    "xunit_net": "<assemblies><assembly><collection>{}</collection></assembly></assemblies>",
    "sarif": '{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"gcc"}},"results":[{}]}]}',
    "tap": "1..1\n{}",
}
"""What stands around a record of a page, so that it is a report."""


def tables(page: Path) -> Iterator[tuple[str, str, list[str]]]:
    """Yield the rows of a page's tested tables: the format's name, the first column's title, the cells."""
    name = page.stem
    title = ""
    for line in page.read_text(encoding="utf-8").splitlines():
        if not line.startswith("|"):
            title = ""
            if said := re.match(r"## .*\(`(\w+)`\)", line):
                name = said[1]
            continue
        cells = [
            cell.strip().removeprefix("`").removesuffix("`").replace(r"\|", "|").replace("⏎", "\n")
            for cell in re.split(r"(?<!\\)\|", line)[1:-1]
        ]
        if not title:
            title = cells[0]
        elif title in (RECORD, REPORT, FIRST) and not set(line) <= set("|- "):
            yield name, title, cells


ROWS = [row for page in PAGES if page.stem not in ("junit", "limits", "index") for row in tables(page)]


@pytest.mark.demand("S-131")
@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}: {row[2][0]}")
def test_an_example_of_a_page_says_what_the_page_says(row: tuple[str, str, list[str]]) -> None:
    name, title, (example, *expected) = row
    if title == RECORD:
        seen = read(name, FRAMES[name].replace("{}", example))
        found = children(seen)[0]
    elif title == FIRST:
        found = children(read(name, example))[0]
    else:
        seen = read(name, example)
        found = whole(seen)
    said = [found.outcome, ours(name, found.outcome), found.testcase]
    assert said[: len(expected)] == expected


def test_every_format_has_its_page() -> None:
    assert {name for name, _, _ in ROWS} | {"junit"} == set(FORMATS)


@pytest.mark.demand("S-132")
def test_the_index_names_every_format_its_specification_and_its_page() -> None:
    index = next(page for page in PAGES if page.stem == "index")
    listed = re.findall(
        r"^\| [^|]+ \| `(\w+)` \| [^|]+ \| \[([\w.]+)\]", index.read_text("utf-8"), re.MULTILINE
    )
    assert sorted(name for name, _ in listed) == sorted(FORMATS)
    assert all((index.parent / page).is_file() for _, page in listed)


def test_links_between_the_pages_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_every_word_of_a_format_is_on_its_page(name: str) -> None:
    if name == "junit":
        pytest.skip("its page has its own test")
    told = {cells[1].lower() for row, _, cells in ROWS if row == name}
    assert set(FORMATS[name].outcomes) - set(WHOLE) <= told
