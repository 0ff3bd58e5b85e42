from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager
from html.parser import HTMLParser
from pathlib import Path

import pytest
from requests import Session

from ci_results.errors import StoreError
from ci_results.serve import words
from ci_results.serve.answers import item_path
from ci_results.serve.reading import Reader
from ci_results.serve.security import host_name

from .conftest import Bounds

Serve = Callable[[Path], AbstractContextManager[Session]]
SCRIPT = "<script>document.title='owned'</script>"


class Danger(HTMLParser):
    """Collects what a browser would run: inline scripts, handlers, script addresses, foreign elements."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.scripts: list[str] = []
        self._in_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_script = tag == "script" and not dict(attrs).get("src")
        for name, value in attrs:
            if name.startswith("on") or (value or "").strip().lower().startswith(
                ("javascript:", "data:text")
            ):
                self.found.append(f"{tag} {name}={value}")
        if tag == "img":
            self.found.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False

    def handle_data(self, data: str) -> None:
        if self._in_script:
            self.scripts.append(data)


def hostile_pages(client: Session) -> list[str]:
    item = client.get("/index.json").json()["latest"][0]["item"]
    database = "/browse/results"
    questions = re.findall(rf'href="({database}/\w+)"', client.get(database).text)
    assert len(questions) >= 19  # 11 questions and 8 views
    ours = ["/", item_path(item), item_path(SCRIPT), "/coverage", "/quarantine", "/quarantine/1"]
    return [*ours, database, f"{database}/result?_all=1", f"{database}?sql=select+*+from+result", *questions]


def test_nothing_that_a_source_says_runs_in_a_browser(hostile_client: Session) -> None:
    for path in hostile_pages(hostile_client):
        answer = hostile_client.get(path)
        danger = Danger()
        danger.feed(answer.text)
        assert danger.found == [], path
        assert not any("owned" in script for script in danger.scripts), path


def test_inline_scripts_are_only_those_whose_hash_the_policy_names(hostile_client: Session) -> None:
    import base64
    import hashlib

    for path in ("/browse/results", "/browse/results/result", "/browse/results?sql=select+1", "/"):
        answer = hostile_client.get(path)
        danger = Danger()
        danger.feed(answer.text)
        for script in danger.scripts:
            digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
            assert f"sha256-{digest}" in answer.headers["content-security-policy"], (path, script[:60])


@pytest.mark.parametrize("path", ["/coverage.json", "/healthcheck", "/api/nope"])
def test_json_shows_and_runs_nothing(client: Session, path: str) -> None:
    headers = client.get(path).headers
    assert headers["content-type"] == "application/json"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize("path", ["/", "/coverage", "/static/style.css", "/nope", "/browse/results"])
def test_every_answer_binds_the_browser(client: Session, path: str) -> None:
    headers = client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    policy = headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "default-src 'none'" in policy
    scripts = re.search(r"script-src ([^;]*)", policy)
    assert scripts is not None
    assert "unsafe-inline" not in scripts[1]
    assert "http" not in policy


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8001", "", "localhost.evil.example", "[::2]:80"]
)
def test_a_foreign_host_header_is_refused(client: Session, host: str) -> None:
    answer = client.get("/", headers={"host": host})
    assert answer.status_code == 421
    assert "results" not in answer.text


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:9", "127.0.0.1:8001", "[::1]:8001"])
def test_names_of_this_machine_are_served(client: Session, host: str) -> None:
    assert client.get("/healthcheck", headers={"host": host}).status_code == 200


def test_host_names_lose_their_port() -> None:
    assert host_name("[::1]:8001") == "::1"
    assert host_name("Example.ORG:80") == "example.org"


@pytest.mark.demand("S-142")
@pytest.mark.parametrize(
    "sql",
    ["delete from _result", "drop view result", "attach 'x.db' as x", "insert into _meta values ('a', 'b')"],
)
def test_the_sql_page_refuses_to_write(client: Session, sql: str) -> None:
    answer = client.get("/browse/results.json", params={"sql": sql})
    assert answer.status_code == 400
    assert answer.json()["ok"] is False


@pytest.mark.demand("S-142")
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/", "/coverage", "/item/bash", "/quarantine/1"])
def test_no_page_takes_anything_that_writes(client: Session, method: str, path: str) -> None:
    assert client.request(method, path, json={}).status_code == 405


@pytest.mark.demand("S-142")
def test_our_reader_cannot_write(generated: Path) -> None:
    reader = Reader(generated)
    with pytest.raises(StoreError, match="readonly"):
        reader.ask("insert into _meta values ('a', 'b')")
    reader.close()


@pytest.mark.demand("S-142")
def test_datasette_connects_read_only_and_never_as_immutable(client: Session) -> None:
    (database,) = client.get("/browse/-/databases.json").json()
    assert database["name"] == "results"
    assert database["is_mutable"] is True
    answer = client.get("/browse/results.json", params={"sql": "select * from pragma_query_only()"})
    assert answer.status_code in (200, 400)
    assert client.get("/browse/results.db").status_code in (403, 404)


def test_a_question_that_takes_too_long_is_stopped(generated: Path) -> None:
    reader = Reader(generated, limit_s=0.05)
    endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n"
    with pytest.raises(StoreError, match="took longer"):
        reader.ask(endless)
    assert reader.ask("select 1 as one") == [{"one": 1}]
    reader.close()


def test_a_store_that_cannot_answer_is_explained(
    serve_store: Serve, generated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve_store(generated) as client:
        monkeypatch.setattr("ci_results.serve.overview.LATEST", "select nonsense")
        answer = client.get("/")
    assert answer.status_code == 503
    assert "doctor" in answer.text


def test_a_file_that_is_no_store_is_refused_at_start(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="ci-results harvest"):
        Reader(tmp_path / "missing.db")
    sqlite3.connect(tmp_path / "other.db").execute("create table a (b)").connection.close()
    with pytest.raises(StoreError, match="latest_result"):
        Reader(tmp_path / "other.db")


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://ci.example.com/job/1/", True),
        ("HTTP://ci.example.com", True),
        ("javascript:alert(1)", False),
        (" javascript:alert(1)", False),
        ("java\nscript:alert(1)", False),
        ("data:text/html,x", False),
        ("//evil.example/x", False),
        ("https:///x", False),
        ("https://[broken", False),
        ("", False),
        (None, False),
    ],
)
def test_only_http_addresses_become_links(url: str | None, safe: bool) -> None:
    assert (words.safe_url(url) is not None) is safe
    assert ("<a " in words.link(url)) is safe


ORIGIN = {"Origin": "https://ci.example"}
ASKED = {**ORIGIN, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}


def test_pages_elsewhere_may_read_and_post_nothing(bounds: Bounds) -> None:
    with bounds() as client:
        assert "access-control-allow-origin" not in client.get("/ok", headers=ORIGIN).headers
        assert client.options("/echo", headers=ASKED).status_code == 405


def test_pages_of_configured_origins_may_read_and_post(bounds: Bounds) -> None:
    with bounds(cors=("https://ci.example",)) as client:
        assert (
            client.get("/ok", headers=ORIGIN).headers["access-control-allow-origin"] == "https://ci.example"
        )
        preflight = client.options("/echo", headers=ASKED)
        assert preflight.status_code == 200
        assert "POST" in preflight.headers["access-control-allow-methods"]
        other = {**ORIGIN, "Origin": "https://evil.example"}
        assert "access-control-allow-origin" not in client.get("/ok", headers=other).headers
