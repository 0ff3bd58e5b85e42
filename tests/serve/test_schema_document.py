from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest
import yaml
from requests import Session

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "schema.md").read_text(encoding="utf-8")
SECTIONS = {
    heading: re.findall(r"^\| `(\w+)` \| (.+) \|$", body, flags=re.MULTILINE)
    for heading, body in re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", TEXT, flags=re.MULTILINE | re.DOTALL)
    if heading != "The"
}
PAGES = re.findall(r"^\| `(/\S*)` \| `(/\S+\.json)` \| (.+) \|$", TEXT, flags=re.MULTILINE)


@pytest.fixture
def views(generated: Path) -> dict[str, list[str]]:
    """What is in the database: view -> columns in order."""
    connection = sqlite3.connect(f"file:{generated}?mode=ro", uri=True)
    names = [row[0] for row in connection.execute("select name from sqlite_master where type = 'view'")]
    found = {name: [row[1] for row in connection.execute(f"pragma table_info({name})")] for name in names}
    connection.close()
    return found


def test_the_document_describes_each_view_and_column_in_order(views: dict[str, list[str]]) -> None:
    assert {view: [column for column, _ in rows] for view, rows in SECTIONS.items()} == views


def test_there_are_at_most_fourteen_public_views(views: dict[str, list[str]]) -> None:
    """Ten of results, two of waivers, two of decisions."""
    assert len(views) <= 14


def test_the_document_and_datasette_agree_on_what_can_be_sorted() -> None:
    metadata = yaml.safe_load((ROOT / "datasette_metadata.yml").read_text(encoding="utf-8"))
    tables = metadata["databases"]["results"]["tables"]
    for view, rows in SECTIONS.items():
        sortable = {column for column, meaning in rows if "*sortable*" in meaning}
        assert sortable == set(tables[view]["sortable_columns"]), view


def test_datasette_describes_no_column_that_is_not_there(views: dict[str, list[str]]) -> None:
    metadata = yaml.safe_load((ROOT / "datasette_metadata.yml").read_text(encoding="utf-8"))
    for view, columns in views.items():
        assert set(metadata["databases"]["results"]["tables"][view].get("columns", {})) <= set(columns), view


@pytest.mark.demand("S-040")
@pytest.mark.parametrize(("page", "twin", "fields"), PAGES, ids=[page for page, *_ in PAGES])
def test_the_document_names_the_fields_of_each_twin(
    client: Session, page: str, twin: str, fields: str, views: dict[str, list[str]]
) -> None:
    places = {"PLAN": "beta", "ITEM": "bash-5.0-1.fc40", "NAME": "bash-5.0-1.fc40", "ID": "3"}
    found = client.get(re.sub("|".join(places), lambda found: places[found[0]], twin)).json()
    documented = set(re.findall(r"`(\w+)`", fields))
    if "columns of `quarantine`" in fields:
        documented = documented - {"quarantine"} | set(views["quarantine"])
    assert set(found) == documented


def test_each_page_is_in_the_document() -> None:
    assert [page for page, *_ in PAGES] == [
        *("/", "/coverage", "/compare", "/inbox", "/item/NAME", "/manual", "/manual/PLAN"),
        *("/manual/PLAN/ITEM", "/policies", "/quarantine", "/quarantine/ID", "/waiver/W-ID"),
    ]
