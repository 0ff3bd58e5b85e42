"""What every store must do for decisions: the newest results of many subjects; part of StoreContract."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from ..domain.observation import Observation
from ..domain.page import Page
from ..domain.run import Run
from ..domain.search import Attribute
from ..domain.stored import SourceState
from ..normalise.normaliser import Normaliser
from ..store.identity import to_us
from ..store.protocol import Store

_NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
_WORDS = {"passed": "PASSED", "failed": "FAILED", "running": "RUNNING"}
_BOTH = ("ns.case", "ns.other")


def _put(store: Store, key: str, hours: int = 0, *, source: str = "ci", **fields: Any) -> None:
    given: dict[str, Any] = {
        "testcase": "ns.case", "outcome": "passed", "item": "bash-5-1", "item_type": "koji_build",
        "time": _NOON + timedelta(hours=hours),
    }  # fmt: skip
    result = Normaliser(source, _WORDS)(Observation(key=key, **(given | fields)))
    store.commit_page(Page(source=source, results=[result]))


def _item(*names: str, **more: str) -> tuple[Attribute, ...]:
    others = (Attribute(key=key, values=(value,)) for key, value in more.items())
    return Attribute(key="item", values=names), *others


class NewestRules:
    """Tests of a `store`; see StoreContract."""

    def _newest(self, store: Store, *asked: tuple[Attribute, ...], **more: Any) -> list[list[str]]:
        """Return what was found for each question: "testcase outcome scenario"."""
        found = store.newest(asked or [_item("bash-5-1")], more.pop("of", _BOTH), ("scenario",), **more)
        return [
            [f"{one.testcase} {one.outcome} {one.scenario or ''}".strip() for one in each] for each in found
        ]

    def test_newest_is_one_of_each_testcase_and_combination_the_newest_first(self, store: Store) -> None:
        _put(store, "1", outcome="failed", scenario="a")
        _put(store, "2", 1, scenario="a")
        _put(store, "3", 2, scenario="b", outcome="failed")
        _put(store, "4", 3, testcase="ns.other")
        _put(store, "5", 4, testcase="ns.not-asked")
        assert self._newest(store) == [["ns.other PASSED", "ns.case FAILED b", "ns.case PASSED a"]]
        assert self._newest(store, of=(), testcase_patterns=("ns.n*",)) == [["ns.not-asked PASSED"]]
        assert self._newest(store, of=("none",)) == [[]]

    def test_newest_answers_each_question_by_itself(self, store: Store) -> None:
        _put(store, "1")
        _put(store, "2", item="zsh-5-1", outcome="failed")
        _put(store, "3", item="zsh-5-1", item_type="brew-build", testcase="ns.other")
        asked = (
            _item("zsh-5-1"), _item("nobody"), _item("zsh-5-1", "bash-5-1"),
            _item("zsh-5-1", type="brew-build"), _item("bash-5-1", type="brew-build"), _item("a\x00b"),
        )  # fmt: skip
        assert [sorted(each) for each in self._newest(store, *asked)] == [
            ["ns.case FAILED", "ns.other PASSED"], [], ["ns.case FAILED", "ns.other PASSED"],
            ["ns.other PASSED"], [], [],
        ]  # fmt: skip
        assert store.newest([], _BOTH, ()) == []

    def test_newest_gives_what_the_result_itself_says(self, store: Store) -> None:
        run = Run(key="job#1", ref_url="https://ci.example/1", data={"job": "job"})
        _put(store, "1", outcome="failed", note="boom", scenario="s", arch="x86_64", run=run)
        ((found,),) = store.newest([_item("bash-5-1")], _BOTH, ())
        result = store.result(found.id)
        for name in ("time", "testcase", "outcome", "note", "data", "scenario", "arch"):
            assert getattr(found, name) == getattr(result, name), name
        assert found.build_url == result.ref_url == "https://ci.example/1"
        assert found.signature == result.signature is not None
        assert not found.imported
        store.register_source(SourceState(name="ci", collector="import"))
        ((copied,),) = store.newest([_item("bash-5-1")], _BOTH, (), copies_of="import")
        assert copied == found._replace(imported=True)

    def test_newest_finds_what_a_run_says_unless_the_result_says_otherwise(self, store: Store) -> None:
        run = Run(key="job#1", data={"build": "b1"})
        _put(store, "1", run=run)
        _put(store, "2", testcase="ns.other", run=run, data={"build": "b2"})
        asked = [(Attribute(key="build", values=(name,)),) for name in ("b1", "b2")]
        assert self._newest(store, *asked) == [["ns.case PASSED"], ["ns.other PASSED"]]

    def test_newest_passes_over_sources_as_if_they_were_not_there(self, store: Store) -> None:
        _put(store, "1", outcome="failed")
        _put(store, "2", 1, source="other")
        assert self._newest(store) == [["ns.case PASSED"]]
        assert self._newest(store, passed_over=("other",)) == [["ns.case FAILED"]]

    def test_newest_may_be_asked_for_a_time_gone_by(self, store: Store) -> None:
        _put(store, "run", outcome="running")
        _put(store, "run", 2, outcome="failed")
        for hours, wanted in ((-1, []), (0, ["ns.case RUNNING"]), (1, ["ns.case RUNNING"])):
            until = to_us(_NOON + timedelta(hours=hours))
            assert self._newest(store, until=until) == [wanted]
        assert self._newest(store, until=to_us(_NOON + timedelta(hours=2))) == [["ns.case FAILED"]]
        assert self._newest(store) == [["ns.case FAILED"]]
