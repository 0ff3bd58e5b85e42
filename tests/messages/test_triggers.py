"""Every row of the table of events in docs/messages.md is a topic that is read, and says what it becomes."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from ci_results import Envelope, InvalidError
from ci_results.messages.triggers import events_of

PAGE = Path(__file__).parents[2] / "docs" / "messages.md"
NVR = {"name": "widget", "version": "1", "release": "2.fc43", "owner": "jdoe"}
PULL = {
    "pullrequest": {"id": 17, "project": {"namespace": "rpms", "name": "widget"}, "user": {"name": "jdoe"}}
}
BODIES: dict[str, Any] = {
    "buildsys.build.state.change": {"new": 1, **NVR},
    "brew.build.complete": {"build": NVR},
    "bodhi.update.status.testing.koji-build-group.build.complete": {
        "agent": "jdoe", "update": {"alias": "FEDORA-2026-1a2b3c4d5e"},
        "artifact": {"builds": [{"nvr": "a-1-1"}, {"nvr": "b-1-1"}]},
    },
    "bodhi.update.request.testing": {"update": {"alias": "FEDORA-2026-1a2b3c4d5e"}, "agent": "jdoe"},
    "bodhi.update.request.stable": {"update": "FEDORA-2026-1a2b3c4d5e"},
    "pungi.compose.status.change": {"status": "FINISHED", "compose_id": "Fedora-44-20260202.n.0"},
    "git.receive": {"commit": {"repo": "widget", "rev": "abc"}},
    "pagure.git.receive": {"repo": {"namespace": "rpms", "name": "widget"}, "end_commit": "abc"},
    "pagure.pull-request.new": PULL,
    "pagure.pull-request.updated": PULL,
}  # fmt: skip


def documented() -> dict[str, tuple[str, str]]:
    """Return kind and text of the subject by topic, of the table."""
    text = PAGE.read_text(encoding="utf-8").split("## Builds, updates and commits\n")[1]
    rows = re.findall(r"^\| (`[^|]+) \| `([^`]+)` \| ([^|]+) \|$", text, re.MULTILINE)
    return {
        topic: (kind, subject)
        for topics, kind, subject in rows
        for topic in re.findall(r"`([\w.-]+\.[\w.-]+)`", topics)
    }


def told(topic: str, body: Any) -> list[Any]:
    return events_of(Envelope(topic=f"org.fedoraproject.prod.{topic}", body=body, id="m1"))


def test_the_table_is_whole() -> None:
    assert documented().keys() == BODIES.keys()


@pytest.mark.parametrize("topic", BODIES)
def test_a_topic_becomes_what_the_table_says(topic: str) -> None:
    kind, subject = documented()[topic]
    events = told(topic, BODIES[topic])
    assert {each.kind for each in events} == {kind}
    assert {each.subject.type for each in events} <= set(re.findall(r"[\w-]+", subject))
    assert len({each.key for each in events}) == len(events)


@pytest.mark.parametrize("topic", BODIES)
@pytest.mark.parametrize(
    "body", [None, "", 7, [], {}, {"new": 1}, {"commit": []}, {"update": {}}, {"repo": 1}]
)
def test_odd_bodies_are_nothing_or_refused(topic: str, body: Any) -> None:
    with suppress(InvalidError):
        told(topic, body)


def test_what_is_not_done_lets_expect_nothing() -> None:
    assert told("buildsys.build.state.change", {"new": 3}) == []
    assert told("pungi.compose.status.change", {"status": "STARTED"}) == []
    assert told("mailman.receive", {}) == []
