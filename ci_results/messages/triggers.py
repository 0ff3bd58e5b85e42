"""Messages that let expect results: a build is done, an update or a compose is there, something was pushed.

Koji, Brew, Bodhi, Pungi and the dist-git of Fedora. What is expected, policies and the configuration say.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..domain.envelope import Envelope
from ..domain.expectation import MAX_NAME, Event
from ..domain.subject import Subject
from ..errors import InvalidError

MAPPING = "triggers@1"
COMPLETE = 1
"""The state of a build in Koji."""

Told = tuple[str, str, Subject, str | None]
"""Who tells it, what happened, to whom, and who answers for that."""


def events_of(envelope: Envelope) -> list[Event]:
    """Return what happened by a message, [] for one that tells nothing of the kind.

    Their ids come from the message, so that one that comes by two buses is one. Raises InvalidError.
    """
    read = next((read for end, read in _BY_TOPIC.items() if envelope.topic.endswith(end)), None)
    if read is None or not isinstance(envelope.body, dict):
        return []
    try:
        told = list(read(envelope.body))
    except (KeyError, TypeError, AttributeError) as err:
        raise InvalidError(f"{envelope.topic}: {type(err).__name__}: {err}") from err
    return [
        Event(source=who, key=_key(envelope, n), kind=kind, subject=subject, time=envelope.time, owner=owner)
        for n, (who, kind, subject, owner) in enumerate(told)
    ]


def _koji(body: Mapping[str, Any]) -> Iterator[Told]:
    if body["new"] == COMPLETE:
        name = "-".join(str(body[part]) for part in ("name", "version", "release"))
        yield "koji", "build.complete", Subject("koji_build", name), _maybe(body.get("owner"))


def _brew(body: Mapping[str, Any]) -> Iterator[Told]:
    info = body.get("info") or body.get("build") or body
    name = info.get("nvr") or "-".join(str(info[part]) for part in ("name", "version", "release"))
    owner = _maybe(info.get("owner_name") or info.get("owner"))
    yield "brew", "build.complete", Subject("brew-build", str(name)), owner


def _bodhi_group(body: Mapping[str, Any]) -> Iterator[Told]:
    update = body.get("update") or {}
    owner = _maybe(body.get("agent"))
    if alias := update.get("alias"):
        yield "bodhi", "update.testing", Subject("bodhi_update", str(alias)), owner
    for build in body["artifact"]["builds"]:
        yield "bodhi", "update.testing", Subject("koji_build", str(build["nvr"])), owner


def _bodhi_request(body: Mapping[str, Any]) -> Iterator[Told]:
    update = body["update"]
    alias = update["alias"] if isinstance(update, Mapping) else update
    yield "bodhi", "update.request", Subject("bodhi_update", str(alias)), _maybe(body.get("agent"))


def _pungi(body: Mapping[str, Any]) -> Iterator[Told]:
    if body["status"] in ("FINISHED", "FINISHED_INCOMPLETE"):
        yield "pungi", "compose.done", Subject("compose", str(body["compose_id"])), None


def _pagure_push(body: Mapping[str, Any]) -> Iterator[Told]:
    repo = body["repo"]
    name = repo.get("fullname") or f"{repo['namespace']}/{repo['name']}"
    subject = Subject("dist-git-commit", f"{name}@{body['end_commit']}")
    yield "dist-git", "dist-git.commit", subject, _maybe(body.get("agent"))


def _git_push(body: Mapping[str, Any]) -> Iterator[Told]:
    commit = body["commit"]
    subject = Subject(
        "dist-git-commit", f"{commit.get('namespace') or 'rpms'}/{commit['repo']}@{commit['rev']}"
    )
    yield "dist-git", "dist-git.commit", subject, _maybe(commit.get("username") or commit.get("agent"))


def _pull_request(body: Mapping[str, Any]) -> Iterator[Told]:
    pull = body["pullrequest"]
    project = pull["project"]
    name = project.get("fullname") or f"{project['namespace']}/{project['name']}"
    owner = (pull.get("user") or {}).get("name")
    yield "dist-git", "dist-git.pull-request", Subject("dist-git-pr", f"{name}#{pull['id']}"), _maybe(owner)


_BY_TOPIC: Mapping[str, Callable[[Mapping[str, Any]], Iterator[Told]]] = {
    "buildsys.build.state.change": _koji,
    "brew.build.complete": _brew,
    "bodhi.update.status.testing.koji-build-group.build.complete": _bodhi_group,
    "bodhi.update.request.testing": _bodhi_request,
    "bodhi.update.request.stable": _bodhi_request,
    "pungi.compose.status.change": _pungi,
    "pagure.git.receive": _pagure_push,
    ".git.receive": _git_push,
    "pagure.pull-request.new": _pull_request,
    "pagure.pull-request.updated": _pull_request,
}


def _key(envelope: Envelope, number: int) -> str:
    key = envelope.key if not number else f"{envelope.key}#{number}"
    return key if len(key) <= MAX_NAME else f"sha256:{hashlib.sha256(key.encode()).hexdigest()}"


def _maybe(value: object) -> str | None:
    return value if isinstance(value, str) and value.strip() else None
