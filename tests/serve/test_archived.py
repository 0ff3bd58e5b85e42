"""What is kept of runs, as people see it: a page for each, and files that no browser runs."""

from __future__ import annotations

import io
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from fake_server import Client, serving

from ci_results.config_auth import Auth
from ci_results.domain.page import Page
from ci_results.domain.run import Run
from ci_results.serve.archived import is_text
from ci_results.sinks.archiving import Archive, Kept, Place, Record, open_archive
from ci_results.store.sqlite import SqliteStore
from ci_results.testing.store_contract import result

RUN = "https://ci.example/job/x/1/"
HOSTILE = b"<script>alert(1)</script>\n"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    return open_archive(Place(path=tmp_path_factory.mktemp("archive") / "cold"))


@pytest.fixture(scope="module")
def names(archive: Archive) -> list[str]:
    return [
        archive.keep(io.BytesIO(said), 1 << 20)[0] for said in (HOSTILE, b"\x7fELF\0\1", "é".encode() * 5_000)
    ]


@pytest.fixture(scope="module")
def client(archive: Archive, names: list[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    files = [
        Kept(name="consoleText", url=f"{RUN}consoleText", sha256=names[0], size=len(HOSTILE)),
        Kept(name="core<b>", url=f"{RUN}core", lacks="larger than max_file_bytes, 7"),
    ]
    said = {"source": "ci", "run": "x#1", "archived_at": "2026-03-01T12:00:00.000000"}
    archive.note(Record(url=RUN, files=files, **said))
    with SqliteStore.open(tmp_path_factory.mktemp("store") / "results.db") as store:
        store.commit_page(Page(source="ci", results=[result("a", run=Run(key="x#1", ref_url=RUN))]))
        with serving(Auth(), store=store, archives=(archive.place,)) as client:
            yield client


@pytest.mark.demand("S-124")
@pytest.mark.demand("S-123")
def test_the_pages_of_a_result_lead_to_its_log(client: Client, names: list[str]) -> None:
    query = "of?url=https%3A%2F%2Fci.example%2Fjob%2Fx%2F1%2F"
    assert query in client.get("/item/bash-5.2-1.fc40").text
    assert query in client.get("/browse/results/result").text
    page = client.get(f"/archive/{query}")
    assert (page.status_code, f'href="/archive/{names[0]}"' in page.text) == (200, True)
    assert "core&lt;b&gt;" in page.text
    assert "not kept: larger than max_file_bytes, 7" in page.text
    assert client.get(f"/archive/{names[0]}").content == HOSTILE
    assert client.get("/archive/of", params={"url": RUN.rstrip("/"), "format": "json"}).json()["record"] == {
        "url": RUN, "source": "ci", "run": "x#1", "archived_at": "2026-03-01T12:00:00.000000",
        "files": [
            {"name": "consoleText", "url": f"{RUN}consoleText", "sha256": names[0], "size": 26,
             "lacks": None},
            {"name": "core<b>", "url": f"{RUN}core", "sha256": None, "size": 0,
             "lacks": "larger than max_file_bytes, 7"},
        ],
    }  # fmt: skip


def test_a_file_is_inert(client: Client, names: list[str]) -> None:
    kinds = {}
    for name in names:
        answer = client.get(f"/archive/{name}")
        kinds[name] = (answer.headers["content-type"], answer.headers.get("content-disposition"))
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert (
            answer.headers["content-security-policy"] == "default-src 'none'; sandbox; frame-ancestors 'none'"
        )
        assert int(answer.headers["content-length"]) == len(answer.content)
    text, saved = "text/plain; charset=utf-8", f'attachment; filename="{names[1][:12]}.bin"'
    assert list(kinds.values()) == [(text, None), ("application/octet-stream", saved), (text, None)]


@pytest.mark.parametrize(
    "path", ["0" * 64, "x", "..%2F..%2Fetc%2Fpasswd", "of", "of?url=javascript:alert(1)"]
)
def test_what_is_not_kept_is_not_found(client: Client, path: str) -> None:
    answer = client.get(f"/archive/{path}")
    assert answer.status_code == 404
    assert 'href="javascript' not in answer.text


def test_a_record_that_is_damaged_is_told_and_is_no_crash(client: Client, archive: Archive) -> None:
    run = "https://ci.example/job/x/2/"
    archive.note(Record(url=run, source="ci", run="x#2", archived_at="", files=()))
    assert archive.place.path is not None
    name = sha256(run.encode()).hexdigest()
    (archive.place.path / "runs" / name[:2] / name[2:]).write_bytes(b"{}")
    answer = client.get("/archive/of", params={"url": run})
    assert (answer.status_code, "is damaged" in answer.text) == (503, True)


def test_without_an_archive_there_is_no_link_and_no_route(tmp_path: Path) -> None:
    with SqliteStore.open(tmp_path / "results.db") as store:
        store.commit_page(Page(source="ci", results=[result("a", run=Run(key="x#1", ref_url=RUN))]))
        with serving(Auth(), store=store) as client:
            assert "/archive/" not in client.get("/item/bash-5.2-1.fc40").text
            assert "/archive/" not in client.get("/browse/results/result").text
            assert client.get("/archive/of").status_code == 404


@pytest.mark.parametrize(
    ("head", "whole", "text"),
    [
        (b"", True, True),
        (b"a\0", False, False),
        ("aé".encode()[:-1], False, True),
        ("aé".encode()[:-1], True, False),
        (b"\xff\xfe\xfd\xfc\xfb", False, False),
    ],
)
def test_text_is_told_by_its_beginning(head: bytes, whole: Any, text: bool) -> None:
    assert is_text(head, whole=whole) is text
