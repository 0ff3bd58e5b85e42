"""Saved messages with what a peer makes of them: read each, and compare.

A sample is a JSON object with `raw`, the message in its envelope, and `expected_posts`, what the peer
posts to a ResultsDB of it: a list, or null where nobody has said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from ..domain.garbled import Garbled
from ..domain.observation import Observation
from ..domain.result import Result
from ..errors import CiResultsError, InvalidError
from ..messages.echo import is_echo
from ..messages.opening import open_saved
from ..messages.values import texts
from ..normalise.normaliser import Normaliser
from ..plugin.manager import Plugins
from ..plugin.reading import read_message

ECHO = "(echo)"
NO_READER = "(no results)"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldMessage:
    """What we make of one sample.

    reader       name of what read it, ECHO, or NO_READER
    results      as they would be stored; garbled: why something of it was not read
    differences  from what the peer posts, each in words; None = nobody said what it posts
    """

    reader: str
    results: Sequence[Result] = ()
    garbled: Sequence[str] = ()
    differences: Sequence[str] | None = field(default=None)


def is_message_sample(path: Path) -> bool:
    """Say whether a file is such a sample."""
    if path.suffix != ".json":
        return False
    try:
        value = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError:
        return False
    return isinstance(value, dict) and {"raw", "envelope", "expected_posts"} <= value.keys()


def read_sample(path: Path, plugins: Plugins) -> ToldMessage:
    """Read one sample as `listen` does, with each reader's default options."""
    sample = orjson.loads(path.read_bytes())
    posts = sample["expected_posts"]
    try:
        envelope = open_saved(sample["raw"])
    except InvalidError as err:
        return ToldMessage(reader=NO_READER, garbled=[str(err)], differences=_compared(posts, ()))
    if is_echo(envelope):
        return ToldMessage(reader=ECHO, differences=_compared(posts, ()))
    reader = next((each for each in plugins.messages.values() if each.recognises(envelope)), None)
    if reader is None:
        return ToldMessage(reader=NO_READER, differences=_compared(posts, ()))
    normalise = Normaliser("samples", reader.outcomes, plugins.item_types)
    results, garbled = [], []
    for each in read_message(reader, reader.options(), envelope, b""):
        try:
            if isinstance(each, Observation):
                results.append(normalise(each))
        except CiResultsError as err:
            garbled.append(str(err))
        if isinstance(each, Garbled):
            garbled.append(each.reason)
    return ToldMessage(
        reader=reader.name, results=results, garbled=garbled, differences=_compared(posts, results)
    )


def _compared(posts: Sequence[Mapping[str, Any]] | None, results: Sequence[Result]) -> list[str] | None:
    """Say what differs from the peer's posts, which come in the order of the message."""
    if posts is None:
        return None
    if len(posts) != len(results):
        return [f"{len(results)} results, the peer posts {len(posts)}"]
    return [
        difference
        for post, result in zip(posts, results, strict=True)
        for difference in _unlike(post, result)
    ]


def _unlike(post: Mapping[str, Any], result: Result) -> Iterator[str]:
    """Yield what one result says otherwise; the peer's nulls and empty texts say nothing."""
    testcase = post.get("testcase")
    named = testcase if isinstance(testcase, Mapping) else {"name": testcase}
    theirs = {
        **{f"data.{name}": texts(value) for name, value in (post.get("data") or {}).items()},
        "testcase": texts(named.get("name")),
        "data.testcase_url": texts(named.get("ref_url")),
        "outcome": texts(post.get("outcome")),
        "ref_url": texts(post.get("ref_url")),
        "note": texts(post.get("note")),
    }
    ours: dict[str, tuple[str, ...]] = {
        "data.item": (result.item,),
        "data.type": (result.item_type,),
        "data.scenario": texts(result.scenario),
        **{f"data.{name}": values for name, values in result.data.items()},
        "testcase": (result.testcase,),
        "outcome": (result.outcome,),
        "ref_url": texts(result.ref_url),
        "note": texts(result.note),
    }
    for name, values in theirs.items():
        if values and ours.get(name, ()) != values:
            yield f"{result.testcase}: {name} is {ours.get(name, ())}, the peer's {values}"
    for name in sorted(ours.keys() - {name for name, values in theirs.items() if values}):
        if ours[name]:
            yield f"{result.testcase}: {name} is {ours[name]}, the peer has none"
