"""Nothing is rebuilt on a tier that is not good: {tier 1: a, b; tier 2: c needs a; tier 3: d needs c}."""

from __future__ import annotations

import pytest

from .conftest import House

A, B, C, D = (f"{name}-1-1.fc40" for name in "abcd")
GRAPH = {
    "a": {"tier": 1, "build": A},
    "b": {"tier": 1, "build": B},
    "c": {"tier": 2, "needs": ["a"], "build": C},
    "d": {"tier": 3, "needs": ["c"], "build": D},
}


@pytest.mark.demand("S-091")
def test_a_tier_opens_by_what_a_part_needs_or_by_the_whole_tier(house: House) -> None:
    def verdict(context: str, build: str) -> str:
        return str(house.decide(context, build, tiers=GRAPH)["verdict"])

    house.report("tier.boot", "PASSED", A)
    house.report("tier.boot", "FAILED", B)
    assert verdict("rebuild_what_is_needed", C) == "go"
    assert verdict("rebuild_whole_tier", C) == "no-go"
    assert verdict("rebuild_what_is_needed", D) == "wait"

    waiver = {
        "subject_type": "koji_build", "subject_identifier": B, "testcase": "tier.boot",
        "product_version": "fedora-40", "comment": "nothing is built on it",
    }  # fmt: skip
    house.post("/api/v1.0/waivers/", waiver)
    assert verdict("rebuild_whole_tier", C) == "go"
    assert verdict("rebuild_what_is_needed", D) == "wait", "c has no result yet"
    house.report("tier.boot", "PASSED", C)
    assert verdict("rebuild_what_is_needed", D) == "go"
