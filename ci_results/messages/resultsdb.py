"""Results as ResultsDB takes them, put on a bus: one, or many. See docs/messages.md.

What a ResultsDB announces itself has the same shape; the echo guard keeps that out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ..domain.envelope import Envelope
from ..domain.garbled import Garbled
from ..domain.observation import Observation
from ..domain.outcome import Outcome
from ..domain.run import Run
from ..errors import InvalidError, shown
from .values import Data, attributes, inside, link, maybe_inside, maybe_text, when, word

_SINGLE = frozenset({"data", "outcome", "ref_url", "testcase"})
_BULK = frozenset({"results", "ref_url"})
_RPMDIFF = "dist.rpmdiff"
_RPMDIFF_RUN = re.compile(r"(?P<run>https?://.+/run/\d+)(?:/\d+)?")


@dataclass(frozen=True, kw_only=True)
class ResultsDBOptions:
    """What is assumed where a result does not say: the type of its item."""

    item_type: str = "koji_build"


class ResultsDBResults:
    """Reads one result, or a bulk of them that share an address."""

    name: ClassVar[str] = "resultsdb"
    version: ClassVar[int] = 1
    options: ClassVar[type[ResultsDBOptions]] = ResultsDBOptions
    outcomes: ClassVar[dict[str, str]] = {
        "pass": Outcome.PASSED,
        "fail": Outcome.FAILED,
        "failure": Outcome.FAILED,
    }

    def recognises(self, envelope: Envelope) -> bool:
        """Say whether it has the members of one result or of a bulk."""
        body = envelope.body
        if not isinstance(body, Mapping):
            return False
        single = body.keys() >= _SINGLE and isinstance(body["data"], Mapping)
        return single or (body.keys() >= _BULK and isinstance(body["results"], Mapping))

    def read(self, options: ResultsDBOptions, envelope: Envelope) -> Iterator[Observation | Garbled]:
        """Yield the results; one of a bulk that cannot be read is Garbled and leaves the others."""
        body = envelope.body
        if not isinstance(body, Mapping):
            raise InvalidError(f"no object under {envelope.topic}")
        if "results" not in body:
            yield _result(options, envelope, _named(body), body, link(body, "ref_url"))
            return
        for name, each in inside(body, "results").items():
            try:
                if not isinstance(each, Mapping):
                    raise InvalidError(f"the result of {name} is no object: {shown(each)}")
                yield _result(options, envelope, name, each, link(body, "ref_url"))
            except InvalidError as err:
                yield Garbled(raw=b"", reason=f"{name}: {err}", key=f"{envelope.key} {name}")


def _result(
    options: ResultsDBOptions,
    envelope: Envelope,
    name: str,
    body: Mapping[str, Any],
    shared_url: str | None,
) -> Observation:
    given = dict(maybe_inside(body, "data"))
    items, kind = _items(given.pop("item", None)), given.pop("type", None)
    scenario, arch = maybe_text(given, "scenario"), maybe_text(given, "arch")
    for taken in ("scenario", "arch"):
        given.pop(taken, None)
    data: Data = attributes(given)
    if len(items) > 1:
        data["item"] = items
    publisher = envelope.headers.get("JMSXUserID")
    if publisher:
        data["publisher_id"] = publisher
    testcase = body.get("testcase")
    if isinstance(testcase, Mapping) and (docs := link(testcase, "ref_url")):
        data["testcase_url"] = docs
    ref_url = link(body, "ref_url") or shared_url
    run = _run(name, shared_url)
    return Observation(
        key=" ".join(filter(None, (name, items[0], scenario, arch))),
        testcase=name,
        outcome=word(body, "outcome"),
        item=items[0],
        item_type=_type(kind) or options.item_type,
        time=when(body, "submit_time") or envelope.time,
        ref_url=ref_url,
        note=maybe_text(body, "note"),
        scenario=scenario,
        arch=arch,
        data=data,
        run=Run(key=run or envelope.key, ref_url=run),
    )


def _named(body: Mapping[str, Any]) -> str:
    testcase = body.get("testcase")
    return word(testcase, "name") if isinstance(testcase, Mapping) else word(body, "testcase")


def _items(value: Any) -> tuple[str, ...]:
    """Return what a result is about, its main item first. Raises InvalidError where nothing is named."""
    items = value if isinstance(value, list) else [value]
    if not items or not all(isinstance(each, str) and each for each in items):
        raise InvalidError(f"data.item is missing or no text: {shown(value)}")
    return tuple(items)


def _type(value: Any) -> str | None:
    """Return the type of the item; lists of one occur. Raises InvalidError for anything that is no text."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if value is not None and not isinstance(value, str):
        raise InvalidError(f"data.type is no text: {shown(value)}")
    return value


def _run(testcase: str, url: str | None) -> str | None:
    """Return the address that the results of one run share; of rpmdiff's it is told by their paths."""
    if not testcase.startswith(_RPMDIFF):
        return url
    found = _RPMDIFF_RUN.fullmatch(url or "")
    if found is None:
        raise InvalidError(f"ref_url of {testcase} is not that of a run of rpmdiff: {shown(url)}")
    return found["run"]
