"""A new test is watched, and blocks nobody."""

from __future__ import annotations

import pytest

from .conftest import House

STOPPED = "zsh-5.9-4.fc40"


@pytest.mark.demand("S-097")
def test_an_experimental_test_never_blocks_and_shows_what_it_would_have_stopped(house: House) -> None:
    for number in range(1, 5):
        build = f"zsh-5.9-{number}.fc40"
        house.report("dist.rpmlint", "PASSED", build)
        house.report("baseos.boot", "PASSED", build)
        house.report("fuzz.nightly", "FAILED" if build == STOPPED else "PASSED", build)

    decision = house.decide("push", STOPPED)
    assert (decision["policies_satisfied"], decision["verdict"]) == (True, "go")
    assert [each["testcase"] for each in decision["informational"]] == ["fuzz.nightly"]
    assert "fuzz.nightly" not in [each["testcase"] for each in decision["satisfied_requirements"]]

    before = (house.folder / "policies.yaml").read_bytes()
    promote = house.run("ci-results policy promote fuzz.nightly --dry-run --passed 3 --of 4")
    assert f"go -> no-go  {STOPPED}  push of fedora-40" in promote.stdout, promote.stdout + promote.stderr
    assert promote.stdout.count("-> no-go") == 1
    assert (house.folder / "policies.yaml").read_bytes() == before
