"""POST /api/ci/v1/reports against a live server."""

from __future__ import annotations

import gzip
import io
import json
import socket
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, Any

import pytest
import requests
from fake_server import bearer
from fake_server import serving as serving_with
from starlette.applications import Starlette

from ci_results.config import Report, Serving
from ci_results.config_auth import Auth, TokenTable
from ci_results.domain.garbled import Garbled
from ci_results.domain.observation import Observation
from ci_results.domain.ownership import Ownership
from ci_results.domain.permission import Permission
from ci_results.domain.report import Report as ReadAbout
from ci_results.domain.unpack_limits import UnpackLimits
from ci_results.formats.junit import JUnit
from ci_results.operations.quarantine import retry
from ci_results.operations.report import About, report
from ci_results.plugin.manager import load_plugins
from ci_results.query.results import ResultQuery
from ci_results.serve.app import application
from ci_results.serve.auth.tokens import digest
from ci_results.serve.ci_v1.upload import KINDS, MULTIPART
from ci_results.serve.surroundings import ReportRules, Surroundings, installed_plugins
from ci_results.store.postgres import PostgresStore
from ci_results.store.protocol import Store
from ci_results.store.sqlite import SqliteStore

PATH = "/api/ci/v1/reports"
ITEM = "bash-5.2.26-3.fc40"
ABOUT = {"item": ITEM, "testcase_prefix": "baseos"}
TAP = b"1..2\nok 1 - one\nnot ok 2 - two\n"
XML = {"Content-Type": "application/xml"}
FORM = {"X-Requested-With": "test"}

Serve = Callable[..., AbstractContextManager[requests.Session]]


def junit(cases: int = 3) -> bytes:
    inner = "".join(f'<testcase classname="c" name="t{n}"/>' for n in range(cases))
    return f'<testsuite name="s">{inner}</testsuite>'.encode()


@contextmanager
def over(
    serve: Serve, store: Store, settings: Serving | None = None, reports: Report | None = None
) -> Iterator[requests.Session]:
    view = getattr(store, "path", None)
    settings = settings or Serving()
    around = Surroundings(
        store=store,
        settings=settings,
        inline=view is not None,
        reports=ReportRules(table=reports or Report()),
    )
    app: Starlette = application(around, view)
    with serve(app, settings) as client:
        yield client


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with SqliteStore.open(tmp_path / "results.db") as opened:
        yield opened


@pytest.fixture
def client(serve: Serve, store: SqliteStore) -> Iterator[requests.Session]:
    with over(serve, store) as found:
        yield found


def post(
    client: requests.Session, body: Any, kind: str = "application/xml", **more: Any
) -> requests.Response:
    return client.post(PATH, data=body, params={**ABOUT, **more}, headers={"Content-Type": kind})


def stored(client: requests.Session, **asked: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get("/api/v2.0/results", params={"limit": "1000", **asked}).json()[
        "data"
    ]
    return found


# -- stored ----------------------------------------------------------------------------------------


@pytest.mark.demand("S-019", "S-130")
def test_a_raw_report_is_enough(client: requests.Session) -> None:
    answer = post(client, junit())
    assert answer.status_code == 201
    said = answer.json()
    (file,) = said["files"]
    assert {key: said[key] for key in ("stored", "same", "superseding", "quarantined", "quarantine")} == {
        "stored": 4,
        "same": 0,
        "superseding": 0,
        "quarantined": 0,
        "quarantine": None,
    }
    assert (file["file"], file["state"], file["format"]) == ("upload", "stored", "junit")
    assert file["outcomes"] == {"PASSED": 3}
    found = client.get(said["results"]).json()["data"]
    assert {one["testcase"]["name"] for one in found} == {
        "baseos.junit", "baseos.s.c.t0", "baseos.s.c.t1", "baseos.s.c.t2"
    }  # fmt: skip


@pytest.mark.demand("S-019", "S-028")
def test_a_report_says_the_same_however_it_comes(
    client: requests.Session, store: SqliteStore, tmp_path: Path
) -> None:
    """Posted and read from a file: the same identity, so that the second is no news."""
    path = tmp_path / "r.xml"
    path.write_bytes(junit())
    (one,) = report([str(path)], About(item=ITEM, prefix="baseos"), store, installed_plugins())
    assert one.state == "stored"
    answer = post(client, junit())
    assert (answer.status_code, answer.json()["files"][0]["run"]) == (200, one.run)
    assert answer.json()["stored"] == 0


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != MULTIPART])
def test_the_format_is_what_the_content_says_whatever_the_type(client: requests.Session, kind: str) -> None:
    said = post(client, TAP, kind).json()
    assert (said["stored"], said["files"][0]["format"]) == (3, "tap")


def test_all_that_the_query_says_is_stored(client: requests.Session) -> None:
    more = {
        "item_type": "ci_build",
        "item": "job/7#12",
        "scenario": "uefi",
        "arch": "aarch64",
        "group": ["nightly", "4f1c"],
        "url": "https://ci.example/7",
        "time": "2026-01-02T03:04:05Z",
    }
    assert post(client, TAP, **more).status_code == 201
    for one in stored(client):
        assert one["data"]["item"] == ["job/7#12"]
        assert (one["data"]["scenario"], one["data"]["arch"]) == (["uefi"], ["aarch64"])
        assert [group.rpartition("/")[2] for group in one["groups"]] == ["nightly", "4f1c"]
        assert one["ref_url"] == "https://ci.example/7"
        assert one["submit_time"].startswith("2026-01-02T03:04:05")
    assert client.get("/api/v2.0/groups/nightly").json()["results_count"] == 3


def test_the_configuration_says_what_the_query_does_not(serve: Serve, store: SqliteStore) -> None:
    with over(serve, store, reports=Report(namespace="team", item_type="ci_build")) as client:
        answer = client.post(PATH, data=TAP, params={"item": "a/b#1"}, headers=XML)
        assert answer.status_code == 201
        assert {one["testcase"]["name"].partition(".")[0] for one in stored(client)} == {"team"}
        assert {one["data"]["type"][0] for one in stored(client)} == {"ci_build"}


def test_an_archive_may_be_posted(client: requests.Session) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("unit/r.xml", junit())
        archive.writestr("../t.tap.gz", gzip.compress(TAP))
        archive.writestr("notes", "nothing")
    said = post(client, buffer.getvalue(), "application/zip").json()
    assert [(one["file"], one["state"]) for one in said["files"]] == [
        ("upload!unit/r.xml", "stored"),
        ("upload!../t.tap.gz", "stored"),
        ("upload!notes", "empty"),
    ]
    assert said["stored"] == 7


def test_a_form_may_hold_several_files(client: requests.Session) -> None:
    files = [("report", ("a.xml", junit())), ("report", ("b.tap", TAP)), ("x", ("c\x1b.bin", b"\0"))]
    answer = client.post(PATH, params=ABOUT, files=files, headers=FORM)
    assert answer.status_code == 201
    said = answer.json()
    assert [(one["file"], one["state"]) for one in said["files"][:2]] == [
        ("a.xml", "stored"),
        ("b.tap", "stored"),
    ]
    assert said["files"][2]["state"] == "unreadable"
    assert (said["quarantined"], said["quarantine"]) == (1, "/quarantine")
    assert said["next"] == "ci-results quarantine list --source report"


def test_a_large_body_in_pieces_is_stored_whole(client: requests.Session) -> None:
    body = junit(30_000)
    assert len(body) > 1 << 20
    pieces = (body[start : start + 70_000] for start in range(0, len(body), 70_000))
    assert post(client, pieces).json()["stored"] == 30_001
    assert post(client, body).json()["files"][0]["state"] == "same"


# -- again -----------------------------------------------------------------------------------------


def test_a_retry_stores_nothing_twice(client: requests.Session) -> None:
    first, again = post(client, junit()), post(client, gzip.compress(junit()), "application/gzip")
    assert (first.status_code, again.status_code) == (201, 200)
    assert (again.json()["stored"], again.json()["files"][0]["state"]) == (0, "same")
    assert post(client, junit(), item="bash-5.2.26-4.fc40").status_code == 201


def test_the_same_report_by_many_at_once_is_stored_once(client: requests.Session) -> None:
    body = junit(2_000)
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: post(client, body), range(6)))
    assert {answer.status_code for answer in answers} <= {200, 201}
    assert sum(answer.json()["stored"] for answer in answers) == 2_001


# -- refused ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [b"", b"hello", b"<html><title>Log in</title></html>"])
def test_what_nobody_reads_is_422_and_kept(client: requests.Session, body: bytes) -> None:
    answer = post(client, body)
    assert answer.status_code == 422
    said = answer.json()
    assert said["message"].startswith("Nothing could be read: upload: ")
    assert said["quarantine"] == "/quarantine"
    assert client.get("/quarantine.json").json()["records"][0]["source"] == "report"
    assert post(client, body).status_code == 422
    assert len(client.get("/quarantine.json").json()["records"]) == 1


def test_a_bomb_is_422_and_kept(serve: Serve, store: SqliteStore) -> None:
    with over(serve, store, reports=Report(unpack=UnpackLimits(max_bytes=100_000))) as client:
        answer = post(client, gzip.compress(bytes(10_000_000)), "application/gzip")
    assert answer.status_code == 422
    assert "unpacks to more than 100,000 bytes" in answer.json()["message"]
    assert len(store.quarantined()) == 1


def test_the_front_of_a_cut_archive_is_stored(client: requests.Session) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in ("a.tap", "b.tap"):
            info = tarfile.TarInfo(name)
            info.size = len(TAP)
            archive.addfile(info, io.BytesIO(TAP))
    answer = post(client, buffer.getvalue()[:1200], "application/x-tar")
    said = answer.json()
    assert (answer.status_code, said["stored"], said["quarantined"]) == (201, 3, 1)
    assert said["files"][-1]["reason"] == "breaks off at byte 1,200 of the tar"


BROKEN = b'<testsuite name="s">\n<testcase name="a"/>\n<testcase name="b"><failure'


@pytest.mark.demand("S-030")
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "packed"])
def test_a_garbled_part_of_a_posted_report_is_kept_with_the_report_and_read_again(
    client: requests.Session, store: SqliteStore, pack: Callable[[bytes], bytes]
) -> None:
    answer = post(client, pack(BROKEN), scenario="uefi")
    assert (answer.status_code, answer.json()["quarantined"]) == (201, 1)
    (record,) = store.quarantined()
    assert (record.source, record.door, record.raw) == ("report", "report", BROKEN)
    assert (record.told or {})["scenario"] == "uefi"
    page = client.get(f"/quarantine/{record.id}.json").json()
    assert page["reason"] == record.reason
    assert [line["text"] for line in page["excerpt"] if line["hit"]] == ['<testcase name="b"><failure']
    plugins = load_plugins()
    (stays,) = retry([record], {}, store, plugins)
    assert stays.reason == record.reason
    assert [one.id for one in store.quarantined()] == [record.id]
    plugins.formats["junit"] = Mended()
    (answered,) = retry(store.quarantined(), {}, store, plugins)
    assert answered.reason is None
    assert store.quarantined() == []
    assert "baseos.s.b" in {result.testcase for result in store.results(ResultQuery(item=ITEM))}


class Mended(JUnit):
    """What a newer version of the reader makes of it."""

    def read(self, stream: IO[bytes], about: ReadAbout) -> Iterator[Observation | Garbled]:
        return super().read(io.BytesIO(stream.read() + b"/></testcase></testsuite>"), about)


@pytest.mark.demand("S-030")
def test_a_posted_archive_of_nothing_known_is_kept_with_what_it_was_for(
    client: requests.Session, store: SqliteStore
) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("r.odd", "#odd\n")
    assert post(client, buffer.getvalue(), "application/zip").status_code == 422
    (record,) = store.quarantined()
    assert (record.raw, (record.told or {})["item"]) == (buffer.getvalue(), ITEM)
    plugins = load_plugins()
    (stays,) = retry([record], {}, store, plugins)
    assert "still no format recognises it" in (stays.reason or "")

    class Odd(Mended):
        name = "odd"

        def recognises(self, head: bytes) -> bool:
            return head.startswith(b"#odd")

        def read(self, stream: IO[bytes], about: ReadAbout) -> Iterator[Observation | Garbled]:
            return JUnit().read(io.BytesIO(junit()), about)

    plugins.formats["odd"] = Odd()
    (answered,) = retry(store.quarantined(), {}, store, plugins)
    assert (answered.reason, answered.stored, store.quarantined()) == (None, 4, [])


@pytest.mark.parametrize(
    ("query", "places"),
    [
        ({}, ["item", "testcase_prefix"]),
        ({"item": "", "testcase_prefix": "a"}, ["item"]),
        ({**ABOUT, "itme": "x"}, ["itme"]),
        ({**ABOUT, "time": "yesterday"}, ["time"]),
        ({**ABOUT, "arch": ["a", "b"]}, ["arch"]),
        ({**ABOUT, "arch": "a\0"}, ["arch"]),
        ({**ABOUT, "scenario": b"\xff"}, ["scenario"]),
    ],
)
def test_a_wrong_query_is_told_and_nothing_is_read(
    client: requests.Session, query: dict[str, Any], places: list[str]
) -> None:
    answer = client.post(PATH, data=TAP, params=query, headers=XML)
    assert answer.status_code == 400
    assert [one["loc"] for one in answer.json()["validation_error"]] == [[place] for place in places]
    assert stored(client) == []


@pytest.mark.parametrize(
    "more",
    [
        {"item": "bash"},
        {"item_type": "odd"},
        {"url": "javascript:alert(1)"},
        {"group": "g" * 1025},
        {"testcase_prefix": "\n"},
    ],
)
def test_what_no_result_may_say_is_told_and_nothing_is_read(
    client: requests.Session, more: dict[str, str]
) -> None:
    answer = post(client, TAP, **more)
    assert (answer.status_code, list(answer.json())) == (400, ["message"])
    assert client.get("/quarantine.json").json()["records"] == []


def test_a_form_that_holds_no_file_or_something_else_is_told(client: requests.Session) -> None:
    kind = {"Content-Type": "multipart/form-data; boundary=b", **FORM}

    def send(body: bytes, headers: dict[str, str] = kind) -> tuple[int, str]:
        answer = client.post(PATH, params=ABOUT, data=body, headers=headers)
        return answer.status_code, answer.json()["message"]

    assert send(b"--b--\r\n") == (400, "the form holds no file")
    field = b'--b\r\nContent-Disposition: form-data; name="item"\r\n\r\nbash\r\n--b--\r\n'
    assert send(field) == (400, "part item of the form is no file: send it with a filename")
    assert send(field, {"Content-Type": MULTIPART, **FORM})[0] == 400
    assert send(b"rubbish")[0] == 400
    whole = b'--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n' + TAP + b"\r\n--b--\r\n"
    for place in range(40, len(whole) - 4, 7):
        assert send(whole[:place]) == (400, "the form cannot be read: it breaks off before its end")
    assert stored(client) == []
    assert send(b'--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n1..1\nok')[0] in (
        400,
        201,
    )


def test_other_methods_are_refused(client: requests.Session) -> None:
    assert client.get(PATH).status_code == 405


# -- who may ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "text/plain; charset=application/xml",
        "text/plain,application/xml",
        "multipart/form-data; boundary=b",
        "multipart/mixed; boundary=b",
    ],
)
def test_what_a_page_elsewhere_can_send_unasked_is_refused(
    client: requests.Session, store: SqliteStore, kind: str
) -> None:
    """Those are the types of forms and of `fetch` in mode no-cors; anything else the browser asks first."""
    answer = client.post(PATH, data=TAP, params=ABOUT, headers={"Content-Type": kind} if kind else {})
    assert answer.status_code == 415
    assert "Send a " in answer.json()["message"]
    assert store.counts()["results"] == store.counts()["quarantined"] == 0


def test_a_page_elsewhere_that_asks_first_is_not_let_in(client: requests.Session) -> None:
    asked = {
        "Origin": "https://evil.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type, x-requested-with",
    }
    answer = client.options(PATH, headers=asked)
    assert not any(name.lower().startswith("access-control-allow") for name in answer.headers)


def test_a_page_of_a_configured_origin_may_post_a_form(serve: Serve, store: SqliteStore) -> None:
    asked = {
        "Origin": "https://ci.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "x-requested-with",
    }
    with over(serve, store, Serving(cors=("https://ci.example",))) as client:
        assert client.options(PATH, headers=asked).status_code == 200


TOKENS = Auth(
    anonymous_posts=False,
    tokens=(
        TokenTable(name="jane", sha256=digest("cir_jane")),
        TokenTable(name="joe", sha256=digest("cir_joe")),
    ),
)
RULES = [{"testcases": ["baseos.*"], "users": ["jane"]}]


def test_a_token_is_wanted_where_users_are_known() -> None:
    with serving_with(TOKENS, here_only=False) as client:
        for headers, status in (
            (XML, 401),
            ({**XML, **bearer("cir_other")}, 401),
            ({**XML, **bearer("cir_joe")}, 201),
        ):
            assert client.post(PATH, params=ABOUT, data=TAP, headers=headers).status_code == status
        assert {row.name for row in client.store.sources()} == {"report:joe"}


def test_who_may_not_submit_one_of_the_testcases_stores_nothing() -> None:
    with serving_with(TOKENS, RULES, here_only=False) as client:
        files = [("a", ("a.tap", TAP)), ("b", ("b.xml", junit()))]

        def send(token: str, prefix: str) -> requests.Response:
            about = {**ABOUT, "testcase_prefix": prefix}
            return client.post(PATH, params=about, files=files, headers={**FORM, **bearer(token)})

        refused = send("cir_joe", "baseos")
        assert refused.status_code == 403
        assert (
            "User joe is not authorized to submit results for the test case baseos."
            in refused.json()["message"]
        )
        assert send("cir_jane", "other").status_code == 403
        assert client.store.counts()["results"] == 0
        assert send("cir_jane", "baseos").status_code == 201
        assert client.store.counts()["results"] == 7


def test_a_testcase_that_reports_do_not_own_waits_in_the_quarantine(serve: Serve, store: SqliteStore) -> None:
    ownership = Ownership(owned=Permission(testcases=("team.*",)), where="[report] owns")
    around = Surroundings(store=store, reports=ReportRules(ownership=ownership))
    with serve(application(around, store.path)) as client:
        refused = post(client, TAP)
        assert (refused.status_code, refused.json()["quarantined"]) == (422, 3)
        assert "is not among those that the source owns (team.*)" in refused.json()["message"]
        assert post(client, TAP, testcase_prefix="team").status_code == 201


# -- bounds ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("form", [False, True])
def test_a_body_too_long_is_told_and_nothing_is_stored(
    serve: Serve, store: SqliteStore, chunked: bool, form: bool
) -> None:
    with over(serve, store, Serving(max_report_bytes=100_000, max_body_bytes=1_000)) as client:
        fits = client.post(PATH, params=ABOUT, data=junit(1_000), headers=XML)
        assert fits.status_code == 201  # it is more than max_body_bytes, of other requests
        before = store.counts()["results"]
        asked = requests.Request("POST", "http://localhost", files={"f": ("f", junit(9_000))}).prepare()
        kind = asked.headers["Content-Type"] if form else "application/xml"
        body = bytes(asked.body or b"") if form else junit(9_000)
        data: Any = iter([body[:50_000], body[50_000:]]) if chunked else body
        answer = client.post(PATH, params=ABOUT, data=data, headers={"Content-Type": kind, **FORM})
        assert (answer.status_code, answer.json()["message"]) == (413, "The body is longer than 100000 bytes")
        assert store.counts()["results"] == before


def test_a_body_that_comes_too_slowly_is_told(serve: Serve, store: SqliteStore) -> None:
    with over(serve, store, Serving(receive_timeout_s=0.3)) as client:
        port: int = client.port  # type: ignore[attr-defined]
        with socket.create_connection(("127.0.0.1", port)) as end:
            query = f"item={ITEM}&testcase_prefix=baseos"
            head = f"POST {PATH}?{query} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/xml\r\n"
            end.sendall(f"{head}Content-Length: 1000\r\n\r\n<testsuite".encode())
            answer = b""
            while block := end.recv(4096):
                answer += block
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert store.counts()["quarantined"] == 0


def test_a_client_that_leaves_in_the_middle_leaves_nothing(serve: Serve, store: SqliteStore) -> None:
    with over(serve, store) as client:
        port: int = client.port  # type: ignore[attr-defined]
        with socket.create_connection(("127.0.0.1", port)) as end:
            query = f"item={ITEM}&testcase_prefix=baseos"
            head = f"POST {PATH}?{query} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/xml\r\n"
            end.sendall(f"{head}Content-Length: 100000\r\n\r\n".encode() + junit())
        assert post(client, TAP).status_code == 201
    assert store.counts()["results"] == 3
    assert store.counts()["quarantined"] == 0


# -- elsewhere -------------------------------------------------------------------------------------


@pytest.mark.needs("postgresql")
def test_reports_are_stored_on_postgresql(serve: Serve, postgresql: Callable[[str], str]) -> None:
    with PostgresStore.open(postgresql("one")) as store, over(serve, store) as client:
        assert post(client, junit(1_200), group="nightly").json()["stored"] == 1_201
        assert post(client, junit(1_200)).status_code == 200
        more = post(client, junit(1_200), group="weekly").json()
        assert (more["stored"], more["superseding"]) == (1_201, 1_201)
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda _: post(client, junit(1_500)), range(4)))
        assert sum(answer.json()["stored"] for answer in answers) == 1_501
        assert json.loads(store.cursor("report") or "[]") == []
        assert store.check() == []
