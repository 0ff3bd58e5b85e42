"""A CI message as one shape, whatever version of the specification it follows.

0.1   flat: `ci`, `namespace`, `type`, `category`, `status`, `reason`, `recipients` at the top
0.2   nested: `test`, `error`, `notification`, and `ci` or, from 0.2.1 on, `contact`
1.x   as 0.2.1; Fedora CI emits 1.1. A later major version is read by its shape.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..domain.envelope import Envelope
from ..errors import InvalidError
from .values import Data, inside, maybe_inside, maybe_text, said, text, when, word

_ENDS = {"error": "ERROR", "queued": "QUEUED", "running": "RUNNING"}
_STATE = re.compile(r"(?:.*\.)?(?P<event>[\w-]+)\.(?P<state>queued|running|complete|error)")
_PARTS_WITH_NAMESPACE = 6
_UMB = "VirtualTopic.eng.ci."
_NOT_SAID = "not available"


@dataclass(frozen=True, slots=True, kw_only=True)
class CiMessage:
    """What a CI message says of one test.

    word       its outcome: the state of its topic, or what the test says ("passed")
    reason     why there is no verdict, where `word` is "ERROR"
    contact    who answers for it, as attributes: ci_name, ci_team, ci_email, ci_url, ci_irc
    test       what else it says of the test: namespace, type, category, docs, note, scenario, xunit
    """

    testcase: str
    word: str
    time: datetime | None
    artifact: Mapping[str, Any]
    run: Mapping[str, Any]
    system: Mapping[str, Any]
    pipeline: Mapping[str, Any]
    test: Mapping[str, Any]
    contact: Data
    recipients: Any
    reason: str | None
    issue_url: str | None
    chain: str

    @property
    def category(self) -> str:
        """What kind of test it is: functional, validation, static-analysis, …"""
        return text(self.test, "category")


def is_ci_message(body: Any) -> bool:
    """Say whether a body has the members that every CI message has."""
    return (
        isinstance(body, dict | Mapping)
        and "run" in body
        and "artifact" in body
        and ("contact" in body or "ci" in body)
    )


def tells_no_test(envelope: Envelope) -> bool:
    """Say whether it is about something else: a build, a promotion, the dispatch of a pipeline."""
    found = _STATE.fullmatch(envelope.topic)
    return found is not None and found["event"] != "test" and "test" not in envelope.body


def ci_message(envelope: Envelope) -> CiMessage:
    """Take a CI message apart. Raises InvalidError that names what is missing or wrong."""
    body = envelope.body
    if _is_flat(body):
        test, reason, note_to = body, maybe_text(body, "reason"), body.get("recipients")
        result, issue = "status", maybe_text(body, "issue_url")
    else:
        test = inside(body, "test")
        error = maybe_inside(body, "error")
        reason, issue = maybe_text(error, "reason"), maybe_text(error, "issue_url")
        result, note_to = "result", maybe_inside(body, "notification").get("recipients")
    found = _STATE.fullmatch(envelope.topic)
    ended = _ENDS.get(found["state"]) if found else None
    name = ".".join(word(test, part) for part in ("namespace", "type", "category"))
    _check_namespace(envelope.topic, name)
    if ended == "ERROR" and reason is None:
        raise InvalidError("an error without a reason: error.reason is missing")
    run = inside(body, "run")
    pipeline = maybe_inside(body, "pipeline")
    return CiMessage(
        testcase=name,
        word=ended or word(test, result).upper(),
        time=when(body, "generated_at") or envelope.time,
        artifact=inside(body, "artifact"),
        run=run,
        system=_system(body.get("system")),
        pipeline=pipeline,
        test=test,
        contact=_contact(inside(body, "contact" if "contact" in body else "ci"), _version(body)),
        recipients=note_to,
        reason=reason,
        issue_url=issue,
        chain=maybe_text(pipeline, "id") or maybe_text(body, "thread_id") or text(run, "url"),
    )


def _version(body: Mapping[str, Any]) -> tuple[int, int] | None:
    """Return the version of the specification: (1, 1) of "1.1.14"; None where none is said."""
    said = body.get("version")
    found = re.match(r"(\d{1,4})\.(\d{1,4})", said) if isinstance(said, str) else None
    return (int(found[1]), int(found[2])) if found else None


def _is_flat(body: Mapping[str, Any]) -> bool:
    """Say whether it is of version 0.1; one that does not say its version is judged by its shape."""
    version = _version(body)
    return "test" not in body if version is None else version < (0, 2)


def _check_namespace(topic: str, testcase: str) -> None:
    """Hold a testcase to the namespace that its topic names, where it names one."""
    parts = topic.split(".")
    if topic.startswith(_UMB) and len(parts) == _PARTS_WITH_NAMESPACE + 1:
        namespace = parts[3]
        if testcase.partition(".")[0] != namespace:
            raise InvalidError(f"testcase {testcase} is not of the namespace of its topic: {namespace}")


def _system(value: Any) -> Mapping[str, Any]:
    """Return the first system; messages have one, a list of them, an empty list, or none."""
    if isinstance(value, list):
        value = value[0] if value else {}
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InvalidError("system is neither an object nor a list of them")
    return value


def _contact(contact: Mapping[str, Any], version: tuple[int, int] | None) -> Data:
    """Return who answers for a test; messages of 1.x say where its documentation is."""
    docs = contact.get("docs") if version is not None and version >= (1, 0) else None
    return said(
        ci_name=text(contact, "name"),
        ci_team=text(contact, "team"),
        ci_url=maybe_text(contact, "url") or _NOT_SAID,
        ci_irc=maybe_text(contact, "irc") or _NOT_SAID,
        ci_email=text(contact, "email"),
        ci_docs=docs,
    )
