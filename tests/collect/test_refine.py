from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pluggy
import pytest

from ci_results import hookimpl
from ci_results.collect.refine import enriched, refine, renamed, tell_stored
from ci_results.domain.observation import Observation
from ci_results.domain.page import Committed, Page
from ci_results.domain.result import Result
from ci_results.errors import PluginError
from ci_results.normalise.normaliser import Normaliser
from ci_results.plugin import spec

NORMALISE = Normaliser("one", {"ok": "PASSED"})


def relay(*plugins: object) -> Any:
    """Return the hooks of a manager with these plugins, registered in this order."""
    manager = pluggy.PluginManager(spec.PROJECT)
    manager.add_hookspecs(spec)
    for plugin in plugins:
        manager.register(plugin)
    return manager.hook


def see(key: str = "1", testcase: str = "a.b", outcome: str = "ok") -> Observation:
    return Observation(key=key, testcase=testcase, outcome=outcome, item="bash", item_type="plain")


class Renames:
    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = names
        self.asked: list[frozenset[str]] = []

    @hookimpl
    def rename_testcases(self, names: frozenset[str]) -> Mapping[str, str]:
        self.asked.append(names)
        return self.names


class Tags:
    def __init__(self, tag: str) -> None:
        self.tag = tag

    @hookimpl
    def enrich_results(self, results: Sequence[Result]) -> list[Result]:
        return [replace(each, data={**each.data, self.tag: (str(len(each.data)),)}) for each in results]


def test_a_name_without_namespace_is_renamed_before_it_is_refused() -> None:
    plugin = Renames({"smoke": "widgetci.smoke", "unasked": "x.y"})
    results, refused = refine([see("1", "smoke"), see("2")], NORMALISE, relay(plugin))
    assert [result.testcase for result in results] == ["widgetci.smoke", "a.b"]
    assert refused == []
    assert plugin.asked == [frozenset({"smoke", "a.b"})]


def test_the_first_plugin_that_names_a_testcase_wins_and_the_newest_is_asked_first() -> None:
    hook = relay(Renames({"x": "second.x", "y": "second.y"}), Renames({"x": "first.x"}))
    assert renamed(frozenset({"x", "y"}), hook) == {"x": "first.x", "y": "second.y"}


def test_enrichments_build_on_each_other_the_newest_first() -> None:
    (result,) = enriched([NORMALISE(see())], relay(Tags("b"), Tags("a")))
    before = len(NORMALISE(see()).data)
    assert (result.data["a"], result.data["b"]) == ((str(before),), (str(before + 1),))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda results: results[:-1], id="fewer"),
        pytest.param(lambda results: [replace(each, outcome="PASSED") for each in results], id="outcome"),
        pytest.param(lambda results: [replace(each, key="other") for each in results], id="key"),
        pytest.param(lambda results: list(reversed(results)), id="order"),
    ],
)
def test_an_enrichment_that_changes_more_than_attributes_is_a_fault(change: Any) -> None:
    class Bad:
        @hookimpl
        def enrich_results(self, results: Sequence[Result]) -> Any:
            return change(results)

    normalise = Normaliser("one", {"ok": "FAILED"})
    with pytest.raises(PluginError, match="enrich_results"):
        enriched([normalise(see("1")), normalise(see("2"))], relay(Bad()))


def test_a_hook_that_raises_is_named() -> None:
    class Bad:
        @hookimpl
        def rename_testcases(self, names: frozenset[str]) -> Mapping[str, str]:
            raise KeyError("oops")

    with pytest.raises(PluginError, match="rename_testcases: KeyError: 'oops'"):
        renamed(frozenset({"a.b"}), relay(Bad()))


def test_a_reaction_that_raises_is_told_and_stops_no_other() -> None:
    seen: list[Committed] = []

    class Bad:
        @hookimpl
        def results_stored(self, page: Page) -> None:
            raise OSError("disk full")

    class Good:
        @hookimpl
        def results_stored(self, page: Page, committed: Committed) -> None:
            seen.append(committed)

    faults = tell_stored(Page(source="one"), Committed(stored=1), relay(Good(), Bad(), SimpleNamespace()))
    assert [fault.partition(": ")[2] for fault in faults] == ["results_stored: OSError: disk full"]
    assert seen == [Committed(stored=1)]


def test_what_is_refused_keeps_the_source_s_own_words() -> None:
    _, (refused,) = refine([see("7", "smoke", "ok")], NORMALISE, relay())
    assert (refused.kind, refused.key) == ("observation", "7")
    assert "namespace" in refused.reason
    assert b'"testcase": "smoke"' in refused.raw


@pytest.mark.demand("S-058")
@pytest.mark.parametrize("field", ["key", "testcase", "outcome", "item", "item_type", "data", "run", "note"])
@pytest.mark.parametrize("value", [7, ["ok"], {"a": {1}}, object()], ids=["int", "list", "dict", "object"])
def test_a_plugin_that_quotes_no_text_has_that_record_quarantined_and_no_other(
    field: str, value: object
) -> None:
    odd = Observation(**{"key": "2", "testcase": "a.b", "outcome": "ok", "item": "x", "item_type": "plain",
                         field: value})  # fmt: skip
    results, (kept,) = refine([see("1"), odd, see("3")], NORMALISE, relay(Renames({"a.b": "c.d"})))
    assert [(result.key, result.testcase) for result in results] == [("1", "c.d"), ("3", "c.d")]
    assert "is n" in kept.reason
    assert field.encode() in kept.raw
