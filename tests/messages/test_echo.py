"""What a store announces is no input."""

from __future__ import annotations

import pytest

from ci_results import Envelope
from ci_results.messages.echo import ORIGIN, is_echo


@pytest.mark.parametrize(
    "topic",
    [
        "org.fedoraproject.prod.resultsdb.result.new",
        "VirtualTopic.eng.resultsdb.result.new",
        "resultsdb.result.new",
        "org.fedoraproject.prod.taskotron.result.new",
        "eng.waiverdb.waiver.new",
        "org.fedoraproject.prod.greenwave.decision.update",
    ],
)
def test_announcements_are_echoes_unless_they_are_wanted(topic: str) -> None:
    assert is_echo(Envelope(topic=topic, body={}))
    assert not is_echo(Envelope(topic=topic, body={}), announced=True)


def test_what_we_sent_is_an_echo_whoever_wants_announcements() -> None:
    ours = Envelope(topic="resultsdb.result.new", body={}, headers={ORIGIN: "here"})
    assert is_echo(ours, origin="here", announced=True)
    assert not is_echo(ours, origin="there", announced=True)


@pytest.mark.parametrize("topic", ["resultsdb.result.newer", "VirtualTopic.eng.ci.brew-build.test.complete"])
def test_other_topics_are_no_echoes(topic: str) -> None:
    assert not is_echo(Envelope(topic=topic, body={}))
