from __future__ import annotations

import json
import sqlite3
import tarfile
import threading
from base64 import b64encode
from collections.abc import Callable
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from ci_results.cli.main import COMMANDS

Ask = Callable[..., Result]
LINES: list[dict[str, Any]] = [
    {"see": {"key": "1", "outcome": "SUCCESS", "time": "2026-01-02T03:04:05+00:00"}},
    {"see": {"key": "2", "outcome": "FAILURE", "note": "line\x1b[2J one", "testcase": "scripted.boot"}},
    {"see": {"key": "3", "outcome": "WOBBLY"}},
    {"checkpoint": "", "jobs": [{"name": "quiet"}, {"name": "old", "state": "disabled"}]},
]


@pytest.fixture
def harvested(ask: Ask, configured: Any) -> Ask:
    configured(one=LINES)
    assert ask("harvest").exit_code == 0
    return ask


def test_a_harvest_says_one_line_a_source_and_the_next_command(ask: Ask, configured: Any) -> None:
    configured(one=LINES)
    first = ask("harvest")
    assert first.exit_code == 0
    assert first.stdout.startswith("source=one state=ok new=2 same=0 superseding=0 quarantined=1 ")
    assert "outcome word 'WOBBLY'" in first.stderr
    assert first.stderr.splitlines()[-1] == "next: ci-results quarantine list · ci-results serve"
    again = ask("harvest")
    assert "new=0" in again.stdout


@pytest.mark.demand("S-015")
@pytest.mark.parametrize(
    ("sources", "code"),
    [({"a": LINES, "b": LINES}, 0), ({"a": LINES, "b": None, "c": LINES}, 2), ({"a": None, "b": None}, 3)],
    ids=["all", "some", "none"],
)
def test_the_exit_code_tells_all_some_and_none_apart(
    ask: Ask, configured: Any, sources: Any, code: int
) -> None:
    configured(**sources)
    done = ask("harvest")
    assert done.exit_code == code
    dead = [line for line in done.stdout.splitlines() if "state=unreachable" in line]
    assert len(dead) == sum(lines is None for lines in sources.values())
    assert all("last_ok=never" in line and "no route to host" in line for line in dead)


def test_a_harvest_in_json_has_every_count(ask: Ask, configured: Any) -> None:
    configured(one=LINES)
    (dry,) = json.loads(ask("harvest", "--dry-run", "--json").stdout)
    (wet,) = json.loads(ask("harvest", "--json", "one").stdout)
    assert (dry["dry_run"], dry["new"], dry["quarantined"]) == (True, 2, 1)
    assert (wet["dry_run"], wet["state"], wet["new"], wet["quarantined"]) == (False, "ok", 2, 1)


def test_an_unknown_source_is_an_error(ask: Ask, configured: Any) -> None:
    configured(one=LINES)
    done = ask("harvest", "two")
    assert (done.exit_code, done.stdout) == (3, "")
    assert done.stderr == "error: ci-results.toml: no source 'two'; known are one\n"


def test_results_are_listed_shown_and_filtered(harvested: Ask) -> None:
    rows = json.loads(harvested("result", "list", "--json").stdout)
    assert [(row["outcome"], row["testcase"]) for row in rows] == [
        ("FAILED", "scripted.boot"),
        ("PASSED", "scripted.smoke"),
    ]
    table = harvested("result", "list", "--outcome", "failed").stdout
    assert "scripted.boot" in table
    assert "scripted.smoke" not in table
    shown = harvested("result", "show", rows[0]["id"])
    assert "\x1b" not in shown.stdout
    assert "line?[2J one" in shown.stdout
    assert harvested("result", "list", "--since", "2026-02-01").stdout.count("scripted.") == 1
    assert harvested("result", "show", "999").exit_code == 1


def test_a_list_goes_on_where_it_ended(harvested: Ask) -> None:
    first = harvested("result", "list", "--limit", "1")
    before = first.stderr.split("--before ")[1].split(" ")[0]
    second = harvested("result", "list", "--limit", "1", "--before", before)
    assert "scripted.boot" in first.stdout
    assert "scripted.smoke" in second.stdout


def test_results_are_exported_as_junit_and_as_lines(harvested: Ask, folder: Path) -> None:
    assert harvested("result", "export", "--junit", "-o", "out.xml").exit_code == 0
    assert b"<failure" in (folder / "out.xml").read_bytes()
    lines = harvested("result", "export", "--item", "bash").stdout.splitlines()
    assert [json.loads(line)["outcome"] for line in lines] == ["FAILED", "PASSED"]
    assert harvested("result", "export", "--item", "nothing").exit_code == 1


@pytest.mark.demand("S-030")
def test_a_quarantined_record_is_shown_and_retried_after_the_mapping_is_mended(
    harvested: Ask, configured: Any
) -> None:
    assert "WOBBLY" in harvested("quarantine", "list").stdout
    (record,) = json.loads(harvested("quarantine", "list", "--json").stdout)
    assert (
        json.loads(harvested("quarantine", "show", record["id"], "--raw").stdout_bytes)["outcome"] == "WOBBLY"
    )
    assert harvested("quarantine", "retry", "--all").exit_code == 1
    configured('outcomes = { WOBBLY = "NEEDS_INSPECTION" }\n', one=LINES)
    assert harvested("quarantine", "retry", record["id"]).exit_code == 0
    assert "NEEDS_INSPECTION" in harvested("result", "list").stdout
    assert json.loads(harvested("quarantine", "list", "--json").stdout) == []


@pytest.mark.demand("S-030")
def test_a_report_that_nobody_reads_shows_its_offending_line_and_is_dismissed(ask: Ask, folder: Path) -> None:
    (folder / "r.xml").write_text('<testsuite name="s">\n<testcase name="a"/>\n<testcase name="\x1b[2J\n')
    reported = ask("report", "--item", "bash-5.2-1.fc40", "--namespace", "baseos", "r.xml")
    assert "quarantine list" in reported.stderr
    assert " report " in ask("quarantine", "list").stdout
    shown = ask("quarantine", "show", 1)
    assert "> 3" in shown.stdout
    assert "\x1b[2J" not in shown.stdout
    assert "bash-5.2-1.fc40" in shown.stdout
    assert ask("quarantine", "dismiss", 1).exit_code == 64
    assert ask("quarantine", "dismiss", 1, "--reason", "a bad cable").exit_code == 0
    assert json.loads(ask("quarantine", "list", "--json").stdout) == []
    assert "dismissed: a bad cable" in ask("quarantine", "list", "--all").stdout


@pytest.mark.demand("S-125")
def test_coverage_tells_silent_jobs_and_their_owner(harvested: Ask) -> None:
    (row,) = json.loads(harvested("coverage", "--json").stdout)
    assert (row["source"], row["owner"], row["silent"], row["disabled"]) == ("one", "one-qe", 1, 1)
    silent = harvested("coverage", "--silent").stdout
    assert "quiet" in silent
    assert "one-qe" in silent
    assert "old" not in silent


def test_doctor_says_what_is_wrong_and_what_to_do(harvested: Ask, configured: Any) -> None:
    fine = harvested("doctor")
    assert fine.exit_code == 0
    assert "ci-results quarantine list" in fine.stderr
    configured(one=None)
    harvested("harvest")
    sick = harvested("doctor", "--json")
    assert sick.exit_code == 1
    assert any(
        finding["about"] == "one" and finding["health"] == "bad" for finding in json.loads(sick.stdout)
    )


def test_every_fault_that_the_doctor_finds_comes_with_what_to_type(
    harvested: Ask, configured: Any, folder: Path
) -> None:
    configured('token_file = "gone"\n', one=None, two=[{"see": {"key": "1"}}])
    with (folder / "ci-results.toml").open("a") as config:
        config.write(
            f'[source.odd]\ncollector = "none"\n[sink.odd]\nkind = "none"\n[bus.files]\nurl = "spool:files"\n'
            f'[[auth.tokens]]\nname = "old"\nsha256 = "{1:064x}"\nexpires = 2020-01-01\n'
        )
    done = harvested("doctor", "--canary", "--json")
    assert done.exit_code == 1
    found = json.loads(done.stdout)
    assert {(each["about"], each["health"]) for each in found} >= {
        ("odd", "bad"), ("sink odd", "bad"), ("token of one", "bad"), ("token old", "bad"),
        ("bus files", "warning"), ("canary of one", "bad"), ("canary of bus files", "good"),
    }  # fmt: skip
    for each in found:
        assert each["advice"] or each["health"] == "good", each
        words = (each["advice"] or "").split()
        if words[:1] == ["ci-results"]:
            assert harvested(*words[1:], "--help").exit_code == 0, each


def test_the_store_is_checked_backed_up_and_vacuumed(harvested: Ask, folder: Path) -> None:
    assert "results     2" in harvested("db", "check").stdout
    assert harvested("db", "backup", "copy.db").exit_code == 0
    assert harvested("db", "backup", "copy.db").exit_code == 3
    assert harvested("db", "vacuum").exit_code == 0
    listed = harvested("--store", f"sqlite:{folder}/copy.db", "result", "list", "--json")
    assert len(json.loads(listed.stdout)) == 2


def test_questions_to_a_store_that_is_not_there_say_how_to_fill_it(ask: Ask, folder: Path) -> None:
    for words in (("result", "list"), ("quarantine", "list"), ("coverage",), ("db", "check")):
        done = ask(*words)
        assert done.exit_code == 1
        assert "ci-results harvest" in done.stderr
    assert list(folder.iterdir()) == []


def test_reports_are_read_from_files_and_from_standard_input(ask: Ask, folder: Path) -> None:
    xml = '<testsuite name="s"><testcase classname="c" name="t"/></testsuite>'
    (folder / "r.xml").write_text(xml)
    words = ("report", "--item", "bash-5.2-1.fc40", "--namespace", "baseos")
    assert ask(*words, "r.xml").exit_code == 0
    assert "same" in ask(*words, "r.xml").stdout
    (piped,) = json.loads(ask(*words, "--arch", "s390x", "--json", "-", input=xml).stdout)
    assert (piped["file"], piped["state"]) == ("-", "stored")
    (folder / "odd.xml").write_text("hello")
    assert ask(*words, "odd.xml").exit_code == 3
    assert ask(*words, "odd.xml", "r.xml").exit_code == 2
    assert ask("report", "--item", "x", "r.xml").exit_code == 64
    assert ask("report", "--item", "x", "--namespace", "baseos", "r.xml").exit_code == 3


def test_a_report_is_summed_up_by_outcome(ask: Ask, folder: Path) -> None:
    cases = '<testcase name="a"/><testcase name="b"/><testcase name="c"><failure/></testcase>'
    (folder / "r.xml").write_text(f'<testsuite name="s">{cases}</testsuite>')
    with tarfile.open(folder / "all.tgz", "w:gz") as archive:
        archive.add(folder / "r.xml", "unit/r.xml")
        archive.add(folder / "r.xml", "r.c")
    done = ask("report", "--item", "bash-5.2-1.fc40", "--testcase-prefix", "baseos", "all.tgz")
    assert done.stdout.splitlines() == [
        "all.tgz!unit/r.xml: stored  +4 new  =0 same  !0 quarantined",
        "all.tgz!r.c: same  +0 new  =0 same  !0 quarantined",
        "outcome  results",
        "PASSED   2",
        "FAILED   1",
    ]


def test_a_dry_run_of_reports_shows_what_would_change(ask: Ask, folder: Path) -> None:
    words = ("report", "--item", "bash-5.2-1.fc40", "--testcase-prefix", "baseos", "--group", "nightly")
    (folder / "r.xml").write_text('<testsuite name="s"><testcase name="a"><failure/></testcase></testsuite>')
    first = ask(*words, "--dry-run", "r.xml")
    assert "nothing" in first.stdout
    assert "0 outcomes would change; nothing was written" in first.stderr
    assert [path.name for path in folder.iterdir()] == ["r.xml"]
    ask(*words, "r.xml")
    (folder / "r.xml").write_text('<testsuite name="s"><testcase name="a"/></testsuite>')
    before = [ask(*each, "--json").stdout for each in (("result", "list"), ("source", "list"))]
    then = ask(*words, "--dry-run", "r.xml")
    assert then.exit_code == 0
    assert "baseos.s.a: FAILED -> PASSED" in then.stdout
    assert "2 outcomes would change; nothing was written" in then.stderr
    assert [ask(*each, "--json").stdout for each in (("result", "list"), ("source", "list"))] == before
    (one,) = json.loads(ask(*words, "--dry-run", "--json", "r.xml").stdout)
    assert one["foreseen"][0]["now"] == "FAILED"


def test_a_dry_run_of_reports_migrates_no_store(ask: Ask, folder: Path) -> None:
    words = ("report", "--item", "bash-5.2-1.fc40", "--testcase-prefix", "baseos")
    (folder / "r.xml").write_text('<testsuite name="s"><testcase name="a"/></testsuite>')
    ask(*words, "r.xml")
    store = next(folder.glob("*.db"))
    with closing(sqlite3.connect(store)) as connection:
        connection.execute("update _meta set value = 'of another version' where key = 'views'")
        connection.commit()
        connection.execute("pragma wal_checkpoint(truncate)")
    before = store.read_bytes()
    refused = ask(*words, "--dry-run", "r.xml")
    assert refused.exit_code == 3
    assert "ci-results db migrate, then ask again" in refused.output
    assert store.read_bytes() == before
    assert ask("db", "migrate").exit_code == 0
    assert ask(*words, "--dry-run", "r.xml").exit_code == 0


def test_a_report_at_the_host_of_a_source_is_fetched_with_its_token(ask: Ask, folder: Path) -> None:
    seen: list[tuple[str, str | None]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append((self.headers["Host"], self.headers.get("Authorization")))
            away = self.path == "/away.xml"
            self.send_response(302 if away else 200)
            if away:
                self.send_header("Location", f"http://127.0.0.1:{other.server_port}/r.xml")
            self.end_headers()
            if not away:
                self.wfile.write(b'<testsuite name="s"><testcase name="a"/></testsuite>')

        def log_message(self, *said: object) -> None:
            pass

    with (
        ThreadingHTTPServer(("127.0.0.1", 0), Handler) as one,
        ThreadingHTTPServer(("127.0.0.1", 0), Handler) as other,
    ):
        for server in (one, other):
            threading.Thread(target=server.serve_forever).start()
        hosts = [f"127.0.0.1:{server.server_port}" for server in (one, other)]
        (folder / "token").write_text("hush")
        (folder / "ci-results.toml").write_text(
            f'[source.one]\ncollector = "jenkins"\nurl = "http://{hosts[0]}/jenkins"\nuser = "bot"\n'
            'token_file = "token"\n'
        )
        words = ("report", "--item", "bash-5.2-1.fc40", "--testcase-prefix", "baseos")
        for host, path in ((0, "r.xml"), (1, "r.xml"), (0, "away.xml")):
            ask(*words, f"http://{hosts[host]}/{path}")
        ask(*words, f"http://own:pass@{hosts[0]}/r.xml")
        for server in (one, other):
            server.shutdown()
    token, own = (f"Basic {b64encode(said).decode()}" for said in (b"bot:hush", b"own:pass"))
    assert all(sent != token for host, sent in seen if host == hosts[1])
    assert [sent for host, sent in seen if host == hosts[0]] == [token, token, own]
    assert (hosts[1], None) in seen


def test_a_source_that_is_no_server_is_added_without_a_url(ask: Ask, folder: Path) -> None:
    words = ("source", "add", "one", "--collector", "rpmgrill", "--set", f"path={folder}", "--no-check")
    added = ask(*words, "--set", "namespace=dist")
    assert added.exit_code == 0, added.output
    assert "url" not in (folder / "ci-results.toml").read_text()
    missing = ask("source", "add", "two", "--collector", "jenkins", "--no-check")
    assert missing.exit_code == 3
    assert "url: missing" in missing.output


def test_a_source_is_added_listed_checked_and_removed(ask: Ask, folder: Path) -> None:
    (folder / "s.script").write_text(json.dumps(LINES[0]))
    added = ask(
        "source", "add", "one", "http://127.0.0.1:9/", "--collector", "scripted", "--owner", "qe",
        "--set", f"script={folder}/s.script", "--no-check",
    )  # fmt: skip
    assert added.exit_code == 3
    assert "url: unknown key" in added.stderr
    assert not (folder / "ci-results.toml").exists()
    (folder / "ci-results.toml").write_text(
        f'# mine\n[source.one]\ncollector = "scripted"\nscript = "{folder}/s.script"\n'
    )
    (row,) = json.loads(ask("source", "list", "--json").stdout)
    assert (row["source"], row["state"], row["last_ok"]) == ("one", "new", None)
    checked = ask("source", "check")
    assert (checked.exit_code, checked.stdout) == (0, f"one: ok\n  script {folder}/s.script\n")
    (answer,) = json.loads(ask("source", "check", "--json").stdout)
    assert (answer["source"], answer["ok"]) == ("one", True)
    (folder / "s.script").unlink()
    assert ask("source", "check", "one").exit_code == 1
    assert ask("source", "remove", "one").exit_code == 0
    assert (folder / "ci-results.toml").read_text() == "# mine\n"
    assert ask("source", "remove", "one").exit_code == 1


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",),
        ("harvest", "--nonsense"),
        ("result", "show", "x"),
        ("quarantine", "retry"),
        ("source", "add"),
    ],
)
def test_wrong_usage_exits_64(ask: Ask, words: tuple[str, ...]) -> None:
    assert ask(*words).exit_code == 64


def test_every_command_has_help(ask: Ask) -> None:
    for name in COMMANDS:
        done = ask(name, "--help")
        assert done.exit_code == 0
        assert name in done.stdout


def test_a_broken_configuration_names_file_table_and_key(ask: Ask, folder: Path) -> None:
    (folder / "ci-results.toml").write_text('[source.a]\ncollector = "scripted"\nscrip = "x"\n')
    done = ask("harvest")
    assert done.exit_code == 3
    assert "ci-results.toml: [source.a] scrip: unknown key" in done.stderr


def test_a_command_of_a_plugin_is_called(ask: Ask) -> None:
    assert ask("hello").stdout == "hello from a plugin\n"
    assert "hello" not in ask("--help").stdout


def test_a_plugin_cannot_take_a_name_of_ours(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(COMMANDS, "hello", "coverage:coverage")
    done = ask("helo")
    assert (done.exit_code, done.stderr) == (3, "error: a plugin offers the command hello, which is taken\n")


def test_the_log_is_json_where_it_is_asked_for(ask: Ask, configured: Any) -> None:
    configured(one=LINES)
    lines = [
        json.loads(line) for line in ask("--log-json", "harvest").stderr.splitlines() if line.startswith("{")
    ]
    assert [(line["message"], line["source"], line["stored"]) for line in lines] == [
        ("harvest ended", "one", 2)
    ]
