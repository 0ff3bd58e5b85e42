"""Anna asks for a waiver, Bert approves it; Cora may not, and that she tried is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .conftest import ANNA, BERT, CORA, POLICIES, Browser, House, furnished, open_house

BUILD = "curl-8.6.0-7.fc40"
RULES = """
[[waive.rules]]
testcases = ["*"]
approvals = 1
request = { users = ["anna"] }
approve = { users = ["anna", "bert"] }
"""


@pytest.fixture
def strict_house(tmp_path: Path, postgresql: Callable[[str], str]) -> Iterator[House]:
    """A house where another has to approve, over PostgreSQL."""
    with open_house(furnished(tmp_path, POLICIES, RULES, postgresql("approval"))) as opened:
        yield opened


@pytest.mark.needs("postgresql")
@pytest.mark.demand("S-063", "S-064")
def test_one_asks_another_approves_and_an_outsider_is_refused(strict_house: House) -> None:
    house = strict_house
    house.report("dist.rpmlint", "PASSED", BUILD)
    house.report("baseos.boot", "FAILED", BUILD)
    asked = {
        "subject_type": "koji_build", "subject_identifier": BUILD, "testcase": "baseos.boot",
        "product_version": "fedora-40", "comment": "the machine, bug 4711",
    }  # fmt: skip

    def satisfied() -> bool:
        return bool(house.decide("push", BUILD)["policies_satisfied"])

    first = house.post("/api/v1.0/waivers/", asked, ANNA)["id"]
    anna, bert, cora = (Browser(house, token) for token in (ANNA, BERT, CORA))
    waiver = f"/waiver/W-{first}"
    assert not satisfied()
    assert anna.send(waiver, step="approve", comment="it is fine").status_code == 403
    assert cora.send(waiver, step="approve", comment="let it through").status_code == 403
    assert bert.send(waiver, step="approve", comment=" ").status_code == 400
    assert not satisfied()

    assert bert.send(waiver, step="reject", comment="a real regression").status_code == 303
    assert not satisfied()
    assert bert.send(waiver, step="approve", comment="or is it?").status_code == 409

    second = house.post("/api/v1.0/waivers/", asked | {"comment": "now with a log"}, ANNA)["id"]
    waiver = f"/waiver/W-{second}"
    assert bert.send(waiver, step="approve", comment="seen the log").status_code == 303
    assert satisfied()
    assert bert.send(waiver, step="approve", comment="once more").status_code == 409

    kept = house.run("ci-results audit export")
    assert kept.returncode == 0, kept.stderr
    for said in ('"let it through"', '"a real regression"', '"now with a log"', '"seen the log"'):
        assert said in kept.stdout
    (tried,) = [line for line in kept.stdout.splitlines() if '"let it through"' in line]
    assert '"cora"' in tried
    assert '"refused":null' not in tried
