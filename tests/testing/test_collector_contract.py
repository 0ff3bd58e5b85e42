"""CollectorContract: a good collector passes; each faulty one is caught by the rule named after the fault."""

from __future__ import annotations

import itertools
import json
import sys
import types
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from ci_results import (
    Checkpoint,
    CollectError,
    Collector,
    Observation,
    Run,
    Seen,
    SourceSession,
    SourceUnavailableError,
    hookimpl,
    read_each,
)
from ci_results.testing import CollectorContract
from ci_results.testing.exchange import Exchange, save
from ci_results.testing.lessons import LESSONS

sys.path.insert(0, str(Path(__file__).parent))
import contextlib

import widgetci
from widgetci import URL, Options, WidgetCI, observation, page, recording, run

sys.path.pop(0)

pytestmark = pytest.mark.demand("S-144")


class TestTheGoodCollector(CollectorContract):
    """Every rule holds for it, so that a rule which fails below fails because of the fault."""

    collector = WidgetCI()
    options = Options(url=URL)
    plugin = widgetci

    def exchanges(self) -> Sequence[Exchange]:
        return recording()


def broken_rules(
    collector: Collector[Any],
    options: Any = None,
    exchanges: Sequence[Exchange] | None = None,
    plugin: types.ModuleType = widgetci,
) -> dict[str, str]:
    """Return the rules that fail for `collector`, with their messages."""
    case = type(
        "Case",
        (CollectorContract,),
        {
            "collector": collector,
            "options": Options(url=URL) if options is None else options,
            "plugin": plugin,
            "exchanges": lambda self: recording() if exchanges is None else exchanges,
        },
    )()
    broken = {}
    for name in dir(case):
        if name.startswith("test_"):
            try:
                getattr(case, name)()
            except AssertionError as err:
                broken[name] = str(err)
    return broken


Harvest = Callable[[Any, Options, "str | None", SourceSession], Any]


def faulty(harvest: Harvest, **attributes: Any) -> Collector[Any]:
    """Return a Widget CI collector with another harvest; it calls itself WidgetCI, so hooks offer it."""
    made: Collector[Any] = type("WidgetCI", (WidgetCI,), {"harvest": harvest, **attributes})()
    return made


def offered(collector: Collector[Any]) -> types.ModuleType:
    plugin = types.ModuleType("faulty_plugin")
    plugin.register_collectors = hookimpl(lambda: [collector])  # type: ignore[attr-defined]
    return plugin


def reading(read: Callable[[dict[str, Any]], Observation | None]) -> Collector[Any]:
    """Return a Widget CI collector that reads a run by `read`."""

    def harvest(self: Any, options: Options, cursor: str | None, http: SourceSession) -> Iterator[Seen]:
        while runs := http.get_list(f"{options.url}/api/runs", after=cursor, limit=options.page):
            yield from read_each(runs, read)
            cursor = http.field(runs[-1], "id")
            yield Checkpoint(cursor)

    return faulty(harvest)


def caught(rule: str, collector: Collector[Any], **case: Any) -> str:
    """Assert that `rule` fails for `collector`, and that its message teaches; return it."""
    broken = broken_rules(collector, plugin=case.pop("plugin", None) or offered(collector), **case)
    assert rule in broken, f"not caught; broken are {sorted(broken)}"
    for part in ("why ", "mend ", "read  docs/write-a-collector.md#"):
        assert part in broken[rule]
    return broken[rule]


def only(rule: str, collector: Collector[Any], **case: Any) -> str:
    """Assert that `rule` and no other fails: the message that an author sees is the right one."""
    message = caught(rule, collector, **case)
    broken = broken_rules(collector, plugin=case.pop("plugin", None) or offered(collector), **case)
    assert set(broken) == {rule}
    return message


# -- the faults that the contract promises to catch -----------------------------------------------


def test_random_keys_are_caught() -> None:
    collector = reading(lambda one: replace(observation(one), key=uuid.uuid4().hex))
    assert "keys differ" in caught("test_a_second_harvest_says_the_same", collector)


def test_keys_that_count_up_are_caught() -> None:
    numbers = itertools.count()
    collector = reading(lambda one: replace(observation(one), key=f"k{next(numbers)}"))
    caught("test_a_second_harvest_says_the_same", collector)


def test_naive_times_are_caught() -> None:
    def read(one: dict[str, Any]) -> Observation:
        return replace(observation(one), time=datetime.fromisoformat(one["finished"]).replace(tzinfo=None))

    assert "has no zone" in caught("test_times_have_a_zone", reading(read))


def test_naive_times_outside_read_each_are_caught() -> None:
    def harvest(self: Any, options: Options, cursor: str | None, http: SourceSession) -> Iterator[Seen]:
        for one in http.get_list(f"{options.url}/api/runs", limit=options.page):
            yield replace(observation(one), time=datetime.fromisoformat("2026-03-01T10:00:00"))

    caught("test_times_have_a_zone", faulty(harvest))


def test_its_own_requests_get_is_caught() -> None:
    def harvest(self: Any, options: Options, cursor: str | None, http: SourceSession) -> Iterator[Seen]:
        runs = requests.get(f"{options.url}/api/runs", timeout=5).json()
        yield from read_each(runs, observation)

    assert "https://source.test/api/runs" in caught(
        "test_every_request_goes_through_the_given_http", faulty(harvest)
    )


def test_its_own_requests_get_is_caught_even_where_it_hides_the_error() -> None:
    def harvest(self: Any, options: Options, cursor: str | None, http: SourceSession) -> Iterator[Seen]:
        with contextlib.suppress(requests.RequestException):
            requests.get("https://telemetry.test/", timeout=5)
        yield from WidgetCI.harvest(self, options, cursor, http)

    only("test_every_request_goes_through_the_given_http", faulty(harvest))


def test_another_client_library_is_caught() -> None:
    def harvest(self: Any, options: Options, cursor: str | None, http: SourceSession) -> Iterator[Seen]:
        import urllib.request

        with contextlib.suppress(OSError):
            urllib.request.urlopen("http://telemetry.test/", timeout=5)
        yield from WidgetCI.harvest(self, options, cursor, http)

    only("test_every_request_goes_through_the_given_http", faulty(harvest))


def test_no_checkpoint_is_caught() -> None:
    def harvest(self: Any, options: Options, cursor: str | None, http: SourceSession) -> Iterator[Seen]:
        for seen in WidgetCI.harvest(self, options, cursor, http):
            if not isinstance(seen, Checkpoint):
                yield seen

    assert "no Checkpoint among them" in caught("test_the_last_word_is_a_checkpoint", faulty(harvest))


def test_results_after_the_last_checkpoint_are_caught() -> None:
    def late(self: Any, options: Options, cursor: str | None, http: SourceSession) -> Iterator[Seen]:
        while runs := http.get_list(f"{options.url}/api/runs", after=cursor, limit=options.page):
            cursor = http.field(runs[-1], "id")
            yield Checkpoint(cursor)
            yield from read_each(runs, observation)

    caught("test_the_last_word_is_a_checkpoint", faulty(late))
    assert "r2" in caught("test_a_harvest_goes_on_from_every_checkpoint", faulty(late))


def test_a_cursor_never_sent_is_caught() -> None:
    def harvest(self: Any, options: Options, cursor: str | None, http: SourceSession) -> Iterator[Seen]:
        yield from WidgetCI.harvest(self, options, None, http)

    only("test_the_cursor_is_used", faulty(harvest))


def test_a_cursor_never_sent_that_asks_for_ever_is_caught() -> None:
    def harvest(self: Any, options: Options, cursor: str | None, http: SourceSession) -> Iterator[Seen]:
        while runs := http.get_list(f"{options.url}/api/runs", limit=options.page):
            yield from read_each(runs, observation)
            yield Checkpoint(http.field(runs[-1], "id"))

    assert "did not end" in caught("test_the_cursor_is_used", faulty(harvest))


def test_a_cursor_that_skips_is_caught() -> None:
    def harvest(self: Any, options: Options, cursor: str | None, http: SourceSession) -> Iterator[Seen]:
        for seen in WidgetCI.harvest(self, options, cursor, http):
            yield Checkpoint("r6") if isinstance(seen, Checkpoint) else seen

    message = only("test_a_harvest_goes_on_from_every_checkpoint", faulty(harvest))
    assert "never come" in message


def test_a_list_built_before_the_first_yield_is_caught() -> None:
    def harvest(self: Any, options: Options, cursor: str | None, http: SourceSession) -> Iterator[Seen]:
        yield from list(WidgetCI.harvest(self, options, cursor, http))

    only("test_it_yields_before_it_has_read_all", faulty(harvest))


def test_a_list_instead_of_an_iterator_is_caught() -> None:
    def harvest(self: Any, options: Options, cursor: str | None, http: SourceSession) -> list[Seen]:
        return list(WidgetCI.harvest(self, options, cursor, http))

    only("test_it_yields_before_it_has_read_all", faulty(harvest))


def test_bad_records_swallowed_are_caught() -> None:
    def read(one: dict[str, Any]) -> Observation | None:
        try:
            return observation(one)
        except (KeyError, ValueError):
            return None

    message = only("test_bad_records_are_quarantined", reading(read))
    assert "vanished without a word" in message
    assert "[0]" in message


def test_a_bare_key_error_is_caught() -> None:
    def harvest(self: Any, options: Options, cursor: str | None, http: SourceSession) -> Iterator[Seen]:
        while runs := http.get_list(f"{options.url}/api/runs", after=cursor, limit=options.page):
            for one in runs:
                yield observation(one)
            cursor = http.field(runs[-1], "id")
            yield Checkpoint(cursor)

    assert "KeyError" in caught("test_a_missing_field_is_no_crash", faulty(harvest))
    assert "KeyError" in caught("test_bad_records_are_quarantined", faulty(harvest))


def test_an_outage_taken_for_no_news_is_caught() -> None:
    def harvest(self: Any, options: Options, cursor: str | None, http: SourceSession) -> Iterator[Seen]:
        try:
            yield from WidgetCI.harvest(self, options, cursor, http)
        except SourceUnavailableError:
            return

    assert "no more news" in only("test_an_outage_is_no_silence", faulty(harvest))


def test_every_error_taken_for_no_news_is_caught() -> None:
    def harvest(self: Any, options: Options, cursor: str | None, http: SourceSession) -> Iterator[Seen]:
        try:
            yield from WidgetCI.harvest(self, options, cursor, http)
        except CollectError:
            return

    caught("test_an_outage_is_no_silence", faulty(harvest))
    caught("test_a_login_page_is_no_data", faulty(harvest))
    caught("test_a_cut_answer_is_no_crash_and_no_end", faulty(harvest))


def test_an_outage_in_words_of_its_own_is_caught() -> None:
    def harvest(self: Any, options: Options, cursor: str | None, http: SourceSession) -> Iterator[Seen]:
        try:
            yield from WidgetCI.harvest(self, options, cursor, http)
        except SourceUnavailableError as err:
            raise RuntimeError("oops") from err

    assert "RuntimeError" in only("test_an_outage_is_no_silence", faulty(harvest))


def test_mutable_options_are_caught() -> None:
    @dataclass(kw_only=True)
    class Mutable:
        url: str
        page: int = 2

    collector = faulty(WidgetCI.harvest, options=Mutable)
    assert "not frozen" in only("test_options_cannot_change", collector, options=Mutable(url=URL))


def test_a_list_in_frozen_options_is_caught() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Listed:
        url: str
        page: int = 2
        jobs: list[str] = field(default_factory=list)

    collector = faulty(WidgetCI.harvest, options=Listed)
    assert "option jobs holds a list" in only(
        "test_options_cannot_change", collector, options=Listed(url=URL)
    )


def test_options_that_are_no_dataclass_are_caught() -> None:
    caught("test_options_cannot_change", faulty(WidgetCI.harvest, options=dict), options={})


@pytest.mark.parametrize("name", ["Widget CI", "widget-ci", "9widget", "", "wídget", None])
def test_a_bad_name_is_caught(name: object) -> None:
    assert repr(name) in caught("test_the_name_is_plain", faulty(WidgetCI.harvest, name=name))


def test_a_misspelt_hook_is_caught() -> None:
    plugin = types.ModuleType("misspelt")

    @hookimpl
    def register_colectors() -> list[Collector[Any]]:
        return [WidgetCI()]

    plugin.register_colectors = register_colectors  # type: ignore[attr-defined]
    message = caught("test_hooks_are_spelt_and_marked", WidgetCI(), plugin=plugin)
    assert "did you mean register_collectors" in message
    caught("test_a_hook_offers_the_collector", WidgetCI(), plugin=plugin)


def test_an_unmarked_hook_is_caught() -> None:
    plugin = types.ModuleType("unmarked")

    def register_collectors() -> list[Collector[Any]]:
        return [WidgetCI()]

    plugin.register_collectors = register_collectors  # type: ignore[attr-defined]
    message = caught("test_hooks_are_spelt_and_marked", WidgetCI(), plugin=plugin)
    assert "register_collectors lacks @hookimpl" in message


def test_a_hook_both_misspelt_and_unmarked_is_caught() -> None:
    plugin = types.ModuleType("neither")

    def register_collector() -> list[Collector[Any]]:
        return [WidgetCI()]

    plugin.register_collector = register_collector  # type: ignore[attr-defined]
    caught("test_hooks_are_spelt_and_marked", WidgetCI(), plugin=plugin)


# -- the further rules --------------------------------------------------------------------------------


def test_a_hook_that_offers_another_collector_is_caught() -> None:
    class Other(WidgetCI):
        name = "other"

    caught("test_a_hook_offers_the_collector", Other(), plugin=widgetci)


@pytest.mark.parametrize("testcase", ["smoke", ".smoke", "widgetci.", "widget\nci.smoke"])
def test_a_testcase_without_a_namespace_is_caught(testcase: str) -> None:
    collector = reading(lambda one: replace(observation(one), testcase=testcase))
    caught("test_testcases_have_a_namespace", collector)


@pytest.mark.parametrize(
    ("item_type", "item"), [("koji_build", "bash"), ("koji_build", ""), ("ami", "ami-1"), ("widget", "w1")]
)
def test_an_item_against_the_grammar_is_caught(item_type: str, item: str) -> None:
    collector = reading(lambda one: replace(observation(one), item_type=item_type, item=item))
    caught("test_items_fit_their_type", collector)


@pytest.mark.parametrize("outcomes", [{}, {"success": "PASSED"}, {"success": "GREEN", "failure": "FAILED"}])
def test_an_outcome_without_a_mapping_is_caught(outcomes: dict[str, str]) -> None:
    caught("test_outcome_words_are_mapped", faulty(WidgetCI.harvest, outcomes=outcomes))


def test_an_outcome_word_in_upper_case_is_caught() -> None:
    outcomes = WidgetCI.outcomes | {"Flaky": "FAILED"}
    caught("test_outcome_words_are_mapped", faulty(WidgetCI.harvest, outcomes=outcomes))


@pytest.mark.parametrize("word", ["skipped", "not_built", "not built", "aborted", "no tests", "unknown"])
def test_a_vacuous_pass_is_caught(word: str) -> None:
    collector = faulty(WidgetCI.harvest, outcomes=WidgetCI.outcomes | {word: "PASSED"})
    only("test_nothing_executed_is_no_pass", collector)


def with_cases(number: int, cases: list[str]) -> dict[str, Any]:
    return {"id": f"r{number}", "status": "success", "cases": [{"name": name} for name in cases]}


def test_a_pass_of_an_emptied_report_is_caught() -> None:
    def harvest(self: Any, options: Options, cursor: str | None, http: SourceSession) -> Iterator[Seen]:
        while runs := http.get_list(f"{options.url}/api/runs", after=cursor, limit=options.page):
            yield from (
                seen for one in runs for seen in read_each([*one["cases"]] or [{"name": "all"}], case_of(one))
            )
            cursor = http.field(runs[-1], "id")
            yield Checkpoint(cursor)

    def case_of(one: dict[str, Any]) -> Callable[[dict[str, Any]], Observation]:
        return lambda case: Observation(
            key=case["name"],
            testcase=f"widgetci.{case['name']}",
            outcome=one["status"],
            item="bash-5.2-1.fc40",
            item_type="koji_build",
            run=Run(key=one["id"]),
        )

    exchanges = [
        page(None, [with_cases(1, ["a", "b"]), with_cases(2, ["a"])]),
        page("r2", [with_cases(3, ["a"])]),
        page("r3", []),
    ]
    message = caught("test_an_emptied_report_is_no_pass", faulty(harvest), exchanges=exchanges)
    assert "widgetci.all" in message


def test_keys_given_twice_are_caught() -> None:
    caught("test_keys_are_unique", reading(lambda one: replace(observation(one), key=one["suite"])))


def test_a_link_that_could_run_is_caught() -> None:
    collector = reading(lambda one: replace(observation(one), ref_url="javascript:alert(1)"))
    only("test_observations_can_be_stored", collector)


def test_asking_twice_for_the_same_is_caught() -> None:
    def harvest(self: Any, options: Options, cursor: str | None, http: SourceSession) -> Iterator[Seen]:
        http.get_list(f"{options.url}/api/runs", after=cursor, limit=options.page)
        yield from WidgetCI.harvest(self, options, cursor, http)

    only("test_requests_are_bounded", faulty(harvest))


def test_more_requests_than_fair_are_caught() -> None:
    class Case(TestTheGoodCollector):
        most_requests = 3

    with pytest.raises(AssertionError, match=r"4 requests for 6 runs, at most 3 are fair"):
        Case().test_requests_are_bounded()


def test_state_on_self_is_caught() -> None:
    def harvest(self: Any, options: Options, cursor: str | None, http: SourceSession) -> Iterator[Seen]:
        self.count = getattr(self, "count", 0) + 1
        yield from WidgetCI.harvest(self, options, cursor, http)

    only("test_it_keeps_no_state", faulty(harvest))


def test_a_check_that_crashes_is_caught() -> None:
    def check(self: Any, options: Options, http: SourceSession) -> Iterator[str]:
        yield http.get_list(f"{options.url}/api/runs", limit=options.page)[0]["no such key"]

    only("test_check_tells_the_operator", faulty(WidgetCI.harvest, check=check))


def test_a_check_that_yields_no_text_is_caught() -> None:
    def check(self: Any, options: Options, http: SourceSession) -> Iterator[Any]:
        yield 42

    only("test_check_tells_the_operator", faulty(WidgetCI.harvest, check=check))


def test_something_else_yielded_is_caught() -> None:
    def harvest(self: Any, options: Options, cursor: str | None, http: SourceSession) -> Iterator[Any]:
        yield {"key": "r0"}
        yield from WidgetCI.harvest(self, options, cursor, http)

    caught("test_it_yields_observations_garbled_records_and_checkpoints", faulty(harvest))


def test_a_recording_that_shows_nothing_is_refused() -> None:
    broken = broken_rules(WidgetCI(), exchanges=[page(None, [])])
    assert "no observation" in broken["test_it_yields_observations_garbled_records_and_checkpoints"]


def test_a_recording_that_gives_away_an_address_is_caught() -> None:
    exchanges = recording()
    bad = [{**run(5), "owner": "jane.doe@corp.acme.com"}, run(6)]
    exchanges[2] = page("r4", bad)
    message = only("test_the_recording_is_blank", WidgetCI(), exchanges=exchanges)
    assert "1 e-mail" in message


def test_a_request_that_is_not_recorded_shows_the_nearest_one() -> None:
    broken = broken_rules(WidgetCI(), exchanges=recording()[:2])
    message = broken["test_keys_are_unique"]
    assert "asked    GET https://source.test/api/runs?after=r4&limit=2" in message
    assert "nearest  GET https://source.test/api/runs?after=r2&limit=2" in message
    assert "ci-results plugin record" in message


def test_a_recording_of_some_pages_is_enough(tmp_path: Path) -> None:
    """The rest of the source was not recorded: the harvest is ended where the recorder ended it."""
    save(recording()[:3], tmp_path, {"pages": 2})

    class Case(CollectorContract):
        collector = WidgetCI()
        options = Options(url=URL)
        plugin = widgetci
        recording = tmp_path

    case = Case()
    rules = [name for name in dir(case) if name.startswith("test_")]
    for rule in rules:
        getattr(case, rule)()
    assert len(rules) >= 25
    assert case.harvested().keys == [("", f"r{n}") for n in (1, 2, 3, 4)]


def test_every_rule_says_in_its_docstring_what_it_is_about() -> None:
    for name in dir(CollectorContract):
        if name.startswith("test_"):
            assert getattr(CollectorContract, name).__doc__


def test_every_lesson_leads_to_a_heading_of_the_document() -> None:
    text = (Path(__file__).parents[2] / "docs" / "write-a-collector.md").read_text(encoding="utf-8")
    headings = {
        line.lstrip("# ").lower().replace(" ", "-") for line in text.splitlines() if line.startswith("#")
    }
    assert {lesson.anchor for lesson in LESSONS.values()} <= headings


def test_json_damage_leaves_the_recording_as_it_was() -> None:
    exchanges = recording()
    broken_rules(WidgetCI(), exchanges=exchanges)
    assert [json.loads(each.body) for each in exchanges] == [json.loads(each.body) for each in recording()]
