"""Make a page of results of what was seen: rename, normalise, enrich; what is refused is quarantined."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..domain.garbled import Garbled
from ..domain.observation import Observation
from ..domain.page import Committed, Page
from ..domain.result import Result
from ..domain.run import Run
from ..errors import InvalidError, PluginError, shown
from ..plugin.faults import distribution_of, plugin_call
from .quoted import to_raw

Normalise = Callable[[Observation], Result]
"""From an Observation to a Result; raises InvalidError."""


def refine(
    seen: Sequence[Observation], normalise: Normalise, hook: Any
) -> tuple[list[Result], list[Garbled]]:
    """Return the results of a page and what could not become one.

    `hook` is the relay of the hooks rename_testcases and enrich_results. Raises PluginError.
    """
    names: Mapping[str, str] = {}
    if hook.rename_testcases.get_hookimpls():
        names = renamed(frozenset(each.testcase for each in seen if isinstance(each.testcase, str)), hook)
    results: list[Result] = []
    refused: list[Garbled] = []
    for each in seen:
        try:
            new = names.get(each.testcase) if names and isinstance(each.testcase, str) else None
            results.append(normalise(each if new is None else replace(each, testcase=new)))
        except InvalidError as err:
            where = f"{each.run.key} {each.key}" if isinstance(each.run, Run) else str(each.key)
            refused.append(Garbled(raw=to_raw(each), reason=str(err), key=where, kind="observation"))
    return enriched(results, hook), refused


def renamed(names: frozenset[str], hook: Any) -> Mapping[str, str]:
    """Ask every plugin for new names of `names`; the first that names a testcase wins."""
    answers: dict[str, str] = {}
    for impl in hook.rename_testcases.get_hookimpls():  # last registered last, which pluggy calls first
        with plugin_call("rename_testcases", impl.plugin):
            answer = _call(impl, {"names": names})
            if answer is not None:
                answers.update({old: str(new) for old, new in answer.items() if old in names})
    return answers


def enriched(results: list[Result], hook: Any) -> list[Result]:
    """Let every plugin add attributes, each to the answer of the one before."""
    for impl in reversed(hook.enrich_results.get_hookimpls()):
        with plugin_call("enrich_results", impl.plugin):
            answer = list(_call(impl, {"results": tuple(results)}))
        _hold(results, answer, impl.plugin)
        results = answer
    return results


def tell_stored(page: Page, committed: Committed, hook: Any) -> list[str]:
    """Call results_stored of every plugin; return the faults they had, for the log."""
    faults: list[str] = []
    for impl in reversed(hook.results_stored.get_hookimpls()):
        try:
            with plugin_call("results_stored", impl.plugin):
                _call(impl, {"page": page, "committed": committed})
        except PluginError as err:
            faults.append(str(err))
    return faults


def _call(impl: Any, values: dict[str, Any]) -> Any:
    """Call one implementation with those of `values` that it names, as pluggy does."""
    return impl.function(*(values[name] for name in impl.argnames))


def _hold(before: Sequence[Result], after: Sequence[Result], plugin: object) -> None:
    """Raise PluginError where an enrichment changed more than attributes."""
    who = distribution_of(plugin)
    if len(before) != len(after):
        raise PluginError(f"{who}: enrich_results answers {len(after)} results to {len(before)}")
    for old, new in zip(before, after, strict=True):
        if _identity(old) != _identity(new):
            raise PluginError(f"{who}: enrich_results changes the identity or outcome of {shown(old.key)}")


def _identity(result: Result) -> tuple[str, str | None, str, str, str]:
    run = None if result.run is None else result.run.key
    return result.source, run, result.key, result.outcome, result.testcase
