"""The pipelines of CentOS CI for Fedora: one stage of one run. See docs/messages.md."""

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
from .values import flag, link, maybe_text, said, text, word

_TOPIC = re.compile(
    r"(?P<stage>(?:.*\.)?(?:ci\.pipeline|allpackages\.pipeline)(?:\.[\w-]+)*?)"
    r"\.(?P<state>queued|running|complete|ignored)"
)
_NOTHING = frozenset({"", "null", "''", "none", "N/A"})
_PULL_REQUEST = re.compile(r"PR-(?P<number>\d+)")


@dataclass(frozen=True, kw_only=True)
class PipelineOptions:
    """How the dist-git of the builds is called in items that are commits: "rpms" of "rpms/vim@591b0d2"."""

    namespace: str = "rpms"


class PipelineMessages:
    """Reads what the pipelines announce: a stage is a testcase, named as its topic at the end."""

    name: ClassVar[str] = "centos_pipeline"
    version: ClassVar[int] = 1
    options: ClassVar[type[PipelineOptions]] = PipelineOptions
    outcomes: ClassVar[dict[str, str]] = {
        "success": Outcome.PASSED,
        "unstable": Outcome.NEEDS_INSPECTION,
        "failure": Outcome.FAILED,
        "failed": Outcome.FAILED,
        "aborted": Outcome.ERROR,
    }

    def recognises(self, envelope: Envelope) -> bool:
        """Say whether the topic is one of a pipeline's stages."""
        return _TOPIC.fullmatch(envelope.topic) is not None and isinstance(envelope.body, Mapping)

    def read(self, options: PipelineOptions, envelope: Envelope) -> Iterator[Observation]:
        """Yield the one result; nothing for a stage that was passed over."""
        found, body = _TOPIC.fullmatch(envelope.topic), envelope.body
        if found is None or not isinstance(body, Mapping):
            raise InvalidError(f"no object under a topic of a pipeline: {envelope.topic}")
        if found["state"] == "ignored":
            return
        item, kind = _item(options, body)
        url = link(body, "build_url")
        arch = _told(body, "ref")
        testcase = f"{found['stage']}.complete"
        yield Observation(
            key=testcase,
            testcase=testcase,
            outcome=word(body, "status") if found["state"] == "complete" else found["state"].upper(),
            item=item,
            item_type=kind,
            time=envelope.time,
            ref_url=url,
            arch=arch if arch and "/" not in arch else None,
            data=said(
                original_spec_nvr=_told(body, "original_spec_nvr"),
                repo=_told(body, "repo"),
                branch=_told(body, "branch"),
                rev=_told(body, "rev"),
                ref=arch,
                scratch=flag(body.get("scratch")),
                username=_told(body, "username"),
                image_name=_told(body, "image_name"),
                image_url=_told(body, "image_url"),
                build_id=_told(body, "build_id"),
            ),
            run=Run(key=url or f"{found['stage']} {text(body, 'build_id')}", ref_url=url),
        )


def _item(options: PipelineOptions, body: Mapping[str, Any]) -> tuple[str, str]:
    """Return what a stage is about: a build once there is one, before that what it will be built of."""
    if nvr := _told(body, "nvr") or _told(body, "original_spec_nvr"):
        return nvr, "koji_build_scratch" if flag(body.get("scratch")) else "koji_build"
    if image := _told(body, "image_name"):
        return image, "compose"
    rev = _told(body, "rev")
    if rev is None:
        raise InvalidError("neither nvr, image_name nor rev say what was tested")
    if rev.startswith("kojitask-"):
        return rev, "koji_task"
    repository = f"{_told(body, 'namespace') or options.namespace}/{text(body, 'repo')}"
    if pull := _PULL_REQUEST.fullmatch(rev):
        return f"{repository}#{pull['number']}", "dist-git-pr"
    return f"{repository}@{rev}", "dist-git-commit"


def _told(body: Mapping[str, Any], name: str) -> str | None:
    """Return a text that says something: "null" and two apostrophes say nothing."""
    value = maybe_text(body, name)
    return None if value is None or value in _NOTHING else value
