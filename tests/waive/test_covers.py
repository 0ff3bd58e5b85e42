"""Covers: a waiver outside its scope, purpose or time never counts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from ci_results.domain.purpose import Purpose
from ci_results.waive.covers import Why, covers

from .making import LATER, NOON, granted, requested, setting, target

ADVISORY = Purpose("advisory", "RHSA-2017:1234")
IMAGE = Purpose("image", "ami-0123456789abcdef0")


def why(terms: dict[str, Any], of: dict[str, Any] | None = None, asked: dict[str, Any] | None = None) -> Why:
    found = covers(granted(**terms), target(**(of or {})), setting(**(asked or {})))
    assert found.covered is (found.why is Why.COVERED)
    assert found.reason.startswith("W-1 ")
    return found.why


@pytest.mark.parametrize(
    ("terms", "of", "expected"),
    [
        pytest.param({}, {}, Why.COVERED, id="the very requirement"),
        pytest.param({}, {"outcome": None}, Why.COVERED, id="a missing result"),
        pytest.param({}, {"outcome": "ERROR"}, Why.COVERED, id="an error"),
        pytest.param({}, {"outcome": "NEEDS_INSPECTION"}, Why.COVERED, id="one to be looked at"),
        pytest.param({}, {"subject": "bash-5.2-2.fc40"}, Why.OTHER_SUBJECT, id="the next build"),
        pytest.param({}, {"subject_type": "compose"}, Why.OTHER_SUBJECT, id="another type"),
        pytest.param(
            {"subject_type": "brew-build"},
            {"aliases": frozenset({"brew-build"})},
            Why.COVERED,
            id="another name of the type",
        ),
        pytest.param({}, {"testcase": "dist.rpmdiff"}, Why.OTHER_TESTCASE, id="another testcase"),
        pytest.param({}, {"scenario": "uefi", "arch": "x86_64"}, Why.COVERED, id="everywhere"),
        pytest.param({"scenario": "uefi"}, {"scenario": "uefi"}, Why.COVERED, id="the scenario"),
        pytest.param({"scenario": "uefi"}, {"scenario": "bios"}, Why.OTHER_SCENARIO, id="another scenario"),
        pytest.param({"scenario": "uefi"}, {}, Why.OTHER_SCENARIO, id="no scenario"),
        pytest.param({"arch": "x86_64"}, {"arch": "x86_64"}, Why.COVERED, id="the arch"),
        pytest.param({"arch": "x86_64"}, {"arch": "s390x"}, Why.OTHER_ARCH, id="another arch"),
        pytest.param({"waived": False}, {}, Why.NOT_WAIVED, id="it says not waived"),
    ],
)
@pytest.mark.demand("S-066")
def test_the_scope_is_exact(terms: dict[str, Any], of: dict[str, Any], expected: Why) -> None:
    assert why(terms, of) is expected


@pytest.mark.parametrize("outcome", ["QUEUED", "RUNNING"])
@pytest.mark.demand("S-066")
def test_a_test_that_is_not_done_is_not_waived_unless_that_is_allowed(outcome: str) -> None:
    assert why({}, {"outcome": outcome}) is Why.UNFINISHED
    assert why({}, {"outcome": outcome}, {"unfinished": True}) is Why.COVERED


@pytest.mark.parametrize(
    ("purpose", "asked", "expected"),
    [
        pytest.param(ADVISORY, {"purposes": frozenset({ADVISORY})}, Why.COVERED, id="the advisory"),
        pytest.param(
            ADVISORY,
            {"purposes": frozenset({Purpose("advisory", "RHSA-2017:1235")})},
            Why.OTHER_PURPOSE,
            id="another advisory with the same build",
        ),
        pytest.param(ADVISORY, {}, Why.OTHER_PURPOSE, id="no advisory"),
        pytest.param(IMAGE, {"purposes": frozenset({IMAGE, ADVISORY})}, Why.COVERED, id="the image"),
        pytest.param(IMAGE, {"purposes": frozenset({ADVISORY})}, Why.OTHER_PURPOSE, id="no image decision"),
        pytest.param(Purpose("product", "fedora-40"), {}, Why.COVERED, id="the product"),
        pytest.param(Purpose("product", "rhel-8"), {}, Why.OTHER_PURPOSE, id="another product"),
        pytest.param(Purpose("context", "push"), {"decision_context": "push"}, Why.COVERED, id="the context"),
        pytest.param(Purpose("context", "push"), {}, Why.OTHER_PURPOSE, id="no context"),
        pytest.param(None, {"purposes": frozenset({ADVISORY})}, Why.COVERED, id="for everything"),
    ],
)
@pytest.mark.demand("S-067", "S-068", "S-069")
def test_a_purpose_binds(purpose: Purpose | None, asked: dict[str, Any], expected: Why) -> None:
    assert why({"purpose": purpose}, {}, asked) is expected


@pytest.mark.demand("S-069")
def test_a_waiver_is_for_its_product_version() -> None:
    assert why({}, {}, {"product_version": "fedora-41"}) is Why.OTHER_PRODUCT_VERSION


def test_a_waiver_counts_in_its_time_only() -> None:
    assert why({"expires_at": LATER}) is Why.COVERED
    assert why({"expires_at": LATER}, {}, {"now": LATER}) is Why.NOT_ACTIVE
    assert why({}, {}, {"seq": 0}) is Why.NOT_ACTIVE
    assert why({"expires_at": NOON}, {}, {"now": NOON - timedelta(seconds=1)}) is Why.COVERED


@pytest.mark.demand("S-063")
def test_a_request_leaves_everything_as_it_is() -> None:
    found = covers(requested(), target(), setting())
    assert (found.covered, found.why, found.reason) == (False, Why.NOT_ACTIVE, "W-1 is pending")


@pytest.mark.parametrize(
    ("signatures", "lenient", "now", "expected"),
    [
        pytest.param(("1-aa",), False, "1-aa", Why.COVERED, id="the same failure"),
        pytest.param(("1-bb", "1-aa"), False, "1-aa", Why.COVERED, id="one of several"),
        pytest.param(("1-aa",), False, "1-bb", Why.SUSPENDED, id="another failure"),
        pytest.param(("1-aa",), False, None, Why.SUSPENDED, id="a failure without text"),
        pytest.param(("1-aa",), True, "1-bb", Why.COVERED, id="lenient"),
        pytest.param(("1-aa",), False, "2-bb", Why.COVERED, id="a new version of the algorithm"),
        pytest.param((), False, "1-bb", Why.COVERED, id="bound to no failure"),
    ],
)
def test_a_waiver_is_suspended_when_the_failure_changes(
    signatures: tuple[str, ...], lenient: bool, now: str | None, expected: Why
) -> None:
    assert why({"signatures": signatures, "lenient": lenient}, {"signature": now}) is expected


def test_a_waiver_for_a_failure_does_not_waive_that_there_is_no_result() -> None:
    found = covers(granted(signatures=("1-aa",)), target(outcome=None), setting())
    assert found.why is Why.SUSPENDED
    assert found.reason == "W-1 is suspended: it was given for a failure, and there is no result now"
