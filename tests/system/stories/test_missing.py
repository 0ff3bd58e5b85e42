"""A build is done, and a result is awaited: since when, and who answers for it."""

from __future__ import annotations

import pytest

from .conftest import House

BUILD = "make-4.4-1.fc40"
EVENT = {
    "id": "build-2519", "source": "koji", "type": "build.complete", "time": "2026-03-01T12:00:00Z",
    "subject_type": "koji_build", "subject_identifier": BUILD, "owner": "jdoe",
}  # fmt: skip


@pytest.mark.demand("S-052", "S-053")
def test_what_is_missing_is_expected_since_the_build_was_done_and_has_an_owner(house: House) -> None:
    def awaited() -> dict[str, tuple[str, str, bool]]:
        told = house.decide("push", BUILD)["expected"]
        return {each["testcase"]: (each["expected_since"], each["owner"], each["overdue"]) for each in told}

    assert awaited() == {}, "nobody said that it was built"
    house.post("/api/ci/v1/events", EVENT)
    since = ("2026-03-01T12:00:00+00:00", "jdoe", True)
    assert awaited() == {"dist.rpmlint": since, "baseos.boot": since}
    house.report("dist.rpmlint", "PASSED", BUILD)
    assert awaited() == {"baseos.boot": since}
