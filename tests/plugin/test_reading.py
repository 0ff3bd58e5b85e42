"""read_message: a message is read whole, or told as bad; what is no text is refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from ci_results import Envelope, Garbled, InvalidError, Messages, Observation, read_message

ENVELOPE = Envelope(topic="a.b", body={}, id="m1")


@dataclass(frozen=True, kw_only=True)
class Options:
    pass


class Scripted(Messages[Options]):
    """Yields what it is made with, and raises what is an exception among it."""

    name = "scripted"
    version = 1
    options = Options

    def __init__(self, *things: Any) -> None:
        self.things = things

    def recognises(self, envelope: Envelope) -> bool:
        return True

    def read(self, options: Options, envelope: Envelope) -> Iterator[Observation | Garbled]:
        for thing in self.things:
            if isinstance(thing, Exception):
                raise thing
            yield thing


def told(*things: Any) -> list[Observation | Garbled]:
    return read_message(Scripted(*things), Options(), ENVELOPE, b"raw")


def seen(**fields: Any) -> Observation:
    given = {"key": "k", "testcase": "a.b", "outcome": "ok", "item": "x-1-1", "item_type": "koji_build"}
    return Observation(**{**given, **fields})


def test_all_that_a_message_says_is_told() -> None:
    assert told() == []
    assert told(seen(), seen(key="l")) == [seen(), seen(key="l")]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (InvalidError("no status"), "no status"),
        (KeyError("id"), "KeyError: 'id'"),
        (ValueError("x"), "ValueError: x"),
    ],
)
def test_a_bad_message_is_told_as_a_whole(error: Exception, reason: str) -> None:
    assert told(seen(), error) == [Garbled(raw=b"raw", reason=reason, key="m1")]


def test_a_bad_result_leaves_the_others() -> None:
    bad = Garbled(raw=b"", reason="no outcome")
    assert told(seen(), bad) == [seen(), Garbled(raw=b"raw", reason="no outcome", key="m1")]


def test_a_fault_of_the_reader_goes_through() -> None:
    with pytest.raises(RuntimeError):
        told(RuntimeError("a bug"))


@pytest.mark.parametrize(
    ("field", "value"),
    [("outcome", None), ("item", ["x"]), ("testcase", 7), ("note", {}), ("data", {"a": ("x", 1)})],
)
def test_what_is_no_text_is_refused(field: str, value: Any) -> None:
    (bad,) = told(seen(**{field: value}))
    assert isinstance(bad, Garbled)
    assert "is no text" in bad.reason
