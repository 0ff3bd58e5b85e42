"""Item grammars and what an item is also known by."""

from __future__ import annotations

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_results import InvalidError
from ci_results.normalise import items

TYPES = {kind.name: kind for kind in items.BUILT_IN}
DIGEST = "sha256:" + "0123456789abcdef" * 4


@pytest.mark.demand("S-045")
@pytest.mark.parametrize(
    ("kind", "good"),
    [
        ("koji_build", "bash-5.2.26-3.fc40"),
        ("koji_build", "bash-0:5.2-1.fc40.x86_64"),
        ("koji_build", "java-1.8.0-openjdk-1.8.0.402.b06-2.el9"),
        ("koji_build", "kernel-6.9.0~rc1-0.rc1.20260101git12ab^1.fc41"),
        ("brew-build", "openssl-3.2.1-19.el10"),
        ("rpm", "bash-5.2-1.fc40.x86_64.rpm"),
        ("koji_build_pair", "ipa-4.5.4-5.el7 ipa-4.5.4-4.el7"),
        ("compose", "Fedora-Rawhide-20260101.n.0"),
        ("compose", "RHEL-9.4.0-20260101.3"),
        ("compose", "Fedora-Cloud-Base-27-20171110.n.1.x86_64.qcow2"),
        ("compose", "Fedora-Cloud-Base-27-1.6.x86_64.raw.xz"),
        ("compose", "Fedora-Cloud-Atomic-22-20150705.i386.qcow2"),
        ("redhat-container-image", f"registry.example/ubi9@{DIGEST}"),
        ("redhat-container-image", DIGEST),
        ("redhat-module", "nodejs:18:8090020240101:b3f1"),
        ("redhat-module", "nodejs-18-8090020240101.b3f1"),
        ("ami", "ami-b63769a1"),
        ("ami", "ami-0123456789abcdef0"),
        ("advisory", "RHSA-2026:1234"),
        ("bodhi_update", "FEDORA-EPEL-2026-1a2b3c4d5e"),
        ("ci_build", "folder/job name#12"),
        ("plain", "anything at all 🚀"),
    ],
)
def test_a_good_name_is_accepted(kind: str, good: str) -> None:
    assert items.check_item(TYPES[kind], good) == good


@pytest.mark.demand("S-045")
@pytest.mark.parametrize(
    ("kind", "bad", "grammar"),
    [
        ("koji_build", "bash", "NVR"),
        ("koji_build", "bash-5.2", "NVR"),
        ("koji_build", "bash 5.2-1", "NVR"),
        ("koji_build", "unknown", "NVR"),
        ("koji_build_pair", "ipa-4.5.4-5.el7", "two NVRs"),
        ("compose", "Fedora-Rawhide", "compose id"),
        ("compose", "Fedora-Cloud-Base-27-1.6.x86_64.txt", "compose id"),
        ("compose", "../Fedora-Cloud-27-1.6.qcow2", "compose id"),
        ("redhat-container-image", "ubi9:latest", "image digest"),
        ("redhat-module", "nodejs:18", "NSVC"),
        ("ami", "ami-xyz", "AMI"),
        ("advisory", "RHSA-1", "advisory"),
    ],
)
def test_a_bad_name_is_refused_with_its_grammar(kind: str, bad: str, grammar: str) -> None:
    with pytest.raises(InvalidError, match=grammar):
        items.check_item(TYPES[kind], bad)


@pytest.mark.demand("S-046")
@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("bash-0:5.2-1.fc40.x86_64", {"component": "bash", "nvr": "bash-5.2-1.fc40", "arch": "x86_64"}),
        ("bash-5.2-1.fc40", {"component": "bash", "nvr": "bash-5.2-1.fc40"}),
        (
            "perl-Foo-Bar-1.0-2.el9.noarch.rpm",
            {"component": "perl-Foo-Bar", "nvr": "perl-Foo-Bar-1.0-2.el9", "arch": "noarch"},
        ),
        ("nothing", {}),
    ],
)
def test_a_nevra_is_taken_apart(name: str, parts: dict[str, str]) -> None:
    assert items.nvr_parts(name) == parts


def test_a_pair_of_builds_is_known_by_the_new_one() -> None:
    parts = TYPES["koji_build_pair"].parts
    assert parts is not None
    assert parts("ipa-4.5.4-5.el7 ipa-4.5.4-4.el7")["nvr"] == "ipa-4.5.4-5.el7"


@given(st.text(max_size=3000))
def test_any_text_is_a_name_or_refused(text: str) -> None:
    for kind in items.BUILT_IN:
        try:
            items.check_item(kind, text)
        except InvalidError:
            continue
        if kind.parts:
            kind.parts(text)


def test_hostile_names_are_refused_in_linear_time() -> None:
    for hostile in ("-" * 1000, "a-" * 500, "1." * 500, "a" * 1024, "a-1-" + "1." * 500):
        for kind in items.BUILT_IN:
            try:
                items.check_item(kind, hostile)
            except InvalidError:
                continue


def test_the_examples_of_the_docstrings_hold() -> None:
    assert doctest.testmod(items).failed == 0
