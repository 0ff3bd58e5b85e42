"""Plugins are found, held to the hooks, and a broken one is named and skipped."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from types import ModuleType
from typing import Any, ClassVar

import pytest

from ci_results import Collector, hookimpl
from ci_results.domain.itemtype import ItemType
from ci_results.plugin.manager import Plugins, load_plugins


@dataclass(frozen=True)
class Options:
    url: str = ""


def collector(named: str) -> Collector[Options]:
    class Quiet(Collector[Options]):
        name: ClassVar[str] = named
        options = Options

        def harvest(self, options: Options, cursor: str | None, http: Any) -> Any:
            return iter(())

    return Quiet()


def load(monkeypatch: pytest.MonkeyPatch, **modules: dict[str, Any]) -> Plugins:
    entries = []
    for name, contents in modules.items():
        module = ModuleType(f"plugin_{name}")
        vars(module).update(contents)
        monkeypatch.setitem(sys.modules, f"plugin_{name}", module)
        entries.append(EntryPoint(name=name, value=f"plugin_{name}", group="ci_results"))
    return load_plugins(entries)


def offering(named: str) -> dict[str, Any]:
    @hookimpl
    def register_collectors() -> list[Collector[Any]]:
        return [collector(named)]

    return {"register_collectors": register_collectors}


@pytest.mark.demand("S-144")
def test_a_plugin_offers_its_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    plugins = load(monkeypatch, acme=offering("acme"))
    assert list(plugins.collectors) == ["acme"]
    assert plugins.broken == ()
    assert [one.hooks for one in plugins.loaded if one.name == "acme"] == [("register_collectors",)]


def test_what_is_built_in_is_there() -> None:
    plugins = load_plugins([])
    assert "junit" in plugins.formats
    assert plugins.item_types["koji_build"].grammar.startswith("NVR")


@pytest.mark.demand("S-144")
def test_a_plugin_that_fails_to_import_is_named_and_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    good = EntryPoint(name="good", value="plugin_good", group="ci_results")
    bad = EntryPoint(name="bad", value="no_such_module_at_all", group="ci_results")
    module = ModuleType("plugin_good")
    vars(module).update(offering("good"))
    monkeypatch.setitem(sys.modules, "plugin_good", module)
    plugins = load_plugins([good, bad])
    assert list(plugins.collectors) == ["good"]
    (broken,) = plugins.broken
    assert broken.name == "bad"
    assert "no_such_module_at_all" in str(broken.problem)


@hookimpl
def register_colectors() -> list[Any]:
    return []


@hookimpl
def _takes_too_much(page: Any, committed: Any, mood: Any) -> None:
    raise AssertionError


@pytest.mark.parametrize(
    ("contents", "said"),
    [
        ({"register_colectors": register_colectors}, "register_colectors"),
        ({"register_collectors": list}, "lacks @hookimpl"),
        ({"results_stored": _takes_too_much}, "mood"),
        (offering("Bad Name"), "bad name: 'Bad Name'"),
        ({"register_collectors": hookimpl(lambda: [object()])}, "gives no Collector"),
        ({"register_collectors": hookimpl(lambda: [collector("a"), collector("a")])}, "offered twice"),
        ({"register_vocabularies": hookimpl(lambda: [ItemType(name="plain", grammar="x")])}, "plain"),
        ({"register_formats": hookimpl(lambda: 1 // 0)}, "ZeroDivisionError"),
    ],
    ids=[
        "misspelt",
        "unmarked",
        "unknown argument",
        "bad name",
        "wrong kind",
        "twice",
        "built-in taken",
        "raises",
    ],
)
def test_a_plugin_that_breaks_the_contract_is_named_and_skipped(
    monkeypatch: pytest.MonkeyPatch, contents: dict[str, Any], said: str
) -> None:
    plugins = load(monkeypatch, bad=contents, good=offering("good"))
    assert list(plugins.collectors) == ["good"]
    (broken,) = plugins.broken
    assert said in str(broken.problem)


def test_a_name_taken_by_another_plugin_is_refused_to_the_second(monkeypatch: pytest.MonkeyPatch) -> None:
    plugins = load(monkeypatch, first=offering("same"), second=offering("same"))
    assert list(plugins.collectors) == ["same"]
    (broken,) = plugins.broken
    assert broken.name == "second"
    assert "offered already by plugin first" in str(broken.problem)
