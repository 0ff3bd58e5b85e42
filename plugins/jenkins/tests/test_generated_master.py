"""The generated master: what it holds is what it was told to hold, and the collector reads all of it."""

from __future__ import annotations

from ci_results_jenkins import ItemRule, Jenkins, Options
from ci_results_jenkins.generated_master import GeneratedMaster

from ci_results import Checkpoint, Observation, SourceSession


def harvested(master: GeneratedMaster, cursor: str | None = None) -> tuple[list[Observation], str]:
    options = Options(url=master.url, item=(ItemRule(find="parameter", name="NVR"),))
    with SourceSession(master.url, attempts=1) as http:
        seen = list(Jenkins().harvest(options, cursor, http))
    last = [one for one in seen if isinstance(one, Checkpoint)][-1]
    assert all(isinstance(one, Observation | Checkpoint) for one in seen)
    return [one for one in seen if isinstance(one, Observation)], last.cursor


def test_every_build_and_case_is_read_with_one_request_a_report() -> None:
    with GeneratedMaster("m", jobs=60, builds=3, cases=4).serve() as master:
        found, _ = harvested(master)
        assert len(found) == 60 * 3 * (1 + 4)
        assert len(master.asked) == 1 + 60 + 60 * 3
    assert {one.outcome for one in found} == {"SUCCESS", "UNSTABLE", "PASSED", "FAILED"}
    assert "component-0059-1.3-1.fc42" in {one.item for one in found}


def test_a_build_is_unstable_where_a_case_of_it_fails() -> None:
    with GeneratedMaster("m", jobs=20, builds=3, cases=4).serve() as master:
        found, _ = harvested(master)
    runs = {one.run.key: one.outcome for one in found if one.run and one.parent is None}
    failed = {one.run.key for one in found if one.run and one.outcome == "FAILED"}
    assert failed == {key for key, outcome in runs.items() if outcome == "UNSTABLE"}


def test_the_same_arguments_give_the_same_bodies() -> None:
    one, other = (GeneratedMaster("m", jobs=2, builds=2, cases=3) for _ in range(2))
    for path in ("/api/json", "/job/m-00/job/component-0001/2/testReport/api/json"):
        answers = [master.answer("GET", path, "", None) for master in (one, other)]
        assert answers[0] == answers[1]
        assert answers[0].status == 200
    assert one.answer("GET", "/job/m-00/job/component-0001/3/api/json", "", None).status == 404


def test_builds_that_were_held_back_come_later() -> None:
    with GeneratedMaster("m", jobs=3, builds=120, cases=1).serve() as master:
        master.until = {"m-00/component-0001": 118}
        before, cursor = harvested(master)
        master.until = {}
        master.asked.clear()
        after, _ = harvested(master, cursor)
        assert len(master.asked) == 1 + 1 + 2
    assert len(before) == (120 + 118 + 120) * 2
    assert len(after) == 2 * 2
