"""Standing: (seq, now) applied to the interval of a waiver."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ci_results.domain.waiver import Standing, Step, Turn, Waiver
from ci_results.waive.standing import standing

from .making import LATER, NOON, event, granted, requested

OPENED = replace(requested(), opened=event(2, Step.APPROVE, turn=Turn.OPENS), last=2)
WITHDRAWN = replace(OPENED, closed=event(3, Step.WITHDRAW, turn=Turn.CLOSES), last=3)
REJECTED = replace(requested(), closed=event(2, Step.REJECT, turn=Turn.CLOSES), last=2)


@pytest.mark.parametrize(
    ("waiver", "seq", "stands"),
    [
        pytest.param(OPENED, 0, Standing.UNKNOWN, id="before it was asked for"),
        pytest.param(OPENED, 1, Standing.PENDING, id="asked for"),
        pytest.param(OPENED, 2, Standing.ACTIVE, id="approved"),
        pytest.param(WITHDRAWN, 2, Standing.ACTIVE, id="before it was withdrawn"),
        pytest.param(WITHDRAWN, 3, Standing.WITHDRAWN, id="withdrawn"),
        pytest.param(REJECTED, 1, Standing.PENDING, id="before it was rejected"),
        pytest.param(REJECTED, 2, Standing.REJECTED, id="rejected"),
    ],
)
def test_a_waiver_stands_as_the_commits_say(waiver: Waiver, seq: int, stands: Standing) -> None:
    assert standing(waiver, seq, NOON) is stands


def test_a_waiver_ends_at_its_time_sharp_announced_or_not() -> None:
    waiver = granted(expires_at=LATER)
    assert standing(waiver, 9, LATER - timedelta(microseconds=1)) is Standing.ACTIVE
    assert standing(waiver, 9, LATER) is Standing.EXPIRED


def test_a_request_expires_as_well() -> None:
    assert standing(requested(expires_at=LATER), 9, LATER) is Standing.EXPIRED


def test_what_was_withdrawn_is_not_told_as_expired() -> None:
    waiver = replace(WITHDRAWN, terms=replace(WITHDRAWN.terms, expires_at=LATER))
    assert standing(waiver, 9, LATER) is Standing.WITHDRAWN
