"""A test fails erroneously: one command, which the decision itself prints, and no line of policy."""

from __future__ import annotations

import re

import pytest

from .conftest import House

BUILD = "bash-5.2.26-3.fc40"
DECIDE = f"ci-results decide {BUILD} --product-version fedora-40 --context push"


@pytest.mark.demand("S-061", "S-076", "S-077")
def test_a_false_failure_is_unblocked_by_the_command_that_the_decision_prints(house: House) -> None:
    house.report("dist.rpmlint", "PASSED", BUILD)
    failed = house.report("baseos.boot", "FAILED", BUILD, scenario="uefi", system_architecture="x86_64")
    policies = (house.folder / "policies.yaml").read_bytes()

    closed = house.run(DECIDE)
    assert closed.returncode == 1, closed.stdout + closed.stderr
    (command,) = re.findall(r"waive it: (ci-results .+)", closed.stdout)
    assert command.endswith("--comment WHY")

    waived = house.run(command)
    assert waived.returncode == 0, waived.stderr

    decision = house.decide("push", BUILD)
    assert decision["policies_satisfied"] is True
    types = {each["testcase"]: each["type"] for each in decision["satisfied_requirements"]}
    assert types == {"dist.rpmlint": "test-result-passed", "baseos.boot": "test-result-failed-waived"}
    assert (house.folder / "policies.yaml").read_bytes() == policies
    assert house.get(f"/api/v2.0/results/{failed['id']}") == failed
