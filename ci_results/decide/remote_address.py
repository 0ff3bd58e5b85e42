"""Where the remote rule file of a subject may lie: from templates and what Koji says of its source.

Obeys COMPAT 3.5. Fetching is somebody else's; this only says what to ask for.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from ..domain.asked import RemoteFileOf
from ..errors import shown
from .policy_set import Settings

_PLACES = re.compile(r"\{\w+\}")
_SAFE = "+:~^=@,"
_NEEDS_SOURCE = ("{rev}", "{pkg_name}", "{pkg_namespace}")


class Source(NamedTuple):
    """Where a build was made from: Source("abc123", "bash", "rpms/")."""

    rev: str
    name: str
    namespace: str


def templates(asked: RemoteFileOf, settings: Settings) -> tuple[str, ...]:
    """Return the templates of addresses to try, in order; () where none is configured."""
    by_type = settings.remote_rule_policies
    return (
        asked.templates
        or by_type.get(asked.subject.type, ())
        or by_type.get("*", ())
        or ((settings.dist_git_url_template,) if settings.dist_git_url_template else ())
    )


def needs_source(template: str) -> bool:
    """Say whether a template cannot be filled in without the build's source."""
    return any(name in template for name in _NEEDS_SOURCE)


def address(template: str, identifier: str, source: Source | None = None) -> str | None:
    """Fill in a template; None where it needs a source and the build has none.

    A name stays one part of the path, whatever it holds: who names a build must not choose the file
    that says what it needs. Raises ValueError for one that is no part of a path.

    >>> address("https://src/{pkg_namespace}{pkg_name}/raw/{rev}/gating.yaml", "bash-5-1",
    ...         Source("abc", "bash", "rpms/"))
    'https://src/rpms/bash/raw/abc/gating.yaml'
    >>> address("https://files/{subject_id}.yaml", "sha256:12ab")
    'https://files/12ab.yaml'
    """
    if source is None and needs_source(template):
        return None
    given = {"{subject_id}": identifier.removeprefix("sha256:")}
    if source is not None:
        given |= {"{rev}": source.rev, "{pkg_name}": source.name, "{pkg_namespace}": source.namespace}
    return _PLACES.sub(lambda found: _part(given[found[0]]) if found[0] in given else found[0], template)


def _part(value: str) -> str:
    namespace = value.removesuffix("/")
    if namespace in (".", "..") or not value.isprintable():
        raise ValueError(f"{shown(value)} is no part of the address of a remote rule file")
    return quote(namespace, safe=_SAFE) + value[len(namespace) :]


def source_of(url: str, nvr: str, koji: str) -> Source:
    """Take the address of a build's source apart. Raises ValueError with the peer's words.

    nvr, koji  the build and the Koji that told it, for the message

    >>> source_of("git+https://host/rpms/bash.git#abc", "bash-5-1", "https://koji")
    Source(rev='abc', name='bash', namespace='rpms/')
    """
    parts = urlsplit(url)
    if not parts.fragment:
        raise ValueError(
            f'Failed to parse SCM URL "{url}" from Koji build "{nvr}" at "{koji}" '
            "(missing URL fragment with SCM revision information)"
        )
    *above, name = parts.path.strip("/").split("/")
    name = name.removesuffix(".git")
    namespace = f"{above[-1]}/" if above else ""
    if namespace == "containers/":
        name = name.removesuffix("-container")
    return Source(parts.fragment, name, namespace)


def build_not_found(asked: RemoteFileOf) -> str:
    """Return what the peer says where Koji has no such build."""
    kind, identifier = asked.subject
    return f"Koji build not found for subject_type '{kind}', subject_identifier '{identifier}'"
