"""CI messages, versions 0.1 to 1.x: one test of one artifact. See docs/messages.md."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import ClassVar

from ..domain.envelope import Envelope
from ..domain.observation import Observation
from ..domain.outcome import Outcome
from ..domain.run import Run
from ..errors import InvalidError
from .artifacts import artifact
from .ci_view import ci_message, is_ci_message, tells_no_test
from .values import Data, link, maybe_text, said


@dataclass(frozen=True, kw_only=True)
class CiOptions:
    """Who may say what.

    private  patterns of testcases, each with the one publisher who may tell of them; the publisher is
             who the broker says it is
    """

    private: tuple[tuple[str, str], ...] = (("prodsec.*", "msg-producer-prodsec"),)


class CiMessages:
    """Reads what CI systems announce of a test: queued, running, complete or in error."""

    name: ClassVar[str] = "ci_messages"
    version: ClassVar[int] = 1
    options: ClassVar[type[CiOptions]] = CiOptions
    outcomes: ClassVar[dict[str, str]] = {
        "pass": Outcome.PASSED,
        "fail": Outcome.FAILED,
        "failure": Outcome.FAILED,
        "not_applicable": Outcome.INFO,
    }

    def recognises(self, envelope: Envelope) -> bool:
        """Say whether run, artifact and contact are there."""
        return is_ci_message(envelope.body)

    def read(self, options: CiOptions, envelope: Envelope) -> Iterator[Observation]:
        """Yield the one result; nothing for a message about a build or a promotion."""
        if not is_ci_message(envelope.body):
            raise InvalidError("no CI message: run, artifact or contact are missing")
        if tells_no_test(envelope):
            return
        message = ci_message(envelope)
        publisher = envelope.headers.get("JMSXUserID")
        _check_private(options, message.testcase, publisher)
        about = artifact(message)
        url = link(message.run, "url")
        scenario = maybe_text(message.test, "scenario")
        arch = maybe_text(message.system, "architecture")
        data: Data = (
            about.data | message.contact | said(recipients=message.recipients, publisher_id=publisher)
        )
        if about.beside:
            data["item"] = (about.item, *about.beside)
        docs = message.test.get("docs")
        if isinstance(docs, str) and docs.startswith(("http://", "https://")):
            data["testcase_url"] = docs
        if message.word == Outcome.ERROR:
            data |= said(error_reason=message.reason, issue_url=message.issue_url)
        yield Observation(
            key=" ".join(filter(None, (message.testcase, about.item, scenario, arch))),
            testcase=message.testcase,
            outcome=message.word,
            item=about.item,
            item_type=about.type,
            time=message.time,
            ref_url=url,
            note=maybe_text(message.test, "note"),
            scenario=scenario,
            arch=arch,
            data=data,
            run=Run(key=message.chain, ref_url=url),
        )


def _check_private(options: CiOptions, testcase: str, publisher: str | None) -> None:
    for pattern, owner in options.private:
        if fnmatchcase(testcase, pattern) and publisher != owner:
            raise InvalidError(
                f"{testcase} is told of by {owner} alone, not by {publisher or 'nobody named'}"
            )
