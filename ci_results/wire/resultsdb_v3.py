"""What clients post to ResultsDB's typed API, version 3. Obeys COMPAT 1.10.

One table a kind of artifact says how its body is read; its JSON schema and the reference page are
made of the same tables.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ..domain.submission import Submission
from .resultsdb_v3_tables import ARTIFACTS, Artifact, Parameter, parameters
from .validation import Field, RefusedBody, Wrong, check, problem, rule

_APART = frozenset({"testcase", "testcase_ref_url", "outcome", "ref_url", "note", "scratch"})
_ONLY_ERROR = "error_reason and issue_url can be only set for ERROR outcome"
UNAUTHORISED = (
    "401 Unauthorized: The server could not verify that you are authorized to access the URL requested. You"
    " either supplied the wrong credentials (e.g. a bad password), or your browser doesn't understand how"
    " to supply the credentials required."
)
FORBIDDEN = "403 Forbidden: "
_DRAFT = "https://json-schema.org/draft/2020-12/schema"


class Form:
    """How bodies about one kind of artifact are read, in an installation with these outcomes."""

    def __init__(self, artifact: Artifact, outcomes: Collection[str]) -> None:
        self.artifact = artifact
        self.parameters: Mapping[str, Parameter] = parameters(artifact, outcomes)
        self._fields = {name: Field(each.read, each.required) for name, each in self.parameters.items()}

    def submission(self, body: Any, username: str) -> Submission:
        """Read a body that `username` posts. Raises RefusedBody."""
        if not isinstance(body, dict):
            raise RefusedBody([problem(self._no_model(), (), body)])
        found = check(body, self._fields)
        if found["outcome"] != "ERROR" and (found.get("error_reason") or found.get("issue_url")):
            raise RefusedBody([problem(rule(_ONLY_ERROR), (), body)])
        described = found.get("testcase_ref_url")
        return Submission(
            outcome=found["outcome"],
            testcase=found["testcase"],
            ref_urls={} if described is None else {found["testcase"]: described},
            note=found.get("note"),
            ref_url=found.get("ref_url"),
            data=self._data(found, username),
        )

    def schema(self) -> dict[str, Any]:
        """Return the JSON schema of a body."""
        return {
            "$schema": _DRAFT,
            "title": self.artifact.model,
            "description": self.artifact.about,
            "type": "object",
            "properties": {name: _property(name, each) for name, each in self.parameters.items()},
            "required": [name for name, each in self.parameters.items() if each.required],
        }

    def example(self) -> dict[str, Any]:
        """Return a body that is accepted: what must be there, and what the examples name."""
        return {name: each.example for name, each in self.parameters.items() if each.example is not None}

    def _data(self, found: Mapping[str, Any], username: str) -> dict[str, tuple[str, ...]]:
        kind = self.artifact.type + ("_scratch" if found.get("scratch") else "")
        data: dict[str, tuple[str, ...]] = {"username": (username,), "type": (kind,)}
        for name, value in found.items():
            if name in _APART:
                continue
            if name == "id" and self.artifact.is_compose:
                data["item"] = _compose_items(found)
            elif values := _texts(value):
                data[name] = values
        return data

    def _no_model(self) -> Wrong:
        wanted = f"Input should be a valid dictionary or instance of {self.artifact.model}"
        return Wrong("model_type", wanted)


def forms(outcomes: Collection[str]) -> dict[str, Form]:
    """Return the forms by the name that stands in their addresses: "brew-builds"."""
    return {artifact.path: Form(artifact, outcomes) for artifact in ARTIFACTS}


def _compose_items(found: Mapping[str, Any]) -> tuple[str, str]:
    """Name a compose twice: with what of it was tested, and whole."""
    variant, arch = found.get("system_variant") or "unknown", found.get("system_architecture") or ""
    return f"{found['id']}/{variant}/{arch}", found["id"]


def _texts(value: Any) -> tuple[str, ...]:
    """Return attribute values as the peer stores them, null too.

    >>> _texts(None), _texts(True), _texts([])
    (('None',), ('True',), ())
    """
    return tuple(map(str, value)) if isinstance(value, list) else (str(value),)


def _property(name: str, of: Parameter) -> dict[str, Any]:
    told: dict[str, Any] = {"title": name.replace("_", " ").title(), "description": of.about}
    if of.required:
        return {**told, **of.schema}
    return {**told, "anyOf": [dict(of.schema), {"type": "null"}], "default": of.default}
