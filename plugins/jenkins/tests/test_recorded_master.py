"""The recorded master over the wire, beside what a real Jenkins 2.448 answered to the same requests."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests
from ci_results_jenkins.recorded_master import NEWEST, RecordedMaster

RECORDING = Path(__file__).parents[3] / "examples" / "masters" / "master.ndjson.xz"
LONG = "/job/long-history/"
OPENSSL = "/job/rpm/job/f42/job/tier1/job/openssl-functional/"
BETA = "/job/products/job/RHEL%2010%20"
BRANCH = "/job/rpm/job/kernel-mb/job/feature"


class Client:
    """Asks one master, through one connection."""

    def __init__(self, master: RecordedMaster) -> None:
        self.master = master
        self.session = requests.Session()

    def get(self, path: str, tree: str | None = None, **words: Any) -> requests.Response:
        query = "" if tree is None else f"?tree={quote(tree)}"
        url = self.master.url.rstrip("/") + path + query
        return self.session.get(url, **({"timeout": 10, "allow_redirects": False} | words))

    def json(self, path: str, tree: str | None = None) -> Any:
        reply = self.get(f"{path}api/json", tree)
        assert reply.status_code == 200, reply.text
        return reply.json()


@pytest.fixture(scope="module")
def serving() -> Iterator[RecordedMaster]:
    with RecordedMaster(RECORDING).serve() as master:
        yield master


@pytest.fixture
def client(serving: RecordedMaster) -> Iterator[Client]:
    client = Client(serving)
    yield client
    client.session.close()
    serving.until, serving.held_back = {}, 0
    serving.delay_s, serving.gzip = 0.0, True


# -- questions -----------------------------------------------------------------------------------


def test_jobs_are_seen_through_all_folder_levels_that_are_asked_for(client: Client) -> None:
    job = "fullName,nextBuildNumber,lastCompletedBuild[number,result]"
    tree = job
    for _ in range(4):
        tree = f"{job},jobs[{tree}]"
    seen: dict[str, Any] = {}

    def walk(folder: dict[str, Any]) -> None:
        for entry in folder.get("jobs", ()):
            seen[entry["fullName"]] = entry
            walk(entry)

    walk(client.json("/", tree))
    assert len(seen) == 35
    deep = seen["rpm/f42/tier1/openssl-functional"]
    assert deep["nextBuildNumber"] == 52
    assert deep["lastCompletedBuild"].keys() == {"_class", "number", "result"}
    assert "nextBuildNumber" not in seen["rpm"]


def test_builds_are_the_newest_hundred_and_all_builds_are_all(client: Client) -> None:
    body = client.json(LONG, "builds[number],allBuilds[number]")
    assert len(body["builds"]) == NEWEST
    assert len(body["allBuilds"]) == 340
    assert body["allBuilds"][:NEWEST] == body["builds"]
    assert [build["number"] for build in client.json(LONG, "builds[number]{95,105}")["builds"]] == [
        251, 249, 248, 247, 246,
    ]  # fmt: skip


def test_all_builds_come_only_when_asked_for(client: Client) -> None:
    assert "allBuilds" not in client.json("/job/never-built/")


def test_a_listed_build_has_the_fields_of_its_own_document(client: Client) -> None:
    (listed,) = client.json(OPENSSL, "builds[number,timestamp,actions[totalCount]]{0,1}")["builds"]
    assert listed == client.json(f"{OPENSSL}51/", "number,timestamp,actions[totalCount]")


def test_runs_of_a_matrix_have_their_results_and_older_runs_stay_listed(client: Client) -> None:
    runs = client.json("/job/rpm/job/f42/job/compose%20matrix/7/", "runs[number,result]")["runs"]
    assert all(run["result"] for run in runs)
    assert {run["number"] for run in runs} > {7}


def test_cases_cannot_be_had_through_the_builds(client: Client) -> None:
    builds = client.json(OPENSSL, "allBuilds[actions[result[suites[cases[name]]]]]{0,2}")["allBuilds"]
    assert all("result" not in action for build in builds for action in build["actions"])


def test_a_question_may_be_posted(client: Client, serving: RecordedMaster) -> None:
    data = {"tree": "mode," * 8_000 + "mode"}
    reply = client.session.post(f"{serving.url}api/json", data=data, timeout=10)
    assert reply.json() == {"_class": "hudson.model.Hudson", "mode": "NORMAL"}
    assert client.get("/api/json", "mode," * 2_000 + "mode").status_code == 414


def test_nan_stays_nan(client: Client) -> None:
    last = client.json("/job/odd-junit/", "lastCompletedBuild[number]")["lastCompletedBuild"]["number"]
    assert b"NaN" in client.get(f"/job/odd-junit/{last}/testReport/api/json", "duration").content


# -- addresses -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (f"{BETA}(beta)/job/install%20test+smoke/", "products/RHEL 10 (beta)/install test+smoke"),
        (f"{BETA}%28beta%29/job/install%20test%2Bsmoke/", "products/RHEL 10 (beta)/install test+smoke"),
        (f"{BRANCH}%252Fx86_64-fix/", "rpm/kernel-mb/feature%2Fx86_64-fix"),
        (f"{BRANCH}%2Fx86_64-fix/", "rpm/kernel-mb/feature%2Fx86_64-fix"),
        ("/job/rpm//job/kernel-mb/job/main/", "rpm/kernel-mb/main"),
    ],
    ids=["sparing", "all", "branch, twice", "branch, once", "double slash"],
)
def test_a_job_is_found_however_its_address_is_quoted(client: Client, path: str, name: str) -> None:
    assert client.json(path, "fullName")["fullName"] == name


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/job/rpm%2Ff42/api/json", 404),
        (f"{BETA}(beta)/job/install+test%2Bsmoke/api/json", 404),
        ("/job/no-such-job/api/json", 404),
        (f"{LONG}1/testReport/nothing/api/json", 404),
        ("/job/long-history;x=1/api/json", 400),
        ("/api/json?tree=mode&jsonp=cb", 403),
        (f"{LONG}api/json?depth=abc", 500),
        (f"{LONG}api/json?tree=name,,url", 500),
        (LONG, 200),
    ],
)
def test_what_is_no_data_is_html(client: Client, path: str, status: int) -> None:
    reply = client.get(path)
    assert (reply.status_code, reply.headers["Content-Type"].split(";")[0]) == (status, "text/html")


@pytest.mark.parametrize(
    ("link", "same"),
    [
        ("lastBuild", "lastBuild"),
        ("lastCompletedBuild", "lastCompletedBuild"),
        ("lastStableBuild", "lastStableBuild"),
        ("firstBuild", "firstBuild"),
    ],
)
def test_a_permalink_leads_to_the_build_that_the_job_names(client: Client, link: str, same: str) -> None:
    named = client.json(OPENSSL, f"{same}[number]")[same]["number"]
    assert client.json(f"{OPENSSL}{link}/", "number")["number"] == named


def test_a_permalink_of_a_job_never_built_leads_nowhere(client: Client) -> None:
    assert client.get("/job/never-built/lastBuild/api/json").status_code == 404


def test_without_its_last_slash_a_job_is_elsewhere(client: Client) -> None:
    reply = client.get("/job/long-history")
    assert reply.status_code == 302
    assert reply.headers["Location"] == "http://jenkins.example.com/job/long-history/"


def test_jenkins_marks_its_answers_and_its_not_found_but_not_a_lacking_report(client: Client) -> None:
    marked = client.get("/api/json", "mode").headers["X-Jenkins-Session"]
    assert client.get("/job/gone/api/json").headers["X-Jenkins-Session"] == marked
    lacking = client.get("/job/rpm/job/f42/job/covscan/1/testReport/api/json")
    assert (lacking.status_code, "X-Jenkins" in lacking.headers) == (404, False)


def test_an_artifact_comes_as_it_was_recorded(client: Client) -> None:
    reply = client.get("/job/rpm/job/f42/job/covscan/7/artifact/out/added.json")
    assert reply.headers["Content-Type"] == "application/json"
    assert "X-Jenkins" not in reply.headers
    assert reply.json() is not None


# -- time passes ---------------------------------------------------------------------------------


def test_builds_held_back_are_nowhere_to_be_seen(client: Client, serving: RecordedMaster) -> None:
    serving.until = {"rpm/f42/tier1/openssl-functional": 45}
    body = client.json(OPENSSL)
    assert body["nextBuildNumber"] == 46
    assert body["lastBuild"]["number"] == body["lastCompletedBuild"]["number"] == 45
    assert body["lastStableBuild"]["number"] == 41  # what the real one said when 45 was its newest
    assert body["lastSuccessfulBuild"]["number"] == 45
    assert max(build["number"] for build in body["builds"]) == 45
    assert client.get(f"{OPENSSL}46/api/json").status_code == 404
    assert client.get(f"{OPENSSL}46/testReport/api/json").status_code == 404
    serving.until = {}
    assert client.json(OPENSSL)["nextBuildNumber"] == 52


def test_the_newest_of_every_job_can_be_held_back(client: Client, serving: RecordedMaster) -> None:
    serving.held_back = 3
    serving.until = {"timer-job": 1}
    assert client.json(LONG, "nextBuildNumber,lastBuild[number]")["lastBuild"]["number"] == 343
    assert client.json("/job/timer-job/", "nextBuildNumber")["nextBuildNumber"] == 2
    serving.held_back = 10_000
    body = client.json(LONG, "color,builds[number],lastBuild[number],lastCompletedBuild[number]")
    assert (body["color"], body["builds"]) == ("notbuilt", [])
    assert body["lastBuild"] is body["lastCompletedBuild"] is None


def test_a_running_build_is_last_but_not_completed(client: Client, serving: RecordedMaster) -> None:
    serving.until = {"running-forever": 3}
    body = client.json("/job/running-forever/", "color,lastBuild[number,building],lastCompletedBuild[number]")
    assert body["lastBuild"]["building"]
    assert body["lastBuild"]["number"] == 3
    assert (body["lastCompletedBuild"] or {}).get("number") != 3
    assert body["color"].endswith("_anime")


# -- on the wire ---------------------------------------------------------------------------------


def test_it_compresses_for_those_who_ask_and_counts_what_it_sent() -> None:
    sent = []
    with RecordedMaster(RECORDING).serve() as master:  # of its own: late answers of others count too
        client = Client(master)
        for gzip, asked in ((True, "gzip"), (True, "identity"), (False, "gzip")):
            master.gzip = gzip
            master.asked.clear()
            master.sent_bytes = 0
            reply = client.get(f"{LONG}api/json", headers={"Accept-Encoding": asked})
            assert (reply.headers.get("Content-Encoding") == "gzip") == (gzip and asked == "gzip")
            assert master.sent_bytes == int(reply.headers["Content-Length"])
            assert master.asked == [("GET", f"{LONG}api/json")]
            sent.append((master.sent_bytes, reply.json()))
        client.session.close()
    assert sent[1] == sent[2]
    assert sent[0][1] == sent[1][1]
    assert sent[0][0] * 4 < sent[1][0]


def test_a_head_has_no_body(client: Client, serving: RecordedMaster) -> None:
    reply = client.session.head(f"{serving.url}api/json", timeout=10)
    assert (reply.status_code, reply.content) == (200, b"")
    assert client.json("/", "mode")["mode"] == "NORMAL"


def test_many_clients_at_once_are_all_answered_and_counted() -> None:
    with RecordedMaster(RECORDING).serve() as master:

        def ask(_: int) -> int:
            with requests.get(f"{master.url}job/timer-job/api/json", timeout=10) as reply:
                return int(reply.headers["Content-Length"])

        with ThreadPoolExecutor(40) as pool:
            lengths = list(pool.map(ask, range(80)))
        assert len(master.asked) == 80
        assert master.sent_bytes == sum(lengths)


def test_a_master_that_went_away_answers_nobody() -> None:
    with RecordedMaster([{"path": "/api/json", "status": 200, "json": {}}]).serve() as master:
        client = Client(master)
        assert client.json("/") == {}
    with client.session, pytest.raises(requests.ConnectionError):
        client.json("/")


# -- refusals and faults -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("auth", "status", "challenge"),
    [(None, 403, None), (("me", "wrong"), 401, 'Basic realm="Jenkins"'), (("me", "right"), 200, None)],
    ids=["none", "wrong", "right"],
)
def test_a_closed_master_wants_its_token(
    auth: tuple[str, str] | None, status: int, challenge: str | None
) -> None:
    with RecordedMaster(RECORDING, user="me", token="right").serve() as master:
        client = Client(master)
        with client.session:
            reply = client.get("/api/json", "mode", auth=auth)
            absent = client.get("/job/no-such-job/api/json", auth=auth)
    assert (reply.status_code, reply.headers.get("WWW-Authenticate")) == (status, challenge)
    assert ("url=/login" in reply.text) == (status == 403)
    assert absent.status_code == (404 if status == 200 else status)


def test_a_fault_happens_so_often_and_no_more(client: Client, serving: RecordedMaster) -> None:
    serving.fail("/job/timer-job/", 503, b"<html>Please wait</html>", times=2)
    seen = [client.get("/job/timer-job/api/json", "name").status_code for _ in range(3)]
    assert seen == [503, 503, 200]
    serving.fail("/job/timer-job/", 503)
    assert client.get(f"{LONG}api/json", "name").status_code == 200
    assert client.get("/job/timer-job/api/json", "name").status_code == 503


def test_a_request_that_hangs_is_answered_late_and_others_in_time(
    client: Client, serving: RecordedMaster
) -> None:
    serving.hang("/job/timer-job/", 1.0)
    with pytest.raises(requests.ReadTimeout):
        client.get("/job/timer-job/api/json", "name", timeout=0.1)
    serving.hang("/job/timer-job/", 0.3)
    began = time.monotonic()
    assert client.json("/job/timer-job/", "name")["name"] == "timer-job"
    assert time.monotonic() - began >= 0.3


def test_a_restart_changes_the_session(client: Client, serving: RecordedMaster) -> None:
    before = client.get("/api/json", "mode").headers["X-Jenkins-Session"]
    serving.restart()
    assert client.get("/api/json", "mode").headers["X-Jenkins-Session"] != before
