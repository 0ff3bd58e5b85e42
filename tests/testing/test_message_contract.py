"""MessageContract: a good reader passes; each faulty one is caught by its rule."""

from __future__ import annotations

import json
import types
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar
from uuid import uuid4

import pytest
import requests

from ci_results import Envelope, Garbled, Messages, Observation, hookimpl
from ci_results.testing import MessageContract

pytestmark = pytest.mark.demand("S-144")


@dataclass(frozen=True, kw_only=True)
class Options:
    namespace: str = "widgets"


class Widgets(Messages[Options]):
    """Reads {"id", "status", "build"}."""

    name = "widgets"
    version = 1
    options = Options
    outcomes: ClassVar = {"ok": "PASSED", "broken": "FAILED"}

    def recognises(self, envelope: Envelope) -> bool:
        return envelope.topic == "widgets.ended"

    def read(self, options: Options, envelope: Envelope) -> Iterator[Observation | Garbled]:
        yield self.one(options, envelope, envelope.body)

    def one(self, options: Options, envelope: Envelope, run: Any, **other: Any) -> Observation:
        fields = {
            "key": f"run/{run['id']}",
            "testcase": f"{options.namespace}.boot",
            "outcome": run["status"],
            "item": run["build"],
            "item_type": "koji_build",
            "time": envelope.time,
        }
        return Observation(**{**fields, **other})


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    for number, status in enumerate(("ok", "broken")):
        body = {"id": number, "status": status, "build": "bash-5.2-1.fc40"}
        saved = {"topic": "widgets.ended", "id": f"m{number}", "body": body}
        (tmp_path / f"{status}.json").write_text(json.dumps(saved))
    broken_rules(Widgets(), tmp_path, update=True)
    return tmp_path


def broken_rules(messages: Messages[Any], samples: Path, *, update: bool = False, **more: Any) -> set[str]:
    plugin = types.ModuleType("faulty_messages")
    plugin.register_messages = hookimpl(lambda: [messages])  # type: ignore[attr-defined]
    fields = {"messages": messages, "samples": samples, "plugin": plugin, **more}
    case = type("Case", (MessageContract,), fields)()
    request = SimpleNamespace(config=SimpleNamespace(getoption=lambda name: update))
    broken = set()
    for name in (each for each in dir(case) if each.startswith("test_")):
        words = (request,) if name == "test_samples_mean_what_their_golden_files_say" else ()
        try:
            getattr(case, name)(*words)
        except AssertionError:
            broken.add(name)
    return broken


def faulty(**changes: Any) -> Messages[Any]:
    made: Messages[Any] = type("Widgets", (Widgets,), changes)()
    return made


def reading(**other: Any) -> Any:
    """Give a `read` that says something else in these fields."""

    def read(self: Any, options: Options, envelope: Envelope) -> Iterator[Observation]:
        run = envelope.body
        given = {name: value(run, envelope) for name, value in other.items()}
        yield self.one(options, envelope, run, **given)

    return read


def test_a_good_reader_keeps_every_rule(samples: Path) -> None:
    assert broken_rules(Widgets(), samples) == set()


def test_a_name_and_a_version_are_needed(samples: Path) -> None:
    rule = "test_the_name_is_plain_and_the_mapping_has_a_version"
    assert rule in broken_rules(faulty(name="the widgets"), samples)
    assert rule in broken_rules(faulty(version=0), samples)


def test_options_without_defaults_are_caught(samples: Path) -> None:
    @dataclass(frozen=True, kw_only=True)
    class Needed:
        namespace: str

    made = faulty(options=Needed)
    assert broken_rules(made, samples, options=Needed(namespace="widgets")) == {
        "test_options_cannot_change_and_have_defaults"
    }


def test_a_reader_that_claims_all_or_raises_is_caught(samples: Path) -> None:
    rule = "test_it_recognises_its_samples_and_nothing_else"
    assert broken_rules(faulty(recognises=lambda self, envelope: True), samples) == {rule}
    assert broken_rules(faulty(recognises=lambda self, envelope: "id" in envelope.body), samples) == {rule}
    assert broken_rules(faulty(recognises=lambda self, envelope: False), samples) == {rule}


def test_a_word_without_an_outcome_and_a_vacuous_one_are_caught(samples: Path) -> None:
    rule = "test_outcome_words_are_mapped"
    assert rule in broken_rules(faulty(outcomes={"ok": "PASSED"}), samples)
    assert rule in broken_rules(faulty(outcomes={**Widgets.outcomes, "skipped": "PASSED"}), samples)


def test_another_meaning_and_another_version_differ_from_the_golden_file(samples: Path) -> None:
    rule = "test_samples_mean_what_their_golden_files_say"
    other = faulty(read=reading(note=lambda run, envelope: "now with a note"))
    assert broken_rules(other, samples) == {rule}
    assert broken_rules(faulty(version=2), samples) == {rule}


def test_keys_of_chance_are_caught(samples: Path) -> None:
    broken = broken_rules(faulty(read=reading(key=lambda run, envelope: str(uuid4()))), samples)
    assert broken >= {"test_the_same_message_says_the_same"}


def test_keys_of_the_time_of_the_message_are_caught(samples: Path) -> None:
    by_time = reading(key=lambda run, envelope: f"{run['id']} {(envelope.id or '')[:1]}")
    assert "test_the_envelope_changes_nothing" in broken_rules(faulty(read=by_time), samples)
    by_id = reading(key=lambda run, envelope: envelope.key)
    assert "test_the_envelope_changes_nothing" not in broken_rules(faulty(read=by_id), samples)


def test_a_result_that_passes_because_of_damage_is_caught(samples: Path) -> None:
    good_by_default = reading(outcome=lambda run, envelope: run.get("status") or "ok")
    assert broken_rules(faulty(read=good_by_default), samples) == {"test_damage_is_told_and_opens_no_gate"}


def test_an_exception_that_says_nothing_of_the_message_is_caught(samples: Path) -> None:
    def read(self: Any, options: Options, envelope: Envelope) -> Iterator[Observation]:
        if not isinstance(envelope.body, dict):
            raise RuntimeError("no idea")
        yield self.one(options, envelope, envelope.body)

    assert broken_rules(faulty(read=read), samples) == {"test_damage_is_told_and_opens_no_gate"}


def test_a_look_up_is_caught(samples: Path) -> None:
    def read(self: Any, options: Options, envelope: Envelope) -> Iterator[Observation]:
        try:
            requests.get("https://koji.test/", timeout=1)
        except requests.ConnectionError as err:
            raise ValueError("koji is away") from err
        yield self.one(options, envelope, envelope.body)

    assert "test_the_same_message_says_the_same" in broken_rules(faulty(read=read), samples)


def test_a_folder_without_samples_is_caught(tmp_path: Path) -> None:
    assert "test_outcome_words_are_mapped" in broken_rules(Widgets(), tmp_path)
