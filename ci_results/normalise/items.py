"""The item types every installation knows, each with the grammar of its identifiers.

Grammars: NVR and NEVRA as rpm writes them, compose ids as productmd does, NSVC as in Modularity.
"""

from __future__ import annotations

import re

from ..domain.itemtype import ItemType
from ..errors import InvalidError, shown

_ARCHES = (
    "aarch64|armhfp|armv7hl|athlon|i386|i486|i586|i686|noarch|nosrc"
    "|ppc|ppc64|ppc64le|riscv64|s390|s390x|src|x86_64"
)
_NEVRA = re.compile(
    r"(?P<name>[A-Za-z0-9_][\w+.-]*)-(?:(?P<epoch>\d+):)?(?P<version>[\w+.~^]+)-(?P<release>[\w+.~^]*?[\w+~^])"
    rf"(?:\.(?P<arch>{_ARCHES}))?(?:\.rpm)?",
    re.ASCII,
)
_IMAGE = r"[A-Za-z0-9][\w.+-]*\.(?:qcow2|box|iso|ova|vmdk|vhd|vhdfixed|raw|img|tar)(?:\.(?:xz|gz|zst))?"
_COMPOSE = re.compile(rf"[A-Za-z0-9][\w.+/-]*-\d{{8}}(?:\.[a-z]+)?\.\d+(?:[\w.+/-]*)|{_IMAGE}", re.ASCII)
_DIGEST = re.compile(r"(?:[\w.:/-]+@)?sha256:[0-9a-f]{64}", re.ASCII)
_NSVC = re.compile(
    r"(?P<name>[\w+.-]+):(?P<stream>[\w+.-]+):(?P<version>\d+):(?P<context>[0-9a-f]+)", re.ASCII
)
_NSVC_DASHED = r"[\w+.-]+-[\w+._]+-\d{8,}\.[0-9a-f]+"
_MODULE = re.compile(rf"(?:{_NSVC.pattern.replace('?P<', '?P<m_')}|{_NSVC_DASHED})", re.ASCII)
_AMI = re.compile(r"ami-[0-9a-f]{8}(?:[0-9a-f]{9})?", re.ASCII)
_ADVISORY = re.compile(r"RH[SBE]A-\d{4}:\d{4,6}(?:-\d{2})?|FEDORA-(?:[A-Z]+-)*\d{4}-[0-9a-f]{4,10}", re.ASCII)

NVR = "NVR (name-version-release, with an epoch or an architecture where known)"


def nvr_parts(identifier: str) -> dict[str, str]:
    """Take a NVR or NEVRA apart.

    >>> nvr_parts("bash-0:5.2-1.fc40.x86_64")
    {'component': 'bash', 'nvr': 'bash-5.2-1.fc40', 'arch': 'x86_64'}

    The nvr has neither epoch nor architecture, so that `0:` and an absent epoch compare equal.
    Returns {} for what is no NEVRA.
    """
    found = _NEVRA.fullmatch(identifier)
    if not found:
        return {}
    parts = {"component": found["name"], "nvr": f"{found['name']}-{found['version']}-{found['release']}"}
    if found["arch"]:
        parts["arch"] = found["arch"]
    return parts


def _pair_parts(identifier: str) -> dict[str, str]:
    """A pair of builds is known by the new one's NVR."""
    return nvr_parts(identifier.partition(" ")[0])


def _module_parts(identifier: str) -> dict[str, str]:
    found = _NSVC.fullmatch(identifier)
    return {"component": found["name"]} if found else {}


def _pair_pattern() -> re.Pattern[str]:
    old = _NEVRA.pattern.replace("?P<", "?P<old_")
    return re.compile(f"{_NEVRA.pattern} {old}", re.ASCII)


BUILT_IN: tuple[ItemType, ...] = (
    *(
        ItemType(name=name, grammar=NVR, pattern=_NEVRA, parts=nvr_parts)
        for name in (
            *("koji_build", "brew-build", "brew_build", "rpm", "copr-build"),
            *("koji_build_scratch", "brew-build_scratch", "copr-build_scratch"),
        )
    ),
    *(
        ItemType(name=name, grammar="two NVRs, the new one first", pattern=_pair_pattern(), parts=_pair_parts)
        for name in ("koji_build_pair", "brew_build_pair")
    ),
    ItemType(
        name="compose",
        grammar="compose id (NAME-VERSION-DATE.RESPIN) or an image's file name",
        pattern=_COMPOSE,
    ),
    ItemType(
        name="redhat-container-image", grammar="image digest (name@sha256:64 hex digits)", pattern=_DIGEST
    ),
    ItemType(
        name="redhat-module",
        grammar="NSVC (name:stream:version:context)",
        pattern=_MODULE,
        parts=_module_parts,
    ),
    ItemType(
        name="fedora-module",
        grammar="NSVC (name:stream:version:context)",
        pattern=_MODULE,
        parts=_module_parts,
    ),
    ItemType(name="ami", grammar="AMI (ami- and 8 or 17 hex digits)", pattern=_AMI),
    *(
        ItemType(name=name, grammar="advisory (RHSA-2026:1234, FEDORA-2026-1a2b3c4d5e)", pattern=_ADVISORY)
        for name in ("advisory", "redhat-advisory", "bodhi_update")
    ),
    ItemType(name="productmd-compose", grammar="any printable text (compose id/variant/architecture)"),
    ItemType(name="container-image", grammar="any printable text (repository@digest)"),
    *(
        ItemType(name=name, grammar="any printable text (side tag or digest)")
        for name in ("brew-build-group", "koji-build-group")
    ),
    ItemType(name="product-build", grammar="any printable text (name-version-release)"),
    ItemType(name="component-version", grammar="any printable text (component-version)"),
    ItemType(name="product-scenario", grammar="any printable text"),
    ItemType(name="dist-git-pr", grammar="any printable text (repository#number)"),
    ItemType(name="dist-git-commit", grammar="any printable text (repository@commit)"),
    ItemType(name="koji_task", grammar="any printable text (kojitask-number)"),
    ItemType(name="uncontrolled-build", grammar="any printable text (digest)"),
    ItemType(name="unknown", grammar="any printable text"),
    ItemType(name="unknown_scratch", grammar="any printable text"),
    ItemType(name="ci_build", grammar="any printable text (job#number)"),
    ItemType(name="plain", grammar="any printable text"),
)

MAX_LENGTH = 1024


def check_item(kind: ItemType, identifier: str) -> str:
    """Return `identifier` if it is one of `kind`. Raises InvalidError that names the grammar."""
    if not identifier or not identifier.isprintable() or identifier.isspace():
        raise InvalidError(f"item of type {kind.name} is empty or unprintable: {shown(identifier)}")
    if len(identifier) > MAX_LENGTH:
        raise InvalidError(f"item is longer than {MAX_LENGTH} characters: {shown(identifier)}")
    if kind.pattern is not None and not kind.pattern.fullmatch(identifier):
        raise InvalidError(f"item of type {kind.name} is no {kind.grammar}: {shown(identifier)}")
    return identifier


def same_item(asked: str) -> tuple[str, str | None, str | None]:
    """Say how a question for an item matches others: (as given, NVR or None, arch or None).

    >>> same_item("bash-0:5.2-1.fc40.x86_64")
    ('bash-0:5.2-1.fc40.x86_64', 'bash-5.2-1.fc40', 'x86_64')
    """
    parts = nvr_parts(asked)
    return asked, parts.get("nvr"), parts.get("arch")
