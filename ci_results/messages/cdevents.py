"""CDEvents of test runs, bare or in a CloudEvents envelope. See docs/messages.md.

No event of a test names what was tested: the producer says it in `customData`, or a configuration does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ..domain.envelope import Envelope
from ..domain.observation import Observation
from ..domain.outcome import Outcome
from ..domain.run import Run
from ..errors import InvalidError
from .values import attributes, inside, link, maybe_inside, maybe_text, said, text, when, word

_TYPE = re.compile(
    r"dev\.cdevents\.(?P<what>testcaserun|testsuiterun)\.(?P<event>queued|started|finished|skipped)\.[\w.-]+"
)
_UNFIT = re.compile(r"[^\w.-]+")
_TAKEN = frozenset({"item", "type", "arch", "scenario"})


@dataclass(frozen=True, kw_only=True)
class CDEventsOptions:
    """How results are called.

    prefix     of their testcases
    item_key   member of customData that names what was tested
    item_type  its type, where customData has no `type`
    """

    prefix: str = "cdevents"
    item_key: str = "item"
    item_type: str = "plain"


class CDEvents:
    """Reads testcaserun and testsuiterun events: one result of one run."""

    name: ClassVar[str] = "cdevents"
    version: ClassVar[int] = 1
    options: ClassVar[type[CDEventsOptions]] = CDEventsOptions
    outcomes: ClassVar[dict[str, str]] = {
        "success": Outcome.PASSED,
        "pass": Outcome.PASSED,
        "failure": Outcome.FAILED,
        "fail": Outcome.FAILED,
        "cancel": Outcome.ERROR,
        "error": Outcome.ERROR,
        "queued": Outcome.QUEUED,
        "started": Outcome.RUNNING,
        "skipped": Outcome.INFO,
    }

    def recognises(self, envelope: Envelope) -> bool:
        """Say whether it is an event of a test run."""
        body = envelope.body
        return isinstance(body, Mapping) and "subject" in body and _found(body) is not None

    def read(self, options: CDEventsOptions, envelope: Envelope) -> Iterator[Observation]:
        """Yield the one result."""
        body = envelope.body
        found = _found(body)
        if found is None:
            raise InvalidError("context.type is that of no test run")
        context, subject = inside(body, "context"), inside(body, "subject")
        content = inside(subject, "content")
        custom = maybe_inside(body, "customData")
        about = inside(content, "testCase" if found["what"] == "testcaserun" else "testSuite")
        where = maybe_inside(content, "environment")
        item = maybe_text(custom, options.item_key)
        if item is None:
            raise InvalidError(
                "no event of CDEvents says what was tested: let its producer put it into "
                f"customData.{options.item_key}"
            )
        source = text(context, "source")
        name = _UNFIT.sub("_", maybe_text(about, "name") or text(about, "id")).strip("_.")
        ended = found["event"] == "finished"
        uri = link(about, "uri")
        kept = {key: value for key, value in custom.items() if key not in _TAKEN | {options.item_key}}
        yield Observation(
            key=f"{found['what']} {text(subject, 'id')}",
            testcase=f"{options.prefix}.{name}",
            outcome=word(content, "outcome") if ended else found["event"],
            item=item,
            item_type=maybe_text(custom, "type") or options.item_type,
            time=when(context, "timestamp") or envelope.time,
            ref_url=link(custom, "ref_url"),
            note=maybe_text(content, "reason"),
            scenario=maybe_text(custom, "scenario") or maybe_text(where, "id"),
            arch=maybe_text(custom, "arch"),
            data=attributes({key: value for key, value in kept.items() if key != "ref_url"})
            | said(severity=content.get("severity"), testcase_url=uri, testcase_id=about.get("id")),
            run=Run(key=f"{source} {maybe_text(context, 'chainId') or text(subject, 'id')}"),
        )


def _found(body: Any) -> re.Match[str] | None:
    context = body.get("context") if isinstance(body, Mapping) else None
    kind = context.get("type") if isinstance(context, Mapping) else None
    return _TYPE.fullmatch(kind) if isinstance(kind, str) else None
