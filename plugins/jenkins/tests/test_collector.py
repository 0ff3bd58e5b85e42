"""The collector against a recorded real master: every kind of job, few requests, nothing lost."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import Any

import pytest
from ci_results_jenkins import Build, Case, ItemRule, Jenkins
from ci_results_jenkins.collector import OUTCOMES
from ci_results_jenkins.recorded_master import RecordedMaster

from ci_results import (
    Checkpoint,
    CollectError,
    Observation,
    SourceRefusedError,
    SourceSession,
    SourceUnavailableError,
)
from ci_results.normalise.normaliser import Normaliser

from .conftest import Harvest, harvest, options, own

OPENSSL = "rpm/f42/tier1/openssl-functional"


def pages(master: RecordedMaster) -> list[str]:
    """Return the paths that were asked."""
    return [target.partition("?")[0] for _method, target in master.asked]


# -- what is found -------------------------------------------------------------------------------


@pytest.mark.demand("S-016", "S-017")
@pytest.mark.parametrize(
    ("key", "outcome", "cases"),
    [
        (f"{OPENSSL}#19", "SUCCESS", 60),
        ("rpm/f42/pipeline-parallel#5", "UNSTABLE", 40),
        ("rpm/kernel-mb/feature%2Fx86_64-fix#1", "SUCCESS", None),
        ("Příliš žluťoučký 测试 🚀#15", None, None),
        ("products/RHEL 10 (beta)/install test+smoke#2", None, None),
        ("rpm/f42/rpmgrill#24", "SUCCESS", 0),
        ("no-results#1", "FAILURE", 0),
        ("rpm/f42/pipeline-not-built#1", "NOT_BUILT", 0),
        ("aborting-job#3", "ABORTED", 0),
        ("long-history#1", None, None),
        ("renamed-job#1", "SUCCESS", None),
    ],
)
def test_every_kind_of_job_gives_its_builds_and_cases(
    whole: Harvest, key: str, outcome: str | None, cases: int | None
) -> None:
    build = whole.build(key)
    assert outcome is None or build.outcome == outcome
    found = [one for one in whole.of(key) if one.key != "build"]
    assert cases is None or len(found) == cases
    assert all(one.parent == "build" for one in found)
    assert build.run is not None
    assert build.run.data["job"] == key.rpartition("#")[0]


def test_every_build_that_the_recording_has_is_there_once(whole: Harvest) -> None:
    builds = Counter(one.run.key for one in whole.observations if one.key == "build" and one.run)
    assert set(builds.values()) == {1}
    assert sum(key.startswith("long-history#") for key in builds) > 300
    keys = Counter((one.run.key, one.key) for one in whole.observations if one.run)
    assert set(keys.values()) == {1}


def test_a_running_build_is_running_whatever_its_result_says(whole: Harvest) -> None:
    for key in ("running-forever#3", "rpm/f42/pipeline-input#1", "rpm/f42/pipeline-unstable-running#1"):
        assert whole.build(key).outcome == "RUNNING"
        assert len(whole.of(key)) == 1


def test_a_matrix_keeps_its_axes_and_leaves_out_stale_runs(whole: Harvest) -> None:
    cases = [one for one in whole.of("rpm/f42/compose matrix#3") if one.key != "build"]
    assert cases
    assert {one.arch for one in cases} <= {"x86_64", "aarch64", "s390x", "ppc64le"}
    assert len({one.arch for one in cases}) > 1
    assert all(one.scenario and one.scenario.startswith("VARIANT=") for one in cases)


def test_stages_of_a_pipeline_are_data(whole: Harvest) -> None:
    stages = {one.data.get("stage") for one in whole.of("rpm/f42/pipeline-parallel#5") if one.key != "build"}
    assert len(stages) > 1
    assert all(isinstance(stage, tuple) for stage in stages)


def test_parameters_causes_and_counts_are_data(whole: Harvest) -> None:
    build = whole.build(f"{OPENSSL}#19")
    assert build.run is not None
    assert build.run.data["BREW_TASK_ID"] == "61234586"
    assert build.run.data["SCRATCH"] == "false"
    assert build.run.data["cause"] == ("Started by user Jane Doe",)
    assert (build.item, build.item_type, build.arch) == ("openssl-3.2.1-19.el10", "koji_build", "aarch64")
    assert build.data == {"executed": "58", "cases": "60", "failed": "0", "skipped": "2"}
    assert build.run.ref_url is not None
    assert build.run.ref_url.endswith("/job/rpm/job/f42/job/tier1/job/openssl-functional/19/")
    assert build.run.ref_url.startswith("http://127.0.0.1:")


@pytest.mark.demand("S-058")
def test_a_report_that_executed_nothing_is_not_passed(master: RecordedMaster, http: SourceSession) -> None:
    build = next(one for one in harvest(master, http, jobs=("aborting-job",)).observations)
    assert Normaliser("ci", OUTCOMES)(build).outcome == "ERROR"
    empty = Observation(
        key="build",
        testcase="ci.x",
        outcome="SUCCESS",
        item="x#1",
        item_type="ci_build",
        data={"executed": "0"},
    )
    assert Normaliser("ci", OUTCOMES)(empty).outcome == "NEEDS_INSPECTION"


def test_every_word_of_the_recording_is_known(whole: Harvest) -> None:
    known = {word.upper() for word in OUTCOMES} | {"RUNNING"}
    assert {one.outcome for one in whole.observations} <= known


@pytest.mark.demand("S-125")
def test_the_inventory_names_silent_jobs_too(whole: Harvest) -> None:
    jobs = {job.name: job for job in whole.checkpoints[-1].jobs}
    assert jobs["disabled-job"].state == "disabled"
    assert jobs["never-built"].state == "never built"
    assert jobs[OPENSSL].last_report is not None
    assert jobs["rpm/f42/rpmgrill"].last_report is None
    assert jobs["rpm/f42/rpmgrill"].last_build is not None


# -- what it costs -------------------------------------------------------------------------------


@pytest.mark.demand("S-018", "S-026")
def test_a_second_harvest_asks_for_the_head_alone(master: RecordedMaster, http: SourceSession) -> None:
    first = harvest(master, http, jobs=("rpm/*", "!*/pipeline-*"))
    master.asked.clear()
    second = harvest(master, http, first.checkpoints[-1].cursor, jobs=("rpm/*", "!*/pipeline-*"))
    assert pages(master) == ["/api/json"]
    assert second.observations == []
    assert second.checkpoints[-1].cursor == first.checkpoints[-1].cursor
    assert all(method == "GET" for method, _target in master.asked)
    assert all("tree=" in target for _method, target in master.asked)


@pytest.mark.demand("S-018")
def test_new_builds_cost_one_request_a_job_and_one_a_report(
    master: RecordedMaster, http: SourceSession
) -> None:
    master.until = {OPENSSL: 45, "rpm/f42/rpmgrill": 30}
    first = harvest(master, http, jobs=("rpm/f42/*", "!*/pipeline-*"))
    master.until = {}
    master.asked.clear()
    second = harvest(master, http, first.checkpoints[-1].cursor, jobs=("rpm/f42/*", "!*/pipeline-*"))
    new = {one.run.key for one in second.observations if one.run}
    assert new == {f"{OPENSSL}#{n}" for n in range(46, 52)} | {f"rpm/f42/rpmgrill#{n}" for n in range(31, 37)}
    reports = [page for page in pages(master) if "testReport" in page]
    assert len(master.asked) == 1 + 2 + len(reports)
    assert len(reports) <= 6


def test_a_long_history_is_read_once_whole_and_then_by_its_newest(
    master: RecordedMaster, http: SourceSession
) -> None:
    master.until = {"long-history": 344}
    first = harvest(master, http, jobs=("long-history",))
    assert any("allBuilds" in target for _method, target in master.asked)
    master.until = {}
    master.asked.clear()
    second = harvest(master, http, first.checkpoints[-1].cursor, jobs=("long-history",))
    assert not any("allBuilds" in target for _method, target in master.asked)
    assert {one.run.key for one in second.observations if one.run} == {"long-history#345", "long-history#346"}


def test_reports_are_asked_without_output(master: RecordedMaster, http: SourceSession) -> None:
    harvest(master, http, jobs=(OPENSSL,))
    assert not any("stdout" in target or "depth" in target for _method, target in master.asked)


# -- going on ------------------------------------------------------------------------------------


def test_a_harvest_goes_on_from_any_checkpoint(
    master: RecordedMaster, http: SourceSession, whole: Harvest
) -> None:
    def facts(seen: list[Observation]) -> set[tuple[str, str, str]]:
        return {(one.run.key, one.key, one.outcome) for one in seen if one.run}

    stop = whole.seen.index(whole.checkpoints[len(whole.checkpoints) // 2])
    before = [one for one in whole.seen[: stop + 1] if isinstance(one, Observation)]
    rest = harvest(master, http, whole.seen[stop].cursor)
    assert facts(before) | facts(rest.observations) == facts(whole.observations)
    assert rest.checkpoints[-1].cursor == whole.checkpoints[-1].cursor


def test_it_yields_before_it_has_asked_for_all(master: RecordedMaster, http: SourceSession) -> None:
    list(islice(Jenkins().harvest(options(master), None, http), 5))
    assert len(master.asked) < 60


def test_a_build_seen_running_is_seen_again_when_it_ends(master: RecordedMaster, http: SourceSession) -> None:
    running = harvest(master, http, jobs=("running-forever",))
    cursor = running.checkpoints[-1].cursor
    assert running.build("running-forever#3").outcome == "RUNNING"
    build = own(master, "/job/running-forever/3/api/json")
    build |= {"building": False, "result": "SUCCESS", "duration": 1000}
    master._cache.clear()
    ended = harvest(master, http, cursor, jobs=("running-forever",))
    assert ended.build("running-forever#3").outcome == "SUCCESS"
    master.asked.clear()
    harvest(master, http, ended.checkpoints[-1].cursor, jobs=("running-forever",))
    assert pages(master) == ["/api/json"]


def test_a_build_seen_running_and_gone_is_told(master: RecordedMaster, http: SourceSession) -> None:
    cursor = harvest(master, http, jobs=("running-forever",)).checkpoints[-1].cursor
    del master._documents["/job/running-forever/3/api/json"]
    job = own(master, "/job/running-forever/api/json")
    job["builds"] = [build for build in job["builds"] if build["number"] != 3]
    master._numbers["/job/running-forever"].remove(3)
    master._cache.clear()
    gone = harvest(master, http, cursor, jobs=("running-forever",))
    assert gone.build("running-forever#3").outcome == "vanished"
    assert Normaliser("ci", OUTCOMES)(gone.build("running-forever#3")).outcome == "ERROR"


def test_a_job_made_anew_is_read_from_its_first_build(master: RecordedMaster, http: SourceSession) -> None:
    again = harvest(master, http, '{"timer-job":[99]}', jobs=("timer-job",))
    assert {one.run.key for one in again.observations if one.run} >= {"timer-job#1"}


# -- naming --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "key", "item"),
    [
        (ItemRule(find="parameter", name="NVR"), f"{OPENSSL}#19", "openssl-3.2.1-19.el10"),
        (
            ItemRule(find="build_name", pattern=r"#\d+ (?P<item>\S+)"),
            "rpm/f42/pipeline-parallel#5",
            "bash-5.2.26-5.el10",
        ),
        (
            ItemRule(
                find="parameter", name="NVR", pattern=r"(?P<n>[a-z]+)-(?P<v>[\d.]+)", template="{n}:{v}",
                type="plain",
            ),
            f"{OPENSSL}#19",
            "openssl:3.2.1",
        ),
        (ItemRule(find="job", pattern=r"[^/]+$", type="plain"), f"{OPENSSL}#19", "openssl-functional"),
        (ItemRule(find="artifact", pattern=r"TEST-(?P<item>\w+)", type="plain"), f"{OPENSSL}#19", "results"),
    ],
    ids=["parameter", "build name", "template", "job", "artifact"],
)  # fmt: skip
def test_an_item_is_found_by_rule(
    master: RecordedMaster, http: SourceSession, rule: ItemRule, key: str, item: str
) -> None:
    found = harvest(master, http, jobs=(key.rpartition("#")[0],), item=(rule,))
    assert found.build(key).item == item


def test_without_an_item_the_build_is_its_own(master: RecordedMaster, http: SourceSession) -> None:
    build = harvest(master, http, jobs=("timer-job",)).build("timer-job#1")
    assert (build.item, build.item_type) == ("timer-job#1", "ci_build")


def test_strictly_a_build_without_an_item_is_quarantined(master: RecordedMaster, http: SourceSession) -> None:
    found = harvest(master, http, jobs=("timer-job",), fallback="quarantine")
    assert found.observations == []
    assert [one.key for one in found.garbled] == [f"timer-job#{n}" for n in range(1, 5)]
    assert found.garbled[0].reason == "no rule finds an item: parameter NVR: absent"


def test_a_team_overrides_two_functions(master: RecordedMaster, http: SourceSession) -> None:
    class Ours(Jenkins):
        name = "ours"

        def item_from(self, build: Build) -> tuple[str, str] | None:
            return build.parameters["NVR"], "koji_build"

        def testcase_from(self, case: Case) -> str:
            return f"ours.{case.name}"

    seen = list(Ours().harvest(options(master, jobs=(OPENSSL,), item=()), None, http))
    cases = [one for one in seen if isinstance(one, Observation) and one.key != "build"]
    assert len({one.item for one in cases}) > 40
    assert all(one.testcase.startswith("ours.") for one in cases)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"find": "smell"}, "none of parameter"),
        ({"find": "parameter"}, "needs the parameter's name"),
        ({"find": "job", "pattern": "("}, "pattern"),
    ],
)
def test_a_wrong_rule_is_refused_with_its_reason(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        ItemRule(**wrong)


def test_a_wrong_template_is_refused_with_what_there_is(master: RecordedMaster) -> None:
    with pytest.raises(ValueError, match=r"no field 'jbo'; there are {class} {folder} {job}"):
        options(master, testcase="{jbo}")


# -- a hostile world -----------------------------------------------------------------------------


def test_a_restarting_master_is_away_not_empty(master: RecordedMaster, http: SourceSession) -> None:
    master.fail("/", 503, b"<html>Please wait while Jenkins is getting ready to work</html>", times=9)
    with pytest.raises(SourceUnavailableError, match="503"):
        harvest(master, http)


def test_a_short_outage_is_sat_out(master: RecordedMaster, http: SourceSession) -> None:
    master.fail("/api/json", 503)
    assert harvest(master, http, jobs=("timer-job",)).observations


def test_an_outage_in_the_middle_keeps_what_was_read(master: RecordedMaster, http: SourceSession) -> None:
    master.fail("/job/rpm/job/kernel-mb/", 502, times=99)
    seen: list[Any] = []
    steps = Jenkins().harvest(options(master, jobs=("long-history", "rpm/kernel-mb/*")), None, http)
    with pytest.raises(SourceUnavailableError):
        seen.extend(one for one in steps if seen.append(one))
    assert "long-history#1" in {one.run.key for one in seen if isinstance(one, Observation) and one.run}
    assert any(isinstance(one, Checkpoint) for one in seen)


def test_a_build_that_a_teams_function_did_not_expect_is_quarantined(
    master: RecordedMaster, http: SourceSession
) -> None:
    class Ours(Jenkins):
        name = "ours"

        def item_from(self, build: Build) -> tuple[str, str] | None:
            return build.parameters["NVR"], "koji_build"

    seen = Harvest(list(Ours().harvest(options(master, jobs=("timer-job", "aborting-job")), None, http)))
    assert seen.observations == []
    assert {one.reason for one in seen.garbled} == {"item_from: KeyError: 'NVR'"}
    assert len(seen.garbled) == 7


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (403, b"<html><head><meta http-equiv='refresh' content='1;url=/login'></head></html>", "403"),
        (401, b"<html>Invalid password/token for user: x</html>", "401"),
        (200, b"<html><body>Please sign in</body></html>", "sign|login|HTML|JSON"),
        (200, b'{"jobs": [', "JSON"),
        (200, b"[]", "job list"),
        (500, b"<html>Oops</html>", "500"),
    ],
    ids=["anonymous", "wrong token", "login page", "cut off", "a list", "oops"],
)
def test_a_master_that_says_no_says_why(
    master: RecordedMaster, http: SourceSession, status: int, body: bytes, said: str
) -> None:
    kind = "application/json" if body.startswith((b"{", b"[")) else "text/html"
    master.fail("/api/json", status, body, times=9, headers={"Content-Type": kind})
    with pytest.raises(CollectError, match=said):
        harvest(master, http)


def test_a_token_that_is_refused_is_not_shown(http: SourceSession) -> None:
    with RecordedMaster([], user="me", token="right").serve() as closed:
        session = SourceSession(closed.url, user="me", token="s3cret-wrong", attempts=1)
        with pytest.raises(SourceRefusedError) as caught:
            harvest(closed, session)
        session.close()
    assert "s3cret" not in str(caught.value)
    assert "401" in str(caught.value)


def test_a_garbled_report_costs_that_report_alone(master: RecordedMaster, http: SourceSession) -> None:
    master.fail("/job/timer-job", 200, b"", times=0)
    master.fail(
        "/job/rpm/job/f42/job/tier1/job/openssl-functional/19/testReport", 200, b'{"suites": [', times=9,
        headers={"Content-Type": "application/json"},
    )  # fmt: skip
    found = harvest(master, http, jobs=(OPENSSL,))
    assert len(found.of(f"{OPENSSL}#19")) == 1
    assert len(found.of(f"{OPENSSL}#20")) > 50
    assert [one.key for one in found.garbled] == [f"{OPENSSL}#19"]


def test_a_cursor_of_something_else_is_refused(master: RecordedMaster, http: SourceSession) -> None:
    with pytest.raises(CollectError, match="not of this collector"):
        harvest(master, http, "17")


def test_check_tells_what_a_harvest_would_meet(master: RecordedMaster, http: SourceSession) -> None:
    said = "\n".join(Jenkins().check(options(master), http))
    assert "Jenkins 2.448" in said
    assert "29 jobs" in said
    assert "is its own item (ci_build): parameter NVR: absent" in said
    assert sum("no item rule matches" in line for line in said.splitlines()) == 3


def test_secrets_among_the_parameters_are_left_out(master: RecordedMaster, http: SourceSession) -> None:
    path = "/job/rpm/job/f42/job/tier1/job/openssl-functional/19/api/json"
    parameters = own(master, path)["actions"][0]["parameters"]
    parameters += [{"name": "API_TOKEN", "value": "abc"}, {"name": "item", "value": "x"}]
    run = harvest(master, http, jobs=(OPENSSL,)).build(f"{OPENSSL}#19").run
    assert run is not None
    assert "API_TOKEN" not in run.data
    assert run.data["parameter.item"] == "x"
