"""ChangeRules: what every store must write down of what is said anew; part of StoreContract."""

from __future__ import annotations

from typing import Any

from ..domain.delivery import START
from ..domain.garbled import Garbled
from ..domain.page import Page
from ..store.changes import KIND
from ..store.protocol import Store


def changes(store: Store) -> list[tuple[str, str, dict[str, Any]]]:
    """Return what a store tells its sinks of changes, in order: kind, name, what is said."""
    found = store.outbox.happened(START, None, {KIND}, 100)
    return [
        (each.body["kind"], each.body["name"], each.body["said"])
        for happenings in found.values()
        for each in happenings
    ]


class ChangeRules:
    """The rules, each a method named as the rule."""

    def test_a_group_described_anew_is_told_once_each_time(self, store: Store) -> None:
        said: list[dict[str, str | None]] = [{}, {"description": "nightly"}, {"description": "nightly"}]
        said += [{"ref_url": "https://ci.example/1"}, {"description": None}]
        for each in said:
            store.commit_page(Page(source="ci", groups={"u1": each}))
        assert [it for _kind, _name, it in changes(store)] == [
            {"description": None, "ref_url": None},
            {"description": "nightly", "ref_url": None},
            {"description": "nightly", "ref_url": "https://ci.example/1"},
            {"description": None, "ref_url": "https://ci.example/1"},
        ]

    def test_a_testcase_that_is_created_or_described_is_told(self, store: Store) -> None:
        store.commit_page(Page(source="ci", testcases=["ns.new"]))
        store.commit_page(
            Page(source="ci", testcases=["ns.new"], ref_urls={"ns.old": "https://ci.example/2"})
        )
        assert changes(store) == [
            ("testcase", "ns.new", {"ref_url": None}),
            ("testcase", "ns.old", {"ref_url": "https://ci.example/2"}),
        ]

    def test_a_record_that_is_closed_or_refused_for_another_reason_is_told(self, store: Store) -> None:
        for reason in ("no XML", "no XML", "no root"):
            store.commit_page(Page(source="ci", quarantine=[Garbled(raw=b"<x", reason=reason)]))
        store.resolve(1, "dismissed: old")
        (first, second) = changes(store)
        assert first == ("quarantine", "1", {"reason": "no root", "resolution": None, "resolved_at": None})
        assert (second[1], second[2]["resolution"], second[2]["reason"]) == ("1", "dismissed: old", "no root")
