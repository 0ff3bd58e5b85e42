"""What is asked again and what is not: gaps, running builds, lists that break the master, odd records."""

from __future__ import annotations

from typing import Any

import pytest
from ci_results_jenkins.model import build_of
from ci_results_jenkins.observing import observe_cases
from ci_results_jenkins.recorded_master import RecordedMaster
from ci_results_jenkins.report import cases_of

from ci_results import Garbled, Run, SourceGarbledError, SourceSession

from .conftest import harvest, options, own
from .test_collector import OPENSSL, pages

JOB = "/job/rpm/job/f42/job/tier1/job/openssl-functional"


def unlist(master: RecordedMaster, number: int) -> None:
    """Let the job's list of builds leave one out."""
    job = own(master, f"{JOB}/api/json")
    job["builds"] = [build for build in job["builds"] if build["number"] != number]
    master._numbers[JOB].remove(number)


def test_a_gap_among_the_new_builds_is_confirmed_once(master: RecordedMaster, http: SourceSession) -> None:
    master.until = {OPENSSL: 45}
    cursor = harvest(master, http, jobs=(OPENSSL,)).checkpoints[-1].cursor
    master.until = {}
    unlist(master, 48)
    del master._documents[f"{JOB}/48/api/json"]
    later = harvest(master, http, cursor, jobs=(OPENSSL,))
    assert pages(master).count(f"{JOB}/48/api/json") == 1
    assert not later.of(f"{OPENSSL}#48")
    assert later.of(f"{OPENSSL}#49")
    master.asked.clear()
    harvest(master, http, later.checkpoints[-1].cursor, jobs=(OPENSSL,))
    assert pages(master) == ["/api/json"]


def test_a_build_that_its_job_does_not_list_is_read_with_its_report(
    master: RecordedMaster, http: SourceSession
) -> None:
    master.until = {OPENSSL: 45}
    cursor = harvest(master, http, jobs=(OPENSSL,)).checkpoints[-1].cursor
    master.until = {}
    listed = harvest(master, http, cursor, jobs=(OPENSSL,)).of(f"{OPENSSL}#48")
    unlist(master, 48)
    master._cache.clear()
    assert harvest(master, http, cursor, jobs=(OPENSSL,)).of(f"{OPENSSL}#48") == listed
    assert len(listed) > 1


def test_a_job_whose_newest_build_still_runs_is_not_asked(
    master: RecordedMaster, http: SourceSession
) -> None:
    cursor = harvest(master, http, jobs=("running-forever",)).checkpoints[-1].cursor
    master.asked.clear()
    again = harvest(master, http, cursor, jobs=("running-forever",))
    assert pages(master) == ["/api/json"]
    assert again.checkpoints[-1].cursor == cursor


def test_where_the_list_of_builds_breaks_the_master_they_are_asked_one_by_one(
    master: RecordedMaster, http: SourceSession
) -> None:
    whole = harvest(master, http, jobs=(OPENSSL,))
    master.fail(f"{JOB}/api/json", 500, times=99)
    singly = harvest(master, http, jobs=(OPENSSL,))
    assert singly.observations == whole.observations
    assert singly.garbled == []
    assert singly.checkpoints[-1].cursor == whole.checkpoints[-1].cursor


@pytest.mark.parametrize(
    ("field", "value"),
    [("number", "7"), ("timestamp", None), ("duration", "long"), ("duration", 10**30)],
)
def test_a_build_with_an_odd_field_is_garbled_or_loses_its_duration(
    master: RecordedMaster, field: str, value: Any
) -> None:
    record = master._documents[f"{JOB}/19/api/json"]["json"] | {field: value}
    if field == "duration" and isinstance(value, int):
        assert build_of(OPENSSL, record, options(master)).duration_s == 0
    else:
        with pytest.raises(SourceGarbledError, match=OPENSSL):
            build_of(OPENSSL, record, options(master))


@pytest.mark.parametrize(
    ("report", "reason"),
    [
        ([], "the report is no object"),
        ({"suites": {"a": 1}}, "suite: no 'cases'"),
        ({"suites": [7]}, "suite: 'int' object has no attribute 'get'"),
        ({"suites": [{"name": "s", "cases": 7}]}, "suite: cases is no list"),
        ({"suites": [{"name": "s", "cases": [{"name": 1}]}]}, "case of suite 's': no text: 1"),
        ({"childReports": [{"child": {}}]}, "run of a matrix: no 'number'"),
    ],
    ids=[
        "a list",
        "suites no list",
        "suite a number",
        "cases a number",
        "name a number",
        "child without a number",
    ],
)
def test_whatever_a_report_holds_instead_is_garbled(
    master: RecordedMaster, report: object, reason: str
) -> None:
    build = build_of(OPENSSL, master._documents[f"{JOB}/19/api/json"]["json"], options(master))
    (garbled,) = cases_of(build, report)
    assert isinstance(garbled, Garbled)
    assert (garbled.key, garbled.reason) == (f"{OPENSSL}#19", reason)


def test_no_case_takes_the_key_of_another_or_of_the_build(master: RecordedMaster) -> None:
    names = ["build", "n", "n", "n#2", "n"]
    report = {"suites": [{"cases": [{"name": name, "status": "PASSED"} for name in names]}]}
    build = build_of(OPENSSL, master._documents[f"{JOB}/19/api/json"]["json"], options(master))
    seen = observe_cases(build, Run(key="r"), ("i", "plain"), cases_of(build, report), lambda case: case.name)
    assert [one.key for one in seen] == ["build#2", "n", "n#2", "n#2#2", "n#3"]
