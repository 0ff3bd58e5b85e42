"""Trees behind HTTP: any server's index, links that lead elsewhere, servers in trouble, huge reports."""

from __future__ import annotations

import json
import os
import time
import tracemalloc
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from ci_results_errata_checks import Options, Rpmgrill

from ci_results import Checkpoint, Garbled, SourceGarbledError, SourceRefusedError, SourceSession
from ci_results.errors import SourceUnavailableError

from .report_trees import LONG_AGO, Harvest, Tree, rpmgrill
from .served_tree import STYLES, Answer, ServedTree

Serve = Callable[..., AbstractContextManager[ServedTree]]
Run = Callable[..., Harvest]


def page(*links: str, name: str = "Index of /") -> Answer:
    """Return an index that somebody wrote."""
    rows = "".join(f'<a href="{link}">x</a> 2026-01-01 00:00 1\n' for link in links)
    return Answer(body=f"<html><title>{name}</title><body>{rows}</body></html>".encode())


@pytest.mark.parametrize("style", STYLES)
def test_every_index_gives_what_the_disk_gives(tree: Tree, harvest: Run, served: Serve, style: str) -> None:
    tree.write("a b & c/rpmgrill.json")
    tree.write("x/žluť#1?/deeper/rpmgrill.xml", b"<results tool='rpmgrill'></results>")
    name = b"caf\xe9" if style != "nginx_json" else "café".encode()  # JSON has no other bytes
    tree.write(name + b"/50%/rpmgrill.json", rpmgrill("zsh-5-1.fc40", "BadRpath"))
    tree.write("x/notes.txt", b"nothing")
    with served(style) as server:
        over_http = harvest(url=server.url)
        from_disk = harvest(link=server.url)
        assert over_http.error is None
        assert sorted(map(repr, over_http.observations)) == sorted(map(repr, from_disk.observations))
        assert len(over_http.files) == 2
        assert sorted(over_http.reasons) == sorted(from_disk.reasons)
        server.asked.clear()
        again = harvest(over_http.cursor, url=server.url)
        assert [type(each) for each in again.seen if not isinstance(each, Garbled)] == [Checkpoint]
        heads = 3 if style == "plain" else 0
        assert [ask for ask in server.asked if not ask.endswith("/")][heads:] == []


def test_an_address_may_be_written_as_people_do(tree: Tree, harvest: Run, served: Serve) -> None:
    tree.write("my reports/a/rpmgrill.json")
    with served() as server:
        port = server.url.split(":")[2]
        found = harvest(url=f"http://LOCALHOST:{port}my reports")
        assert (found.error, found.files) == (None, ["a/rpmgrill.json"])


@pytest.mark.parametrize("style", STYLES)
def test_a_changed_report_is_read_again(tree: Tree, harvest: Run, served: Serve, style: str) -> None:
    tree.write("a/rpmgrill.json")
    tree.write("b/rpmgrill.json")
    with served(style) as server:
        cursor = harvest(url=server.url).cursor
        tree.write("b/rpmgrill.json", rpmgrill("bash-5.2-1.fc40", "BadRpath"), at=LONG_AGO + 3600)
        assert harvest(cursor, url=server.url).files == ["b/rpmgrill.json"]


def test_a_report_that_changes_within_a_minute_is_not_missed(tree: Tree, harvest: Run, served: Serve) -> None:
    tree.write("a/rpmgrill.json", at=time.time() - 5)
    with served() as server:
        cursor = harvest(url=server.url).cursor
        tree.write("a/rpmgrill.json", rpmgrill("bash-6.2-1.fc40"), at=time.time() - 5)
        assert harvest(cursor, url=server.url).files == ["a/rpmgrill.json"]


def test_one_file_may_list_all(tree: Tree, harvest: Run, served: Serve) -> None:
    tree.write("a/rpmgrill.json")
    tree.write("a/rpmgrill.xml", b"the same again")
    tree.write("b/c/rpmgrill.xml", b"<results tool='rpmgrill'></results>")
    told = [
        {"name": name, "mtime": "2026-01-01T00:00:00Z", "size": 1}
        for name in (
            "a/rpmgrill.json",
            "a/rpmgrill.xml",
            "b/c/rpmgrill.xml",
            "../up/rpmgrill.json",
            "/rpmgrill.json",
        )
    ]
    tree.write("index.json", json.dumps([*told, {"size": 7}]).encode())
    with served() as server:
        first = harvest(url=f"{server.url}index.json")
        index, *files = server.asked
        assert index == "GET /reports/index.json"
        assert sorted(files) == ["GET /reports/a/rpmgrill.json", "GET /reports/b/c/rpmgrill.xml"]
        assert first.reasons[-1] == "/: a record of the index without a name"
        assert first.garbled[-1].raw == b'{"size": 7}'
        server.asked.clear()
        harvest(first.cursor, url=f"{server.url}index.json")
        assert server.asked == ["GET /reports/index.json"]


def test_no_link_leads_elsewhere(tree: Tree, harvest: Run, served: Serve) -> None:
    tree.write("a/rpmgrill.json")
    (tree.root.parent / "rpmgrill.json").write_bytes(rpmgrill("outside-1-1.fc40"))
    links = [
        *("http://elsewhere.example/reports/rpmgrill.json", "//elsewhere.example/x/", "../rpmgrill.json"),
        *("/rpmgrill.json", "..%2Frpmgrill.json", "%2e%2e/", "a/../../rpmgrill.json", "./../", "/reports2/"),
        *("javascript:alert(1)", "file:///etc/passwd", "http://[bad/", "x%00/", "?C=N;O=D", "#top", "a/"),
    ]
    with served(alter=lambda path: page(*links) if path == "" else None) as server:
        found = harvest(url=server.url)
        assert (found.files, found.garbled) == (["a/rpmgrill.json"], [])
        assert server.asked == [f"GET /reports/{path}" for path in ("", "a/", "a/rpmgrill.json")]
        session = SourceSession(server.url, attempts=1)
        lines = list(Rpmgrill().check(Options(url=server.url), session))
        session.close()
        assert lines[1] == "not followed, for they lead elsewhere: 12 links"


def test_nothing_is_taken_that_a_redirect_brings_from_elsewhere(
    tree: Tree, harvest: Run, served: Serve
) -> None:
    tree.write("a/rpmgrill.json")
    tree.write("b/rpmgrill.json")

    def alter(path: str) -> Answer | None:
        if path == "b/rpmgrill.json":
            return Answer(302, headers={"Location": "/rpmgrill.json"})
        return Answer(body=rpmgrill("outside-1-1.fc40")) if path == "/rpmgrill.json" else None

    with served(alter=alter) as server:
        found = harvest(url=server.url)
        assert found.files == ["a/rpmgrill.json"]
        assert "leads out of" in found.reasons[0]
    with served(
        alter=lambda path: Answer(302, headers={"Location": "/"}) if path == "" else page()
    ) as server:
        assert isinstance(harvest(url=server.url).error, SourceRefusedError)


def test_a_folder_that_lies_in_itself_is_told(tree: Tree, harvest: Run, served: Serve) -> None:
    tree.write("a/rpmgrill.json")

    def alter(path: str) -> Answer | None:
        return page("self/", "a/") if path == "" or path.endswith("self/") else None

    with served(alter=alter) as server:
        found = harvest(url=server.url)
        assert found.files == ["a/rpmgrill.json"]
        assert found.reasons == ["self/: lists what a folder above lists, or lies too deep"]
        assert len(server.asked) == 4


def test_a_server_that_has_a_folder_in_every_folder_comes_to_an_end(harvest: Run, served: Serve) -> None:
    with served(alter=lambda path: page(f"x{path.count('/')}/")) as server:
        found = harvest(url=server.url)
        assert len(found.garbled) == 1
        assert len(server.asked) < 40


@pytest.mark.parametrize("after", range(8))
def test_a_server_that_dies_midway_loses_nothing(
    tree: Tree, harvest: Run, served: Serve, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ci_results_errata_checks.collector.FILES_A_CHECKPOINT", 1)
    for name in "abcd":
        tree.write(f"{name}/rpmgrill.json")
    count = 0

    def alter(path: str) -> Answer | None:
        nonlocal count
        count += 1
        if count > after:
            body = (tree.root / path).read_bytes()[:50] if path.endswith("json") else b"<html><title>Index of"
            return Answer(body=body, length=len(body) + 1000)
        return None

    with served(alter=alter) as server:
        broken = harvest(url=server.url)
    assert isinstance(broken.error, SourceUnavailableError)
    assert broken.garbled == []
    with served() as server:
        rest = harvest(broken.cursors[-1] if broken.cursors else None, url=server.url)
    assert {*broken.files, *rest.files} == {f"{name}/rpmgrill.json" for name in "abcd"}
    assert not {*broken.files} & {*rest.files}


@pytest.mark.parametrize("away", ["b/rpmgrill.json", "b/"])
def test_what_is_away_holds_up_nothing_else(tree: Tree, harvest: Run, served: Serve, away: str) -> None:
    for name in "abc":
        tree.write(f"{name}/rpmgrill.json")
    with served(alter=lambda path: Answer(503) if path == away else None) as server:
        found = harvest(url=server.url)
        assert found.files == ["a/rpmgrill.json", "c/rpmgrill.json"]
        assert isinstance(found.error, SourceUnavailableError)
    with served() as server:
        assert harvest(found.cursors[-1], url=server.url).files == ["b/rpmgrill.json"]


def test_a_server_that_is_away_is_not_asked_for_everything(tree: Tree, harvest: Run, served: Serve) -> None:
    for name in range(30):
        tree.write(f"{name}/rpmgrill.json")
    with served(alter=lambda path: Answer(503) if path else None) as server:
        found = harvest(url=server.url)
        assert isinstance(found.error, SourceUnavailableError)
        assert len(server.asked) <= 1 + 3 + 8  # the index, what was in turn, what was fetched ahead


def test_what_is_forbidden_or_broken_is_told_and_what_vanished_is_not(
    tree: Tree, harvest: Run, served: Serve
) -> None:
    for name in "abcde":
        tree.write(f"{name}/rpmgrill.json")
    answers = {"a/rpmgrill.json": 403, "b/rpmgrill.json": 500, "c/rpmgrill.json": 404, "d/": 404}

    def alter(path: str) -> Answer | None:
        return Answer(answers[path]) if path in answers else None

    with served(alter=alter) as server:
        found = harvest(url=server.url)
        assert (found.error, found.files) == (None, ["e/rpmgrill.json"])
        assert [each.key for each in found.garbled] == ["a/rpmgrill.json", "b/rpmgrill.json"]
        answers.clear()
        assert len(harvest(found.cursor, url=server.url).files) == 4


def test_a_token_that_expires_midway_stops_the_harvest(tree: Tree, harvest: Run, served: Serve) -> None:
    tree.write("a/rpmgrill.json")
    with served(alter=lambda path: Answer(401) if path else None) as server:
        assert isinstance(harvest(url=server.url).error, SourceRefusedError)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (page("a/", name="Sign in"), "no index: a page that does not call itself"),
        (Answer(body=b"hello"), "no index: neither"),
        (Answer(body=b""), "no index: neither"),
        (Answer(body=page("a/", "b/").body[:-20]), "the index is cut"),
        (Answer(body=b'[{"name": "a", "type": "directory"}, {"na'), "no JSON, or cut"),
        (Answer(body=b"[" * 100_000), "no JSON, or cut"),
    ],
    ids=["login", "text", "nothing", "cut HTML", "cut JSON", "deep JSON"],
)
def test_what_is_no_index_is_not_taken_for_an_empty_one(
    harvest: Run, served: Serve, answer: Answer, said: str
) -> None:
    with served(alter=lambda path: answer if path == "" else page()) as server:
        error = harvest(url=server.url).error
        assert isinstance(error, SourceGarbledError)
        assert said in str(error)
        assert server.url in str(error)


def test_a_huge_report_is_read_in_flat_memory(tree: Tree, harvest: Run) -> None:
    """8 MB of modules, twice read; nothing is kept of what was yielded."""
    gripe = {"code": "BadRpath", "diag": "x" * 4000}
    modules = [
        json.dumps({"module": f"M{number}", "status": "completed", "results": [gripe]})
        for number in range(2_000)
    ]
    package = '"package": {"name": "bash", "version": "5.2", "release": "1.fc40"}'
    body = f'{{{package}, "results": {{"tool": "rpmgrill"}}, "tests": [{",".join(modules)}]}}'
    tree.write("a/rpmgrill.json", body.encode())
    del modules, body
    harvest(files=("none",))  # what is imported once
    tracemalloc.start()
    try:
        count = sum(1 for _ in Rpmgrill().harvest(Options(path=tree.root), None, SourceSession()))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 2_002
    assert peak < 4_000_000


def test_a_report_over_http_is_copied_to_disk_not_to_memory(
    tree: Tree, served: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree.write("a/rpmgrill.json", rpmgrill() + b" " * 20_000_000)
    with served() as server:
        session = SourceSession(server.url, attempts=1)
        seen: list[Any] = []
        monkeypatch.setattr("ci_results_errata_checks.web.MAX_REPORT_BYTES", 1_000_000)
        seen += Rpmgrill().harvest(Options(url=server.url), None, session)
        session.close()
    (garbled,) = [each for each in seen if isinstance(each, Garbled)]
    assert garbled.reason.endswith("answer is larger than 1000000 bytes")


def test_an_index_of_many_names_is_read_in_flat_memory(
    served: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ci_results_errata_checks.web._IN_MEMORY", 65_536)
    assert abs(peak_of_index(served, 15_000) - peak_of_index(served, 3_000)) < 300_000


def peak_of_index(served: Serve, names: int) -> int:
    """Return how many bytes a harvest of an index of that many names has held at once."""
    row = '<tr><td><a href="build-{:06}.log">x</a></td><td>2026-01-01 00:00</td></tr>\n'
    rows = "".join(row.format(number) for number in range(names))
    root = Answer(body=f"<html><title>Index of /</title>{rows}</html>".encode())
    with served(alter=lambda path: root) as server:
        session = SourceSession(server.url, attempts=1)
        tracemalloc.start()
        try:
            found = list(Rpmgrill().harvest(Options(url=server.url), None, session))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
            session.close()
    assert found == [Checkpoint("1:")]
    return peak


def test_a_clock_of_the_server_says_how_old_a_report_is(tree: Tree, harvest: Run, served: Serve) -> None:
    """Half of a report, written an hour ago by a clock that is an hour behind: it is still being written."""
    tree.write("a/rpmgrill.json", rpmgrill()[:-20], at=time.time() - 3600)
    with served() as server:
        assert len(harvest(url=server.url).garbled) == 1

        def alter(path: str) -> Answer | None:
            if not path.endswith(".json"):
                return None
            from email.utils import formatdate

            file = tree.root / path
            told = {"Last-Modified": formatdate(file.stat().st_mtime, usegmt=True)}
            return Answer(body=file.read_bytes(), headers=told | {"Date": told["Last-Modified"]})

        server.alter = alter
        assert harvest(url=server.url).garbled == []


def test_the_path_of_the_file_system_is_not_known_over_http(tree: Tree, harvest: Run, served: Serve) -> None:
    tree.write("a/rpmgrill.json")
    with served() as server:
        (one, _) = harvest(url=server.url).observations
        assert one.run is not None
        assert one.run.ref_url == f"{server.url}a/rpmgrill.json"
        assert os.fspath(tree.root) not in repr(one)


def test_folders_and_reports_are_fetched_ahead_a_bounded_number_at_once(
    tree: Tree, harvest: Run, served: Serve
) -> None:
    for number in range(16):
        tree.write(f"one/rpmgrill-{number:02}.json", rpmgrill(f"bash-5.2-{number}.fc40"))
        tree.write(f"many/{number:02}/rpmgrill.json", rpmgrill(f"zsh-5.9-{number}.fc40"))
    now, most = set[object](), [0]

    def slow(path: str) -> None:
        mark = object()
        now.add(mark)
        most[0] = max(most[0], len(now))
        time.sleep(0.05)
        now.discard(mark)

    with served(alter=slow) as server:
        found = harvest(url=server.url, files=("*.json",))
        assert (found.error, len(found.files)) == (None, 32)
        assert len(server.asked) == len(set(server.asked)) == 3 + 16 + 32
        assert found.files == sorted(found.files)
        assert 1 < most[0] <= 4  # as many as a session has in flight
        server.asked.clear()
        assert harvest(found.cursor, url=server.url, files=("*.json",)).files == []
        assert [ask for ask in server.asked if not ask.endswith("/")] == []
