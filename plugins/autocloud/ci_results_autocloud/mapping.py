"""One message of Autocloud becomes one observation. Pure.

autocloud.image.{queued,running,success,failed,aborted}   the job of one image
autocloud.compose.{queued,running,complete}               all images of a compose

Bodies of 2015 lack compose_id, and those of jobs that had not begun lack job_id; they are read too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ci_results import Envelope, Garbled, InvalidError, Messages, Observation

_TOPIC = re.compile(r"(?:.*\.)?autocloud\.(?P<what>image|compose)\.(?P<state>[\w-]+)")
_SITES = {
    "prod": "https://apps.fedoraproject.org/autocloud",
    "stg": "https://apps.stg.fedoraproject.org/autocloud",
}
_ARCHES = "x86_64|i386|i686|aarch64|armhfp|armv7hl|ppc64le|ppc64|s390x"
_IN_NAME = re.compile(rf"[.-](?P<arch>{_ARCHES})\.(?P<flavour>.+)")
_IN_PATH = re.compile(rf"/(?P<arch>{_ARCHES})/")
_KEPT = ("family", "image_name", "release", "type", "buildid", "date")


@dataclass(frozen=True, kw_only=True)
class MessageOptions:
    """How results are called.

    testcase          of the job of an image; what the peer's reporter wrote: "compose.cloud.all"
    compose_testcase  of a whole compose
    site              address of the web pages; None = those of Fedora, by the topic
    """

    testcase: str = "compose.autocloud"
    compose_testcase: str = "autocloud.compose"
    site: str | None = None


class AutocloudMessages(Messages[MessageOptions]):
    """Reads what Autocloud sent: one observation a message."""

    name = "autocloud"
    version = 1
    options = MessageOptions
    outcomes: ClassVar[dict[str, str]] = {
        "queued": "QUEUED",
        "running": "RUNNING",
        "success": "PASSED",
        "failed": "FAILED",
        "aborted": "ERROR",
        "nothing tested": "NEEDS_INSPECTION",
    }

    def recognises(self, envelope: Envelope) -> bool:
        """Say whether the topic is one of Autocloud's."""
        return _TOPIC.fullmatch(envelope.topic) is not None

    def read(self, options: MessageOptions, envelope: Envelope) -> Iterator[Observation | Garbled]:
        """Yield the one observation; see Messages."""
        topic, body = _TOPIC.fullmatch(envelope.topic), envelope.body
        if topic is None or not isinstance(body, dict):
            raise InvalidError(f"no object under a topic of Autocloud: {envelope.topic}")
        read = _image if topic["what"] == "image" else _compose
        yield read(options, envelope, topic["state"], body)


def _image(options: MessageOptions, envelope: Envelope, state: str, body: Mapping[str, Any]) -> Observation:
    """Read the job of one image: the item is its file name, the scenario its architecture and kind."""
    status = _agreed(_text(body, "status"), state)
    url = _text(body, "compose_url" if "compose_url" in body else "image_url")
    file = url.rstrip("/").rpartition("/")[2]
    named = _IN_NAME.search(file)
    found = named or _IN_PATH.search(url)
    arch = found["arch"] if found else None
    flavour = _optional(body, "type") or (named["flavour"].removesuffix(".box") if named else None)
    job = _number(body, "job_id") if "job_id" in body else None
    place = _place(envelope.topic)
    site = options.site or _SITES.get(place)
    data = {"image_url": url, "job_id": job, "productmd.compose.id": _optional(body, "compose_id")}
    return Observation(
        key=f"{place}/image/{file}" if job is None else f"{place}/job/{job}",
        testcase=options.testcase,
        outcome=status,
        item=file,
        item_type="compose",
        time=envelope.time,
        ref_url=None if job is None or site is None else f"{site.rstrip('/')}/jobs/{job}/output",
        scenario=".".join(filter(None, (arch, flavour))) or None,
        arch=arch,
        data=_said(body, data),
    )


def _compose(options: MessageOptions, envelope: Envelope, state: str, body: Mapping[str, Any]) -> Observation:
    """Read what became of a compose: it passed where some image did and none failed."""
    status = _agreed(_text(body, "status"), "completed" if state.lower() == "complete" else state)
    compose = _text(body, "id" if "id" in body else "compose_id")
    job = _number(body, "compose_job_id") if "compose_job_id" in body else compose
    counts, note = {}, None
    if status == "completed":
        results = body["results"]
        passed, failed = int(_number(results, "success")), int(_number(results, "failed"))
        status = "failed" if failed else "success" if passed else "nothing tested"
        counts = {"executed": str(passed + failed), "passed": str(passed), "failed": str(failed)}
        note = f"{passed + failed} images tested, {failed} failed"
    place = _place(envelope.topic)
    site = options.site or _SITES.get(place)
    linked = site is not None and job != compose
    return Observation(
        key=f"{place}/compose/{job}",
        testcase=options.compose_testcase,
        outcome=status,
        item=compose,
        item_type="compose",
        time=envelope.time,
        ref_url=f"{site.rstrip('/')}/jobs/{job}" if site is not None and linked else None,
        note=note,
        data=_said(body, {"productmd.compose.id": compose, **counts}),
    )


def _agreed(status: str, state: str) -> str:
    """Return what topic and body both say. Raises InvalidError where they do not: neither is believed."""
    if status.lower() != state.lower():
        raise InvalidError(f"the topic says {state}, the body {status}")
    return status


def _place(topic: str) -> str:
    """Return which Autocloud it was: "prod" of "org.fedoraproject.prod.autocloud.image.success"."""
    return topic[: topic.rindex("autocloud.")].rstrip(".").rpartition(".")[2] or "autocloud"


def _said(body: Mapping[str, Any], known: Mapping[str, str | None]) -> dict[str, str]:
    """Return the attributes: what is known, and what else the body says in a text."""
    data = {name: value for name, value in known.items() if value}
    return data | {name: value for name in _KEPT if isinstance(value := body.get(name), str) and value}


def _text(body: Mapping[str, Any], name: str) -> str:
    """Return the text `name`. Raises InvalidError where there is none."""
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise InvalidError(f"{name} is missing or no text: {value!r:.60}")
    return value


def _optional(body: Mapping[str, Any], name: str) -> str | None:
    """Return the text `name`, None where the body has nothing there. Raises InvalidError for no text."""
    return None if body.get(name) is None else _text(body, name)


def _number(body: Any, name: str) -> str:
    """Return the count or id `name` in digits. Raises InvalidError where it is none."""
    value = body.get(name) if isinstance(body, Mapping) else None
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value.isascii() or not value.isdigit():
        raise InvalidError(f"{name} is missing or no number: {value!r:.60}")
    return value
