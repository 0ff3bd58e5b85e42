"""Every kind of message that we read is held to the contract, on messages of our own making."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ci_results import Envelope, Garbled, Observation, open_message, read_message
from ci_results.messages.builtin import READERS
from ci_results.messages.cdevents import CDEvents
from ci_results.messages.ci_messages import CiMessages, CiOptions
from ci_results.messages.ci_metrics import CiMetrics
from ci_results.messages.openqa import OpenQAMessages
from ci_results.messages.pipeline import PipelineMessages
from ci_results.messages.resultsdb import ResultsDBResults
from ci_results.normalise.normaliser import Normaliser
from ci_results.plugin import builtin
from ci_results.testing import MessageContract

SAMPLES = Path(__file__).parent / "samples"


class TestCiMessages(MessageContract):
    messages = CiMessages()  # type: ignore[assignment]
    samples = SAMPLES / "ci_messages"
    plugin = builtin


class TestCiMetrics(MessageContract):
    messages = CiMetrics()  # type: ignore[assignment]
    samples = SAMPLES / "ci_metrics"
    plugin = builtin


class TestResultsDBResults(MessageContract):
    messages = ResultsDBResults()  # type: ignore[assignment]
    samples = SAMPLES / "resultsdb"
    plugin = builtin


class TestOpenQAMessages(MessageContract):
    messages = OpenQAMessages()  # type: ignore[assignment]
    samples = SAMPLES / "openqa"
    plugin = builtin


class TestPipelineMessages(MessageContract):
    messages = PipelineMessages()  # type: ignore[assignment]
    samples = SAMPLES / "pipeline"
    plugin = builtin


class TestCDEvents(MessageContract):
    messages = CDEvents()  # type: ignore[assignment]
    samples = SAMPLES / "cdevents"
    plugin = builtin


def read(reader: Any, name: str, options: Any = None, topic: str | None = None, **body: Any) -> list[Any]:
    """Read a sample, its body changed; what is Garbled comes as its reason."""
    envelope = open_message((SAMPLES / reader.name_of_samples / f"{name}.json").read_bytes())
    envelope = Envelope(
        topic=topic or envelope.topic,
        body={**envelope.body, **body},
        id=envelope.id,
        headers=envelope.headers,
        time=envelope.time,
    )
    seen = read_message(reader, options or reader.options(), envelope, b"")
    return [each.reason if isinstance(each, Garbled) else each for each in seen]


def outcomes(reader: Any, seen: list[Any]) -> dict[str, str]:
    normalise = Normaliser("test", reader.outcomes)
    return {each.testcase: normalise(each).outcome for each in seen if isinstance(each, Observation)}


@pytest.fixture
def ci() -> Any:
    reader: Any = CiMessages()
    reader.__class__ = type("Ci", (CiMessages,), {"name_of_samples": "ci_messages"})
    return reader


@pytest.fixture
def metrics() -> Any:
    reader: Any = CiMetrics()
    reader.__class__ = type("Metrics", (CiMetrics,), {"name_of_samples": "ci_metrics"})
    return reader


@pytest.mark.demand("S-056")
def test_metrics_give_a_result_for_each_executor_and_one_for_the_job(metrics: Any) -> None:
    executor, other, job = read(metrics, "failed")
    assert outcomes(metrics, [executor, other, job]) == {
        "baseos.ci-widget-rhel-9.6-runtest.CI_OSP": "FAILED",
        "baseos.ci-widget-rhel-9.6-runtest.beaker": "PASSED",
        "baseos.ci-widget-rhel-9.6-runtest": "FAILED",
    }
    assert {each.item for each in (executor, other, job)} == {"widget-1.4-2.el9"}
    assert {each.item_type for each in (executor, other, job)} == {"koji_build"}
    assert job.data["CI_tier"] == "1"
    assert job.data["recipients"] == ("alice", "bob")
    assert job.run.ref_url == "https://ci.example/job/ci-widget-rhel-9.6-runtest/7/"
    assert (executor.parent, job.parent) == ("overall", None)


@pytest.mark.demand("S-058")
@pytest.mark.parametrize(
    "tests",
    [
        [],
        [{"executed": 0, "failed": 0}],
        [{"executed": "0", "passed": "0", "failed": "0"}],
        [{"failed": 0, "passed": 0}],
        [{"executor": "a", "executed": 3, "failed": 0}, {"executor": "b", "executed": 0, "failed": 0}],
    ],
)
def test_a_job_in_which_something_ran_not_at_all_has_not_passed(metrics: Any, tests: list[Any]) -> None:
    *_, job = read(metrics, "failed", tests=tests)
    assert outcomes(metrics, [job]) == {"baseos.ci-widget-rhel-9.6-runtest": "NEEDS_INSPECTION"}
    assert "nothing executed" in job.note


def test_a_count_of_failures_that_is_missing_is_no_zero(metrics: Any) -> None:
    _, job = read(metrics, "failed", tests=[{"executor": "beaker", "executed": 5}])
    assert outcomes(metrics, [job]) == {"baseos.ci-widget-rhel-9.6-runtest": "FAILED"}


@pytest.mark.parametrize("bad", ["many", -1, 1.5, True, [3]])
def test_a_count_that_is_none_refuses_the_message_whole(metrics: Any, bad: Any) -> None:
    (reason,) = read(metrics, "failed", tests=[{"executed": 1, "failed": 0}, {"executed": 1, "failed": bad}])
    assert "failed is no count" in reason


@pytest.mark.demand("S-057")
def test_all_states_of_a_test_are_about_the_same_run(ci: Any) -> None:
    (queued,) = read(ci, "brew-build-queued")
    (complete,) = read(ci, "brew-build-queued", topic="VirtualTopic.eng.ci.widgets.brew-build.test.running")
    assert (queued.run.key, queued.key) == (complete.run.key, complete.key)
    assert outcomes(ci, [queued]) == {"widgets.brew-build.tier1.functional": "QUEUED"}
    assert outcomes(ci, [complete]) == {"widgets.brew-build.tier1.functional": "RUNNING"}


def test_a_private_testcase_is_told_of_by_its_publisher_alone(ci: Any) -> None:
    mine = CiOptions(private=(("widgets.*", "msg-widget-ci"),))
    others = CiOptions(private=(("widgets.*", "msg-others"),))
    (seen,) = read(ci, "brew-build-complete", mine)
    assert seen.data["publisher_id"] == "msg-widget-ci"
    (reason,) = read(ci, "brew-build-complete", others)
    assert "told of by msg-others alone, not by msg-widget-ci" in reason


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"test": None}, "test is missing"),
        (
            {"test": {"namespace": "a", "type": "b", "category": "c", "result": 3}},
            "result is missing or no text",
        ),
        ({"artifact": {"type": "spaceship"}}, "artifact type 'spaceship' is not known"),
        ({"run": {"url": "javascript:alert(1)"}}, "url is no address"),
        ({"generated_at": "yesterday"}, "generated_at is no time"),
    ],
)
def test_what_is_wrong_is_named(ci: Any, change: dict[str, Any], reason: str) -> None:
    topic = "VirtualTopic.eng.ci.brew-build.test.complete"
    (said,) = read(ci, "brew-build-complete", topic=topic, **change)
    assert reason in said


def test_a_testcase_is_of_the_namespace_of_its_topic(ci: Any) -> None:
    (said,) = read(ci, "brew-build-complete", topic="VirtualTopic.eng.ci.others.brew-build.test.complete")
    assert "not of the namespace of its topic: others" in said


def test_readers_are_asked_in_turn_and_none_takes_what_is_anothers() -> None:
    for path in sorted(SAMPLES.glob("*/*.json")):
        if path.name.endswith(".golden.json"):
            continue
        envelope = open_message(path.read_bytes())
        takers = [reader for reader in READERS if reader().recognises(envelope)]
        assert len(takers) == 1, path.name
