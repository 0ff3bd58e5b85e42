"""What does not count is listed on no path of WaiverDB's API, for its clients take what is listed for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ci_results.domain.purpose import Purpose
from ci_results.domain.waiver import Terms, Waiver
from ci_results.operations.waive import Desk, Wish, announce_expired, grant, reject, request, withdraw
from ci_results.serve.surroundings import Surroundings
from ci_results.store.protocol import Store
from ci_results.waive.life import Actor
from ci_results.waive.rules import Rule, Rules

from .places import Api, name, serving
from .waivers import WAIVERS, file, ids, sifted

DEV, BOSS = Actor(username="dev1", via="cli"), Actor(username="boss", via="cli")
RULES = Rules(rules=(Rule(testcases=("slow.*",), approvals=1),), peers_lenient=False)


@dataclass
class Place:
    """A server, and the desk of its store, at which others ask for waivers."""

    api: Api
    desk: Desk

    def granted(self, **fields: Any) -> Waiver:
        """Waive what `file` waives with the same names, as somebody at a command line."""
        (found,) = grant(self.desk, [Wish(terms=terms(**fields), comment="why not", broad=True)], DEV)
        return found

    def shown(self, subject: str) -> list[int]:
        """Return what each path that lists waivers lists, which must be the same."""
        results = [{"testcase": "dist.rpmlint", "subject": {"type": "koji_build", "item": subject}}]
        old = self.api.post(f"{WAIVERS}+by-subjects-and-testcases", json={"results": results}).json()["data"]
        found = ids(self.api, subject_identifier=subject)
        assert found == sifted(self.api, {"subject_identifier": subject}) == [one["id"] for one in old]
        return found

    def every(self, subject: str) -> list[int]:
        """Return what ever counted."""
        found = ids(self.api, subject_identifier=subject, include_obsolete="true")
        assert found == sifted(self.api, {"subject_identifier": subject}, include_obsolete=True)
        return found


def terms(**fields: Any) -> Terms:
    return replace(
        Terms(subject_type="koji_build", subject="", testcase="dist.rpmlint", product_version="fedora-40"),
        **fields,
    )


@pytest.fixture
def place(store: Store) -> Iterator[Place]:
    with serving(store, waive=RULES) as api:
        yield Place(api, Surroundings(store=store, waive=RULES).desk())


@pytest.fixture
def subject() -> str:
    return name("bash-5.2")


@pytest.mark.demand("S-065")
def test_a_waiver_that_was_withdrawn_elsewhere_is_listed_no_more(place: Place, subject: str) -> None:
    number = file(place.api, subject_identifier=subject)["id"]
    assert place.shown(subject) == [number]
    withdraw(place.desk, number, BOSS, "a real regression")
    assert place.shown(subject) == []
    assert place.every(subject) == [number]


def test_what_replaced_another_and_was_withdrawn_replaces_it_no_more(place: Place, subject: str) -> None:
    old = file(place.api, subject_identifier=subject)["id"]
    new = file(place.api, subject_identifier=subject)["id"]
    assert place.shown(subject) == [new]
    withdraw(place.desk, new, BOSS, "never mind")
    assert place.shown(subject) == [old]


@pytest.mark.demand("S-063")
def test_a_request_that_waits_or_was_rejected_is_listed_nowhere(place: Place, subject: str) -> None:
    wish = Wish(terms=terms(subject=subject, testcase="slow.x"), comment="why not")
    (waits,) = request(place.desk, [wish], DEV)
    (closed,) = request(place.desk, [wish], DEV)
    reject(place.desk, closed.id, BOSS, "no")
    assert place.shown(subject) == place.every(subject) == []
    assert {place.api.get(f"{WAIVERS}{one.id}").status_code for one in (waits, closed)} == {404}


@pytest.mark.demand("S-067", "S-068", "S-069", "S-066")
@pytest.mark.parametrize(
    "bound",
    [
        {"purpose": Purpose("advisory", "RHSA-2026:1234")},
        {"purpose": Purpose("image", "ami-1")},
        {"purpose": Purpose("product", "fedora-40")},
        {"arch": "s390x"},
    ],
    ids=str,
)
def test_what_this_api_cannot_say_is_listed_nowhere_and_replaces_nothing(
    place: Place, subject: str, bound: dict[str, Any]
) -> None:
    number = file(place.api, subject_identifier=subject)["id"]
    one = place.granted(subject=subject, **bound)
    assert place.shown(subject) == place.every(subject) == [number]
    assert place.api.get(f"{WAIVERS}{one.id}").status_code == 404


def test_a_waiver_ends_at_its_time_announced_or_not(store: Store, subject: str) -> None:
    now = [datetime(2026, 3, 1, tzinfo=UTC)]
    desk = Desk(store=store, now=lambda: now[0])
    one = Wish(terms=terms(subject=subject, expires_at=now[0] + timedelta(days=1)), comment="why not")
    (waiver,) = grant(desk, [one], DEV)
    with serving(store) as api:  # whose clock is far ahead
        place = Place(api, desk)
        assert place.shown(subject) == []
        assert place.every(subject) == [waiver.id]
        now[0] += timedelta(days=2)
        assert [each.id for each in announce_expired(desk)] == [waiver.id]
        assert place.shown(subject) == []


@pytest.mark.demand("S-066")
def test_a_waiver_is_suspended_while_the_test_fails_otherwise(place: Place, subject: str) -> None:
    def failed(how: str) -> None:
        place.api.result(
            testcase="dist.rpmlint", outcome="FAILED", note=how, data={"item": subject, "type": "koji_build"}
        )

    failed("no such file /usr/bin/bash")
    number = file(place.api, subject_identifier=subject)["id"]
    (bound,) = place.desk.store.waivers.these([number])
    assert bound.terms.signatures
    assert place.shown(subject) == [number]
    failed("segmentation fault in parser")
    assert place.shown(subject) == []
    failed("no such file /usr/bin/bash")
    assert place.shown(subject) == [number]


@pytest.mark.demand("S-061")
def test_a_waiver_changes_no_result(place: Place, subject: str) -> None:
    result = place.api.result(
        testcase="dist.rpmlint", outcome="FAILED", data={"item": subject, "type": "koji_build"}
    )
    file(place.api, subject_identifier=subject)
    assert place.api.get(f"/results/{result['id']}").json() == result
