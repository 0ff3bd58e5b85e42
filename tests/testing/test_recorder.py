"""Recorder and Blanker: what is written down holds together, and gives nothing away."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
import requests

from ci_results.testing import Recorder, Replay
from ci_results.testing.blanker import Blanker
from ci_results.testing.exchange import Exchange, asked, file_name, load, load_about, save, to_json

OWN = "https://ci-07.lab.acme.corp:8443"
TOKEN = "s3cr3t-T0ken/with+odd=chars"
JENKINS_TOKEN = "11" + "c0ffee" * 5 + "ab"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N"
GITHUB = "ghp_" + "A1b2C3d4E5f6G7h8I9j0" * 2
AWS = "AKIAIOSFODNN7REALKEY"

JSON_BODY = {
    "builtOn": "node17.lab.acme.corp",
    "nodeShort": "ran on node17 in rack 4",
    "culprits": [{"absoluteUrl": f"{OWN}/user/jdoe", "fullName": "Jane Q. Doe"}],
    "actions": [
        {
            "causes": [
                {
                    "shortDescription": "Started by user Jane Q. Doe",
                    "userId": "jdoe",
                    "userName": "Jane Q. Doe",
                }
            ]
        },
        {
            "parameters": [
                {"name": "API_TOKEN", "value": "parameter-secret-1"},
                {"name": "ARCH", "value": "x86_64"},
            ]
        },
        {"parameters": [{"value": "parameter-secret-2", "name": "DEPLOY_PASSWORD"}]},
    ],
    "password": "hunter2",
    "pin": 123456,
    "client_secret": "short",
    "nested": '{"token": "nested-secret-77", "ok": 1}',
    "log": f"curl -H 'Authorization: Bearer {JWT}' https://deploy:pw-in-url@git.acme.corp/x.git "
    "as jane.doe@acme.corp",
    "more": f"export GH={GITHUB} AWS={AWS} JENKINS={JENKINS_TOKEN}; mail ops%40acme.corp or Ops@Acme.Corp",
    "key": "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7\n-----END RSA PRIVATE KEY-----\n",
    "address": "10.11.12.13 and fd00:12:34::5 at 12:30:45, release 5.2.26.3-1",
    "echo": f"you sent {TOKEN} and {base64.b64encode(TOKEN.encode()).decode()}",
    "jane.doe@acme.corp": "a key that is an address",
    "testcase": "org.widget.net.FooTest",
    "item": "bash-5.2.26-3.fc40",
}
XML_BODY = f"""<?xml version="1.0"?><!-- by jane.doe&#64;acme.corp -->
<testsuite hostname="node17.lab.acme.corp" xmlns="http://www.w3.org/ns">
<properties><property name="API_TOKEN" value="parameter-secret-1"/>
<property name="secretKey" value="xml-secret-9"/></properties>
<password>element-secret</password><url>https://{OWN.removeprefix("https://")}/x?token=query-secret-5&amp;a=b</url>
<system-out>db password = plain-secret-3, host db01.lab.acme.corp, 10.11.12.13,
MAIL=jane.doe@acme.corp</system-out>
</testsuite>"""

LEAKS = [
    *(
        TOKEN,
        base64.b64encode(TOKEN.encode()).decode(),
        base64.b64encode(f"bot-user:{TOKEN}".encode()).decode(),
    ),
    *("acme.corp", "Acme.Corp", "ACME", "ci-07", "node17", "db01", "git.acme"),
    *("jane.doe", "Jane Q", "jdoe", "ops@", "ops%40", "Ops@", "bot-user"),
    *(
        "parameter-secret",
        "hunter2",
        "123456",
        "nested-secret",
        "xml-secret",
        "element-secret",
        "query-secret",
    ),
    *(
        "plain-secret",
        "pw-in-url",
        "cookie-secret",
        "set-cookie-secret",
        "custom-header-secret",
        "form-secret",
    ),
    *(JWT, GITHUB, AWS, JENKINS_TOKEN, "MIIEpAIBAAKCAQEA7", "10.11.12.13", "fd00:12"),
]


def hostile() -> list[tuple[Exchange, dict[str, str]]]:
    basic = base64.b64encode(f"bot-user:{TOKEN}".encode()).decode()
    sent = {
        "Authorization": f"Basic {basic}",
        "Cookie": "JSESSIONID.ab=cookie-secret-0",
        "X-Api-Key": "custom-header-secret",
    }
    answer = {
        "Content-Type": "application/json",
        "Set-Cookie": "sid=set-cookie-secret; Path=/",
        "Link": f'<{OWN}/api?page=2&access_token=query-secret-5>; rel="next"',
        "Server": "nginx on node17.lab.acme.corp",
        "X-You-Are-Authenticated-As": "bot-user",
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("jane.doe@acme.corp.txt", TOKEN)
    return [
        (
            Exchange(
                url=f"{OWN}/echo", headers={"Content-Type": "text/plain"}, body=b"set-cookie-secret echoed"
            ),
            {},
        ),
        (
            Exchange(
                url=f"{OWN}/user/jdoe/api/json?token=query-secret-5&for=jane.doe%40acme.corp&to=https%3A%2F%2Fgit.acme.corp",
                headers=answer,
                body=json.dumps(JSON_BODY).encode(),
            ),
            sent,
        ),
        (
            Exchange(
                method="POST",
                url="https://ci-07.lab.acme.corp:8443/login/jane.doe%40acme.corp",
                sent="j_username=bot-user&j_password=form-secret-1&from=%2F",
                status=403,
                headers={"Content-Type": "text/xml"},
                body=XML_BODY.encode(),
            ),
            sent,
        ),
        (
            Exchange(url=f"{OWN}/zip", headers={"Content-Type": "application/zip"}, body=packed.getvalue()),
            sent,
        ),
        (
            Exchange(
                url=f"{OWN}/latin",
                headers={"Content-Type": "text/plain"},
                body=b"\xe9t\xe9 db01.lab.acme.corp",
            ),
            {},
        ),
    ]


def blanked(pairs: list[tuple[Exchange, dict[str, str]]] | None = None) -> list[Exchange]:
    pairs = hostile() if pairs is None else pairs
    blanker = Blanker(OWN, [TOKEN])
    for exchange, sent in pairs:
        blanker.learn(exchange, sent)
    return [blanker.exchange(exchange) for exchange, _ in pairs]


@pytest.mark.parametrize("leak", LEAKS)
def test_nothing_private_is_written(leak: str, tmp_path: Path) -> None:
    save(blanked(), tmp_path, {})
    for path in tmp_path.iterdir():
        written = path.read_text(encoding="utf-8") + path.name
        for form in (leak, leak.encode("unicode_escape").decode()):
            assert form.lower() not in written.lower(), path.name


def test_the_hostile_material_holds_every_leak() -> None:
    """Else the test above would pass for nothing."""
    everything = "".join(json.dumps(to_json(each)) + str(sent) for each, sent in hostile()).lower()
    everything += json.dumps(JSON_BODY, ensure_ascii=False).lower()
    assert [leak for leak in LEAKS if leak.lower() not in everything] == []


def test_what_is_public_stays() -> None:
    body = json.loads(blanked()[1].body)
    assert body["item"] == "bash-5.2.26-3.fc40"
    assert body["testcase"] == "org.widget.net.FooTest"
    assert "12:30:45" in body["address"]
    assert "5.2.26.3-1" in body["address"]
    assert body["actions"][1]["parameters"][1] == {"name": "ARCH", "value": "x86_64"}
    assert b"http://www.w3.org/ns" in blanked()[2].body


def test_the_same_gets_the_same_blank_everywhere() -> None:
    _, answer, login, _, latin = blanked()
    body, xml = json.loads(answer.body), login.body.decode()
    secret = body["actions"][1]["parameters"][0]["value"]
    assert secret.startswith("blank-secret-")
    assert f'name="API_TOKEN" value="{secret}"' in xml
    assert f'hostname="{body["builtOn"]}"' in xml
    assert body["address"].split()[0] in xml
    person = next(word for word in body["log"].split() if word.endswith("@mail.test"))
    assert person in xml
    assert person in body
    query = requests.utils.urlparse(answer.url).query
    assert f"for={person.replace('@', '%40')}" in query or f"for={person}" in query
    assert answer.headers["Link"].startswith("<https://source.test/api?page=2&access_token=blank-secret-")
    host = latin.body.split()[-1].decode()
    assert host.endswith(".test")
    assert f"host {host}," in xml


def test_the_sources_own_host_is_source_test() -> None:
    assert all(each.url.startswith("https://source.test/") for each in blanked())


@pytest.mark.parametrize(
    ("own", "text", "blanked"),
    [
        (
            "http://ci.corp:8080/jenkins",
            "http://ci.corp:8080/jenkins/job/x",
            "https://source.test/jenkins/job/x",
        ),
        (
            "https://ci.corp",
            "https://ci.corp:443/x https://u:pw-1@ci.corp/",
            "https://source.test/x https://source.test/",
        ),
        ("https://ci.corp", "https://ci.corp:8443/x", "https://source.test:8443/x"),
        ("https://ci.corp", "https://ci.corp.acme.com/x", "https://host-1.test/x"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/x", "https://source.test/x"),
        ("http://[fd00::1]:80", "http://[fd00::1]/x", "https://source.test/x"),
    ],
)
def test_the_sources_own_origin_is_https_source_test(own: str, text: str, blanked: str) -> None:
    assert Blanker(own).text(text) == blanked


def test_different_things_get_different_blanks() -> None:
    body = json.loads(blanked()[1].body)
    values = [body["actions"][1]["parameters"][0]["value"], body["actions"][2]["parameters"][0]["value"]]
    assert len({*values, body["password"]}) == 3


def test_blanking_twice_changes_nothing() -> None:
    once = blanked()
    again = Blanker()
    for exchange in once:
        again.learn(exchange)
    assert [again.exchange(each) for each in once] == once


def test_an_archive_is_left_out_whole() -> None:
    assert blanked()[3].body == b""


def test_only_headers_that_a_collector_needs_are_kept() -> None:
    assert set(blanked()[1].headers) == {"Content-Type", "Link"}


@pytest.mark.parametrize(
    "text",
    [
        "org.junit.jupiter.api.Assertions.fail(Assertions.java:55)",
        "java.io.IOException at com.acme.Main",
        "kernel-6.8.0-31.x86_64 glibc-2.39-1.fc40.src.rpm",
        "Fedora-Rawhide-20260301.n.0 at 2026-03-01T10:00:00+00:00",
        "std::vector and ::1 and 0.0.0.0:80 127.0.0.1",
        "tokens_test passed: 3 of 4",
        "see http://jenkins.example.com/job/x/ and me@example.com",
    ],
)
def test_harmless_text_is_left_alone(text: str) -> None:
    assert Blanker().text(text) == text


@pytest.mark.parametrize(
    ("text", "leak"),
    [
        ("https://user:pa%40ss@host.acme.io/x", "pa%40ss"),
        ("ssh://git@git.internal-host:2222/x", "git.internal-host"),
        ("http://jenkins-baseos/job/x and jenkins-baseos alone", "jenkins-baseos"),
        ("http://[fd00::12]:8080/", "fd00::12"),
        ('{\\"api_key\\": \\"abcdef12345\\"}', "abcdef12345"),
        ("PASSWORD=abc123xyz", "abc123xyz"),
        ("x-auth-token: abc123xyz", "abc123xyz"),
        ("Authorization: Basic dXNlcjpwYXNzd29yZA==", "dXNlcjpwYXNzd29yZA"),
        ("authorization: bearer abcdefgh.ijkl", "abcdefgh"),
        ("<apiToken>abc123xyz</apiToken>", "abc123xyz"),
        ("jane.doe\\u0040acme.com", "acme"),
        ("HTTPS:\\/\\/CI.ACME.COM\\/x", "ACME"),
        ("node1.lab.acme.co.uk said", "acme"),
        ("glpat-abcdefghij0123456789", "glpat-abc"),
    ],
)
def test_private_text_is_blanked(text: str, leak: str) -> None:
    blanker = Blanker()
    blanker.learn(
        Exchange(url="https://source.test/", body=text.encode(), headers={"Content-Type": "text/plain"})
    )
    assert leak not in blanker.text(text)


class _Server(Replay):
    """Stands for the network: packs answers and sets headers as servers do."""


def record(session: requests.Session, through: Replay) -> Recorder:
    recorder = Recorder(through=through)
    recorder.mount(session)
    return recorder


def test_a_recording_replays_what_was_recorded(tmp_path: Path) -> None:
    real = Exchange(
        url=f"{OWN}/api/runs?limit=2&token={quote(TOKEN, safe='')}",
        headers={"Content-Type": "application/json", "ETag": '"1"'},
        body=json.dumps({"runs": [1, 2], "host": "node17.lab.acme.corp"}).encode(),
    )
    session = requests.Session()
    recorder = record(session, _Server([real]))
    assert session.get(real.url).json()["runs"] == [1, 2]
    paths, blanker = recorder.write(tmp_path, {"collector": "acme", "url": OWN}, OWN, [TOKEN])
    assert len(paths) == 1
    assert blanker.blanked["host"] == 2
    assert load_about(tmp_path) == {"collector": "acme", "url": "https://source.test"}
    replay = Replay.of(tmp_path)
    offline = requests.Session()
    replay.mount(offline)
    answer = offline.get("https://source.test/api/runs", params={"token": "blank-secret-1", "limit": 2})
    assert answer.status_code == 200
    assert answer.json() == {"runs": [1, 2], "host": "host-1.test"}
    assert answer.headers["ETag"] == '"1"'


def test_a_recording_over_its_bound_says_so(tmp_path: Path) -> None:
    real = Exchange(url=f"{OWN}/big", body=b"x" * 2000)
    session = requests.Session()
    recorder = Recorder(through=_Server([real]), most_bytes=3000)
    recorder.mount(session)
    session.get(real.url)
    assert not recorder.overflowed
    session.get(real.url)
    assert recorder.overflowed
    assert recorder.count == 1


def test_files_are_readable_and_their_names_stable(tmp_path: Path) -> None:
    exchange = Exchange(
        url="https://source.test/api/runs?b=2&a=1", headers={"Content-Type": "application/json"}, body=b"[]"
    )
    (path,) = save([exchange], tmp_path, {})
    assert path.name.startswith("get-api-runs-")
    assert file_name(replace(exchange, url="https://source.test/api/runs?a=1&b=2")) == file_name(exchange)
    assert json.loads(path.read_text())["response"]["json"] == []
    assert path.read_text().startswith('{\n  "request": {\n    "method": "GET"')


def test_a_recording_replaces_the_one_before(tmp_path: Path) -> None:
    save([Exchange(url="https://source.test/old", body=b"old")], tmp_path, {})
    save([Exchange(url="https://source.test/new", body=b"new")], tmp_path, {})
    assert [each.url for each in load(tmp_path)] == ["https://source.test/new"]


def test_answers_that_change_come_in_their_order(tmp_path: Path) -> None:
    bodies = [b"first", b"first", b"second", b"third"]
    save([Exchange(url="https://source.test/poll", body=body) for body in bodies], tmp_path, {})
    session = requests.Session()
    Replay.of(tmp_path).mount(session)
    assert [session.get("https://source.test/poll").text for _ in range(4)] == [
        "first",
        "second",
        "third",
        "third",
    ]


def test_a_recording_by_hand_may_leave_a_value_open() -> None:
    session = requests.Session()
    exact = Exchange(url="https://source.test/api/json?depth=1&tree=jobs", body=b"exact")
    Replay([Exchange(url="https://source.test/api/json?tree=*&depth=1", body=b"any"), exact]).mount(session)
    assert session.get("https://source.test/api/json?tree=jobs[name]{0,5}&depth=1").text == "any"
    assert session.get("https://source.test/api/json?tree=jobs&depth=1").text == "exact"
    for other in (
        "api/json?tree=x&depth=2",
        "api/json?tree=x",
        "job/api/json?tree=x&depth=1",
        "api/json?depth=1",
    ):
        with pytest.raises(AssertionError, match="not in the recording"):
            session.get(f"https://source.test/{other}")


@pytest.mark.parametrize(
    "change",
    [
        lambda each: replace(each, body=b"\xff\xfe\x00"),
        lambda each: replace(each, body='{"é": "\\ud83d"}'.encode()),
    ],
    ids=["bytes", "a lone surrogate"],
)
def test_any_body_comes_back_as_it_was(change: Callable[[Exchange], Exchange], tmp_path: Path) -> None:
    exchange = change(Exchange(url="https://source.test/x", headers={"Content-Type": "text/plain"}))
    save([exchange], tmp_path, {})
    assert load(tmp_path)[0].body == exchange.body


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://a.test/x?b=1&a=2", "HTTPS://A.test/x?a=2&b=1"),
        ("https://a.test/a%20b", "https://a.test/a b"),
        ("https://a.test/?tree=jobs%5Bname%5D", "https://a.test/?tree=jobs[name]"),
        ("https://a.test", "https://a.test/"),
    ],
)
def test_requests_are_compared_by_what_they_ask(one: str, other: str) -> None:
    assert asked("get", one) == asked("GET", other)


def test_requests_that_ask_for_something_else_differ() -> None:
    assert asked("GET", "https://a.test/x?a=1") != asked("GET", "https://a.test/x?a=2")
    assert asked("GET", "https://a.test/x") != asked("POST", "https://a.test/x")
    assert asked("POST", "https://a.test/x", "a=1") != asked("POST", "https://a.test/x", "a=2")
    assert asked("GET", "https://a.test/x%2Fy") == asked("GET", "https://a.test/x%2fy")
