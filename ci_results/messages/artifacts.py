"""What CI messages are about: each type of artifact becomes an item and its attributes.

Types that ResultsDB's updater knows are written as it writes them; koji-build and the others that it
refuses are written as their nearest kin.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ..errors import InvalidError, shown
from .ci_view import CiMessage
from .values import Data, attributes, flag, maybe_inside, maybe_text, said, text, texts

_NSVC = re.compile(r"(?P<name>[^:]+):(?P<stream>[^:]+):(?P<version>[^:]+):(?P<context>[^:]+)")


class Artifact(NamedTuple):
    """What was tested: the item, its type, further names that it goes by, and attributes."""

    item: str
    type: str
    data: Data
    beside: tuple[str, ...] = ()


def artifact(message: CiMessage) -> Artifact:
    """Return what a message is about. Raises InvalidError for a type that is not known."""
    kind = text(message.artifact, "type")
    read = READERS.get(kind)
    if read is None:
        raise InvalidError(
            f"artifact type {shown(kind)} is not known; known are {', '.join(sorted(READERS))}"
        )
    return read(kind, message)


def _build(kind: str, message: CiMessage) -> Artifact:
    about = message.artifact
    scratch = flag(about.get("scratch"))
    name = _OURS.get(kind, kind)
    data = said(
        brew_task_id=about.get("id"),
        category=message.category,
        component=text(about, "component"),
        scratch=scratch,
        issuer=about.get("issuer"),
        rebuild=message.run.get("rebuild"),
        log=message.run.get("log"),
    )
    return Artifact(text(about, "nvr"), f"{name}_scratch" if scratch else name, data | _system(message))


def _group(kind: str, message: CiMessage) -> Artifact:
    about = message.artifact
    data = said(
        category=message.category,
        repository=text(about, "repository"),
        builds=_many(about, "builds"),
        rebuild=message.run.get("rebuild"),
        log=message.run.get("log"),
    )
    return Artifact(text(about, "id"), kind, data | _system(message))


def _module(kind: str, message: CiMessage) -> Artifact:
    about = message.artifact
    nsvc = text(about, "nsvc")
    found = _NSVC.fullmatch(nsvc)
    if found is None:
        raise InvalidError(f"nsvc is no name:stream:version:context: {shown(nsvc)}")
    item = f"{found['name']}-{found['stream'].replace('-', '_')}-{found['version']}.{found['context']}"
    data = said(
        mbs_id=about.get("id"),
        category=message.category,
        context=text(about, "context"),
        name=text(about, "name"),
        nsvc=item,
        stream=text(about, "stream"),
        version=text(about, "version"),
        issuer=about.get("issuer"),
        rebuild=message.run.get("rebuild"),
        log=message.run.get("log"),
    )
    return Artifact(item, kind, data | _system(message))


def _compose(kind: str, message: CiMessage) -> Artifact:
    about = message.artifact
    compose = maybe_text(about, "id") or text(about, "compose_id")
    arch = text(message.system, "architecture")
    variant = maybe_text(message.system, "variant")
    members = {
        "log": message.run.get("log"),
        "productmd.compose.id": compose,
        "system_provider": text(message.system, "provider"),
        "system_architecture": arch,
        "system_variant": variant,
        "category": message.category,
    }
    return Artifact(f"{compose}/{variant or 'unknown'}/{arch}", kind, attributes(members))


def _container(kind: str, message: CiMessage) -> Artifact:
    about = message.artifact
    repository, digest = text(about, "repository"), text(about, "digest")
    data = said(
        log=message.run.get("log"),
        rebuild=message.run.get("rebuild"),
        xunit=message.test.get("xunit"),
        repository=repository,
        digest=digest,
        format=about.get("format"),
        pull_ref=about.get("pull_ref"),
        scratch=about.get("scratch"),
        nvr=about.get("nvr"),
        issuer=about.get("issuer"),
        system_architecture=message.system.get("architecture"),
        category=message.category,
    )
    return Artifact(f"{repository}@{digest}", kind, data | _system(message))


def _redhat_container(kind: str, message: CiMessage) -> Artifact:
    about = message.artifact
    data = said(
        brew_task_id=about.get("task_id"),
        brew_build_id=about.get("build_id"),
        category=message.category,
        full_names=_many(about, "full_names"),
        registry_url=about.get("registry_url"),
        tag=about.get("tag"),
        issuer=text(about, "issuer"),
        component=text(about, "component"),
        name=about.get("name"),
        namespace=text(about, "namespace"),
        scratch=flag(about.get("scratch")),
        nvr=text(about, "nvr"),
        source=text(about, "source"),
        rebuild=message.run.get("rebuild"),
        log=message.run.get("log"),
    )
    return Artifact(text(about, "id"), kind, data)


def _advisory(kind: str, message: CiMessage) -> Artifact:
    pipeline = message.pipeline
    data = said(
        category=message.category,
        numeric_id=message.artifact.get("numeric_id"),
        pipeline_id=text(pipeline, "id"),
        pipeline_name=text(pipeline, "name"),
        pipeline_build=pipeline.get("build"),
        pipeline_stage=maybe_inside(pipeline, "stage").get("name"),
        log=message.run.get("log"),
        log_raw=message.run.get("log_raw"),
        log_stream=message.run.get("log_stream"),
    )
    return Artifact(text(message.artifact, "id"), kind, data | _system(message))


def _product_build(kind: str, message: CiMessage) -> Artifact:
    about = message.artifact
    name, version, release = (text(about, part) for part in ("name", "version", "release"))
    data = said(
        product=name,
        version=version,
        release=release,
        log=message.run.get("log"),
        system_architecture=text(message.system, "architecture"),
        category=message.category,
    )
    return Artifact(f"{name}-{version}-{release}", kind, data)


def _component_version(kind: str, message: CiMessage) -> Artifact:
    component, version = text(message.artifact, "component"), text(message.artifact, "version")
    data = said(log=message.run.get("log"), component=component, version=version, category=message.category)
    return Artifact(f"{component}-{version}", kind, data)


def _scenario(kind: str, message: CiMessage) -> Artifact:
    about = message.artifact
    products = about.get("products")
    if not isinstance(products, list) or not all(isinstance(each, Mapping) for each in products):
        raise InvalidError(f"products are no list of objects: {shown(products)}")
    data = said(rebuild=message.run.get("rebuild"), log=message.run.get("log"), products=products)
    beside = tuple(maybe_text(each, "nvr") or text(each, "id") for each in products)
    return Artifact(text(about, "id"), kind, data | _system(message), beside)


def _update(kind: str, message: CiMessage) -> Artifact:
    """An update of Bodhi is known by its alias; the builds in it are kept, as resultsdb_conventions does."""
    builds = message.artifact.get("builds")
    nvrs = (
        [each.get("nvr") for each in builds if isinstance(each, Mapping)] if isinstance(builds, list) else []
    )
    data = said(
        category=message.category,
        nvr=nvrs,
        rebuild=message.run.get("rebuild"),
        log=message.run.get("log"),
    )
    return Artifact(text(message.artifact, "alias"), "bodhi_update", data | _system(message))


def _pull_request(_kind: str, message: CiMessage) -> Artifact:
    about = message.artifact
    data = said(
        category=message.category,
        commit_hash=about.get("commit_hash"),
        comment_id=about.get("comment_id"),
        issuer=about.get("issuer"),
        rebuild=message.run.get("rebuild"),
        log=message.run.get("log"),
    )
    item = f"{text(about, 'repository')}#{text(about, 'id')}"
    return Artifact(item, "dist-git-pr", data | _system(message))


def _uncontrolled(kind: str, message: CiMessage) -> Artifact:
    about = message.artifact
    data = said(
        category=message.category,
        url=about.get("url"),
        descriptor=about.get("descriptor"),
        name=about.get("name"),
        issuer=about.get("issuer"),
        rebuild=message.run.get("rebuild"),
        log=message.run.get("log"),
    )
    return Artifact(text(about, "id"), kind, data | _system(message))


def _system(message: CiMessage) -> Data:
    return said(system_os=message.system.get("os"), system_provider=message.system.get("provider"))


def _many(about: Mapping[str, Any], name: str) -> list[str]:
    """Return a list that must be there. Raises InvalidError."""
    value = about.get(name)
    if not isinstance(value, list):
        raise InvalidError(f"{name} is missing or no list: {shown(value)}")
    return list(texts(value))


_OURS = {"koji-build": "koji_build"}

READERS: Mapping[str, Callable[[str, CiMessage], Artifact]] = {
    **dict.fromkeys(("brew-build", "koji-build", "copr-build"), _build),
    **dict.fromkeys(("brew-build-group", "koji-build-group"), _group),
    **dict.fromkeys(("redhat-module", "fedora-module"), _module),
    "productmd-compose": _compose,
    "container-image": _container,
    "redhat-container-image": _redhat_container,
    "redhat-advisory": _advisory,
    "product-build": _product_build,
    "component-version": _component_version,
    "product-scenario": _scenario,
    "fedora-update": _update,
    **dict.fromkeys(("fedora-dist-git", "dist-git-pr", "pull-request"), _pull_request),
    "uncontrolled-build": _uncontrolled,
}
"""By the type of the artifact."""
