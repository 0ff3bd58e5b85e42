"""openQA's own messages: a job was made, or is done. See docs/messages.md."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from ..domain.envelope import Envelope
from ..domain.observation import Observation
from ..domain.outcome import Outcome
from ..domain.run import Run
from ..errors import InvalidError
from .values import maybe_text, said, text

_TOPIC = re.compile(r"(?P<place>(?:.*\.)?)openqa\.job\.(?P<event>create|done|cancel|restart|duplicate)")
_SITES = {
    "org.fedoraproject.prod.": "https://openqa.fedoraproject.org",
    "org.fedoraproject.stg.": "https://openqa.stg.fedoraproject.org",
    "opensuse.": "https://openqa.opensuse.org",
}
_UPDATE = "Update-"


@dataclass(frozen=True, kw_only=True)
class OpenQAOptions:
    """How results are called.

    prefix  of their testcases: "openqa.install_default"
    site    address of the web pages; None = Fedora's and openSUSE's by the topic
    """

    prefix: str = "openqa"
    site: str | None = None


class OpenQAMessages:
    """Reads what openQA says of a job; that it was done again makes a new job, which tells of itself."""

    name: ClassVar[str] = "openqa"
    version: ClassVar[int] = 1
    options: ClassVar[type[OpenQAOptions]] = OpenQAOptions
    outcomes: ClassVar[dict[str, str]] = {
        "passed": Outcome.PASSED,
        "softfailed": Outcome.INFO,
        "failed": Outcome.FAILED,
        "skipped": Outcome.FAILED,
        "parallel_failed": Outcome.FAILED,
        "incomplete": Outcome.ERROR,
        "timeout_exceeded": Outcome.ERROR,
        "obsoleted": Outcome.NEEDS_INSPECTION,
        "parallel_restarted": Outcome.NEEDS_INSPECTION,
        "user_cancelled": Outcome.NEEDS_INSPECTION,
        "user_restarted": Outcome.NEEDS_INSPECTION,
        "none": Outcome.NEEDS_INSPECTION,
    }

    def recognises(self, envelope: Envelope) -> bool:
        """Say whether the topic is one of openQA's jobs."""
        return _TOPIC.fullmatch(envelope.topic) is not None and isinstance(envelope.body, Mapping)

    def read(self, options: OpenQAOptions, envelope: Envelope) -> Iterator[Observation]:
        """Yield the result of a job that was made, done or cancelled."""
        found, body = _TOPIC.fullmatch(envelope.topic), envelope.body
        if found is None or not isinstance(body, Mapping):
            raise InvalidError(f"no object under a topic of openQA: {envelope.topic}")
        if found["event"] in ("restart", "duplicate"):
            return
        job = text(body, "id")
        build = text(body, "BUILD")
        site = options.site or _SITES.get(found["place"])
        url = None if site is None else f"{site.rstrip('/')}/tests/{job}"
        machine, flavour = maybe_text(body, "MACHINE"), maybe_text(body, "FLAVOR")
        update = build.startswith(_UPDATE)
        yield Observation(
            key="job",
            testcase=f"{options.prefix}.{text(body, 'TEST')}",
            outcome=_word(found["event"], maybe_text(body, "result")),
            item=build.removeprefix(_UPDATE),
            item_type="bodhi_update" if update else "compose",
            time=envelope.time,
            ref_url=url,
            note=maybe_text(body, "reason"),
            scenario=".".join(filter(None, (flavour, machine))) or None,
            arch=maybe_text(body, "ARCH"),
            data=said(
                source="openqa",
                job_id=job,
                flavor=flavour,
                machine=machine,
                iso=body.get("ISO"),
                hdd_1=body.get("HDD_1"),
                failedmodules=body.get("failedmodules"),
                bugurl=body.get("bugurl"),
            ),
            run=Run(key=f"{found['place']}{job}", ref_url=url),
        )


def _word(event: str, result: str | None) -> str:
    if event == "create":
        return Outcome.QUEUED
    return (result or ("user_cancelled" if event == "cancel" else "none")).lower()
