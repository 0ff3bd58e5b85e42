"""What every store must tell of components; part of StoreContract."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from ..domain.observation import Observation
from ..domain.page import Page
from ..domain.result import Result
from ..domain.search import ComponentQuery
from ..normalise.normaliser import Normaliser
from ..store.protocol import Store

_NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
_BUILDS = ("koji_build", "brew-build")
_ASKED = ComponentQuery(component="bash", item_types=_BUILDS, testcase="ns.case")


def _result(key: str, item: str, hour: int, outcome: str = "PASSED", item_type: str = "koji_build",
            source: str = "ci", testcase: str = "ns.case") -> Result:  # fmt: skip
    return Normaliser(source, {})(
        Observation(
            key=key, testcase=testcase, outcome=outcome, item=item, item_type=item_type,
            time=_NOON + timedelta(hours=hour),
        )
    )  # fmt: skip


def _fill(store: Store) -> None:
    for one in (
        _result("1", "bash-5.1-1.fc40", 1),
        _result("2", "bash-5.2-1.fc40", 2, "RUNNING"),
        _result("3", "bash-5.2-1.fc40", 9, source="old"),
        _result("2", "bash-5.2-1.fc40", 4, "FAILED"),
        _result("4", "bash-5.2-1.fc40.x86_64", 5, item_type="rpm"),
        _result("5", "bash-5.3-1.fc40", 3, item_type="brew-build"),
        _result("6", "bash-5.3-1.fc40", 6, testcase="ns.other"),
        _result("7", "glibc-5.3-1.fc40", 7),
        _result("8", "bash-5.4-1.fc40", 8, "QUEUED"),
    ):
        store.commit_page(Page(source=one.source, results=[one]))


class ComponentRules:
    """Tests of a `store`; see StoreContract."""

    def _keys(self, store: Store, query: ComponentQuery) -> list[str]:
        found = store.of_component(query)
        results = store.stored([number for _rank, number in found])
        assert found == sorted(found, reverse=True)
        return [one.key for one in results]

    def test_items_of_a_component_are_told_the_last_first(self, store: Store) -> None:
        _fill(store)
        names = [
            "bash-5.4-1.fc40",
            "bash-5.3-1.fc40",
            "bash-5.3-1.fc40",
            "bash-5.2-1.fc40",
            "bash-5.1-1.fc40",
        ]
        assert store.items_of("bash", _BUILDS, 10) == names
        assert store.items_of("bash", _BUILDS, 2) == names[:2]
        assert store.items_of("bash", ("rpm",), 10) == ["bash-5.2-1.fc40.x86_64"]
        assert store.items_of("ba", _BUILDS, 10) == store.items_of("bash", (), 10) == []

    def test_a_testcase_is_followed_over_all_items_of_a_component(self, store: Store) -> None:
        _fill(store)
        assert self._keys(store, _ASKED) == ["3", "8", "2", "5", "1"]
        assert self._keys(store, replace(_ASKED, passed_over=("QUEUED",))) == ["3", "2", "5", "1"]
        assert self._keys(store, replace(_ASKED, sources_passed_over=("old",))) == ["8", "2", "5", "1"]
        assert self._keys(store, replace(_ASKED, items=2)) == ["8"]
        assert self._keys(store, replace(_ASKED, item_types=("brew-build",))) == ["5"]
        assert self._keys(store, replace(_ASKED, component="zsh")) == []
        assert self._keys(store, replace(_ASKED, testcase="ns.none")) == []

    def test_a_component_is_told_as_it_was_by_the_times_that_results_claim(self, store: Store) -> None:
        _fill(store)
        for hour, keys in ((9, ["3", "8", "2", "5", "1"]), (3, ["5", "2", "1"]), (1, ["1"]), (0, [])):
            then = int((_NOON + timedelta(hours=hour)).timestamp() * 1_000_000)
            assert self._keys(store, replace(_ASKED, until=then)) == keys

    def test_what_a_component_has_is_paged(self, store: Store) -> None:
        _fill(store)
        whole = store.of_component(_ASKED)
        for number in range(len(whole)):
            page = replace(_ASKED, limit=2, after=whole[number])
            assert store.of_component(page) == whole[number + 1 : number + 3]
