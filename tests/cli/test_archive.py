"""From the configuration to what people see: a delivery fetches, and the server knows where."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import Result
from fake_files import Files
from fake_server import serving

from ci_results.cli.context import Context
from ci_results.cli.serve import archives
from ci_results.config_auth import Auth
from ci_results.domain.page import Page
from ci_results.domain.run import Run
from ci_results.store.sqlite import SqliteStore
from ci_results.testing.store_contract import result

Ask = Callable[..., Result]


@pytest.fixture
def ci() -> Iterator[Files]:
    with Files().serve() as serving:
        serving.at = {"/job/x/1/consoleText": b"Finished: FAILURE\n"}
        yield serving


@pytest.mark.demand("S-124")
def test_what_a_delivery_kept_opens_from_the_page_of_its_item(ask: Ask, folder: Path, ci: Files) -> None:
    configuration = folder / "ci-results.toml"
    source = f'[source.ci]\ncollector = "jenkins"\nurl = "{ci.url}"\n'
    configuration.write_text(f'{source}[sink.cold]\nkind = "archive"\npath = "cold"\n')
    with SqliteStore.open(folder / "ci-results.db") as store:
        run = Run(key="x#1", ref_url=f"{ci.url}/job/x/1/")
        store.commit_page(Page(source="ci", results=[result("a", run=run, time=datetime.now(UTC))]))
    delivered = ask("deliver")
    assert (delivered.exit_code, "sent=1" in delivered.stdout) == (0, True)
    ci.at.clear()
    places = archives(Context(configuration))
    assert [place.path for place in places] == [folder / "cold"]
    with (
        SqliteStore.open(folder / "ci-results.db") as store,
        serving(Auth(), store=store, archives=places) as client,
    ):
        page = client.get("/item/bash-5.2-1.fc40").text
        (kept,) = re.findall(r'href="(/archive/of\?[^"]+)"', page)
        (name,) = re.findall(r'href="(/archive/[0-9a-f]{64})"', client.get(kept).text)
        assert client.get(name).text == "Finished: FAILURE\n"


def test_without_an_archive_no_plugin_is_loaded_for_it(folder: Path) -> None:
    assert archives(Context()) == ()
