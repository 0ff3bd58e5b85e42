"""The tables of ResultsDB's typed API: each field's reader, JSON schema and words. Obeys COMPAT 1.10.

Field order is the order of problems in an answer and of the attributes that are stored.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from . import schemas
from .addresses import MAX_ADDRESS, email_address, web_address
from .resultsdb_schemas import MAX_NAME
from .validation import Read, boolean, integer, list_of, rule, text, text_of

MAX_TEXT = 8192


class Kind(NamedTuple):
    """One kind of value: its reader, and the same said in JSON schema."""

    read: Read
    schema: Mapping[str, Any]


TEXT = Kind(text_of(0, MAX_TEXT), schemas.text(most=MAX_TEXT))
NAME = Kind(text_of(1, MAX_TEXT), schemas.text(least=1, most=MAX_TEXT))
TESTCASE = Kind(text_of(1, MAX_NAME), schemas.text(least=1, most=MAX_NAME))
TEXTS = Kind(list_of(TEXT.read), {"type": "array", "items": TEXT.schema})
URL = Kind(web_address, {"type": "string", "format": "uri", "maxLength": MAX_ADDRESS})
EMAIL = Kind(email_address, {"type": "string", "format": "email"})
INTEGER = Kind(integer, {"type": "integer"})
BOOLEAN = Kind(boolean, {"type": "boolean"})


@dataclass(frozen=True, slots=True)
class Parameter:
    """One field of a body.

    about    a sentence for people
    example  a value for examples, None = left out there
    """

    kind: Kind
    about: str
    required: bool = False
    example: Any = None
    default: Any = None

    @property
    def read(self) -> Read:
        """Its reader."""
        return self.kind.read

    @property
    def schema(self) -> Mapping[str, Any]:
        """Its JSON schema, where it is not null."""
        return self.kind.schema


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """A kind of artifact that results are about.

    path   what stands in addresses: "brew-builds"
    type   what results of it say as their `type`: "brew-build"
    model  what errors and schemas call its body
    own    the fields beside those that all kinds have
    """

    path: str
    type: str
    model: str
    about: str
    own: Mapping[str, Parameter] = field(default_factory=dict)
    is_compose: bool = False


def parameters(artifact: Artifact, outcomes: Collection[str]) -> dict[str, Parameter]:
    """Return all fields of an artifact's body, in order; `outcomes` are the words of this installation."""
    return {"outcome": _outcome(outcomes), **_COMMON, **artifact.own}


def _outcome(outcomes: Collection[str]) -> Parameter:
    words = tuple(outcomes)

    def read(value: Any) -> str:
        word = text(value)
        if word not in words:
            raise rule(f"must be one of: {', '.join(words)}")
        return word

    kind = Kind(read, {"type": "string", "enum": list(words)})
    return Parameter(kind, "How the test ended, in upper case.", required=True, example=words[0])


_COMMON = {
    "testcase": Parameter(
        TESTCASE, "Full name of the testcase.", required=True, example="baseos-ci.brew-build.tier1.functional"
    ),
    "testcase_ref_url": Parameter(URL, "Where the testcase is described."),
    "note": Parameter(TEXT, "Anything a reader should know."),
    "ref_url": Parameter(
        URL, "Where to look at this result: the run's page.", example="https://ci.example.com/run/42"
    ),
    "error_reason": Parameter(TEXT, "Why the test could not run. Only with outcome ERROR."),
    "issue_url": Parameter(URL, "The known issue behind the error. Only with outcome ERROR."),
    "system_provider": Parameter(TEXT, "What provided the system that the test ran on, e.g. openstack."),
    "system_architecture": Parameter(TEXT, "Architecture of that system.", example="x86_64"),
    "system_variant": Parameter(TEXT, "Variant of the product on that system, e.g. Server."),
    "scenario": Parameter(TEXT, "Tells apart results of the same testcase and item, e.g. uefi."),
    "ci_name": Parameter(TEXT, "Name of the CI system.", required=True, example="BaseOS CI"),
    "ci_team": Parameter(TEXT, "Who runs the CI system.", required=True, example="BaseOS QE"),
    "ci_docs": Parameter(
        URL, "Documentation of the CI system.", required=True, example="https://ci.example.com/docs"
    ),
    "ci_email": Parameter(
        EMAIL, "Where to write to the team.", required=True, example="baseos-ci@example.com"
    ),
    "ci_url": Parameter(URL, "Address of the CI system."),
    "ci_irc": Parameter(TEXT, "Where to chat with the team."),
    "scratch": Parameter(BOOLEAN, "Whether the artifact is a scratch build.", default=False),
    "rebuild": Parameter(URL, "Where to run the test again."),
    "log": Parameter(URL, "The log of the run."),
}  # fmt: skip

ARTIFACTS = (
    Artifact(
        path="brew-builds",
        type="brew-build",
        model="BrewResultParams",
        about="A result for an RPM build in Brew.",
        own={
            "item": Parameter(
                NAME, "NVR of the build.", required=True, example="bash-5.2.26-3.el10"
            ),
            "brew_task_id": Parameter(INTEGER, "The build's task in Brew.", required=True, example=123456),
        },
    ),
    Artifact(
        path="productmd-composes",
        type="productmd-compose",
        model="ProductmdComposeResultParams",
        about="A result for a compose.",
        own={
            "id": Parameter(
                NAME, "Id of the compose, as productmd writes it.",
                required=True, example="RHEL-10.0-20260101.0",
            ),
        },
        is_compose=True,
    ),
    Artifact(
        path="redhat-container-images",
        type="redhat-container-image",
        model="RedHatContainerImageResultParams",
        about="A result for a container image.",
        own={
            "item": Parameter(
                NAME, "Name and digest of the image, or its NVR.",
                required=True, example="ubi10-container-10.0-1",
            ),
            "id": Parameter(
                TEXT, "Digest of the image.", required=True,
                example="sha256:3b1f7a2c9d40e58612ab34cd56ef7890a1b2c3d4e5f60718293a4b5c6d7e8f90",
            ),
            "issuer": Parameter(TEXT, "Who built the image.", required=True, example="jdoe"),
            "component": Parameter(TEXT, "Component of the image.", required=True, example="ubi10-container"),
            "full_names": Parameter(
                TEXTS, "All names that the image can be pulled by.",
                required=True, example=["registry.example.com/ubi10@sha256:3b1f"],
            ),
            "brew_task_id": Parameter(INTEGER, "The build's task in Brew."),
            "brew_build_id": Parameter(INTEGER, "The build in Brew."),
            "registry_url": Parameter(TEXT, "The registry that has the image."),
            "tag": Parameter(TEXT, "Tag of the image."),
            "name": Parameter(TEXT, "Name of the image, without registry and tag."),
            "namespace": Parameter(TEXT, "Namespace of the image in its registry."),
            "source": Parameter(TEXT, "Where the source of the image is, with its commit."),
        },
    ),
    Artifact(
        path="redhat-modules",
        type="redhat-module",
        model="RedHatModuleResultParams",
        about="A result for a module.",
        own={
            "item": Parameter(
                NAME, "NSVC of the module.", required=True, example="nodejs:22:20260101120000:9edba152"
            ),
        },
    ),
)  # fmt: skip
