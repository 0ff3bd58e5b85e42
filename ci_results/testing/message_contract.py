"""MessageContract: inherit it, and pytest holds a reader of bus messages to every rule the core relies on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import pytest

from ..domain.envelope import Envelope
from ..domain.garbled import Garbled
from ..domain.itemtype import ItemType
from ..domain.observation import Observation
from ..domain.outcome import Outcome
from ..errors import InvalidError, shown
from ..messages.opening import open_message
from ..normalise.items import BUILT_IN
from ..normalise.normaliser import Normaliser
from ..plugin.contract import Messages
from ..plugin.reading import read_message
from .format_contract import GOLDEN, first_difference, golden_text
from .guard import closed_doors
from .harvest_rules import NOTHING_RAN
from .hooks import modules_of, offers
from .lessons import broken
from .plugin_rules import check_hooks, check_name, check_offered, check_options

STRANGE: tuple[Any, ...] = (None, "", "no such word", 0, -1, 1.5, True, [], [None], {}, {"x": {}}, "x" * 5000)
"""What a member of a body may hold instead of what it should; all of it was seen somewhere."""

NO_OBJECTS: tuple[Any, ...] = (None, "", "text", 7, False, [], [{}], {})
"""Bodies that real producers sent."""


class MessageContract:
    """The rules of a reader of bus messages, each a test named as the rule.

        class TestWidgetMessages(MessageContract):
            messages = WidgetMessages()
            samples = Path(__file__).parent / "messages"

    samples  folder of saved messages (*.json), in any envelope; beside each one NAME.golden.json, which
             --update-golden writes: what it says, and under which version of the mapping
    options  as a configuration would give them; None = the defaults
    """

    messages: ClassVar[Messages[Any]]
    samples: ClassVar[Path]
    options: ClassVar[Any] = None
    plugin: ClassVar[ModuleType | None] = None

    def files(self) -> list[Path]:
        """Return the samples, by name; a reader without any breaks the rule "recording"."""
        found = sorted(path for path in self.samples.glob("*.json") if not path.name.endswith(GOLDEN))
        if not found:
            raise broken("recording", f"{self.samples}: holds no saved message (*.json)")
        return found

    def envelope(self, path: Path) -> Envelope:
        """Open one sample."""
        try:
            return open_message(path.read_bytes())
        except InvalidError as err:
            raise broken("recording", f"{path.name}: {err}") from err

    def read(self, envelope: Envelope) -> list[Observation | Garbled]:
        """Read one message with all doors closed; a message that is bad as a whole is told as Garbled."""
        with closed_doors() as outside:
            try:
                seen = read_message(self.messages, self._options(), envelope, b"{}")
            except Exception as err:
                said = f"{type(err).__name__}: {err}"
                raise broken("any-message", f"reading {shown(envelope.body)} ended with {said}") from err
        if outside:
            raise broken("message-alone", f"reading reached out: {outside[0]}")
        for each in seen:
            if not isinstance(each, Observation | Garbled):
                raise broken("any-message", f"yielded a {type(each).__name__}: {shown(each)}")
        return seen

    def test_the_name_is_plain_and_the_mapping_has_a_version(self) -> None:
        """Lower case letters, digits and underscores; a whole number from 1 on."""
        check_name(self.messages)
        version = getattr(self.messages, "version", None)
        if type(version) is not int or version < 1:
            raise broken("mapping-version", f"version of {self.messages.name} is {version!r}")

    def test_options_cannot_change_and_have_defaults(self) -> None:
        """A frozen dataclass, whole without a configuration."""
        try:
            check_options(self.messages, self.messages.options())
        except TypeError as err:
            raise broken("message-options", f"options of {self.messages.name}: {err}") from err
        check_options(self.messages, self._options())

    def test_hooks_are_spelt_and_marked(self) -> None:
        """A function meant as a hook carries @hookimpl and a name that the core calls."""
        check_hooks(modules_of(self.messages, self.plugin))

    def test_a_hook_offers_the_messages(self) -> None:
        """register_messages gives them to the core."""
        check_offered(modules_of(self.messages, self.plugin), "register_messages", self.messages)

    def test_it_recognises_its_samples_and_nothing_else(self) -> None:
        """It says yes to what it can read and no to messages of others; no body makes it raise."""
        for path in self.files():
            envelope = self.envelope(path)
            if not self._recognises(envelope):
                raise broken("recognises-message", f"{path.name} is not recognised")
            for body in NO_OBJECTS:
                self._recognises(replace(envelope, body=body))
        for body in NO_OBJECTS:
            if self._recognises(Envelope(topic="org.example.contract.nothing", body=body)):
                raise broken("recognises-message", f"{shown(body)} of a foreign topic is taken for its own")

    def test_outcome_words_are_mapped(self) -> None:
        """Every word of the samples leads to one of our outcomes, "nothing ran" never to PASSED."""
        for word, ours in self.messages.outcomes.items():
            if word != word.lower() or ours not in set(Outcome):
                raise broken("outcomes", f"outcomes[{word!r}] = {ours!r}")
            if ours == Outcome.PASSED and word in NOTHING_RAN:
                raise broken("vacuous", f"outcomes[{word!r}] = {ours!r}")
        normalise = self._normaliser()
        for path in self.files():
            for each in self.read(self.envelope(path)):
                try:
                    _ = isinstance(each, Observation) and normalise(each)
                except InvalidError as err:
                    raise broken("storable", f"{path.name}: {err}") from err

    def test_samples_mean_what_their_golden_files_say(self, request: pytest.FixtureRequest) -> None:
        """Each sample says what is written beside it, under the version that is written there."""
        update = bool(request.config.getoption("--update-golden"))
        for path in self.files():
            golden = path.with_name(path.name + GOLDEN)
            text = self._told(path)
            if update:
                golden.write_text(text, encoding="utf-8")
            elif not golden.is_file():
                raise broken("golden-message", f"{golden.name} is not there yet; run pytest --update-golden")
            elif (was := golden.read_text(encoding="utf-8")) != text:
                raise broken("golden-message", f"{path.name}: {first_difference(was, text)}")

    def test_the_same_message_says_the_same(self) -> None:
        """Two readings are equal; keys are unique within a message; nothing is kept on self."""
        before = repr(sorted(vars(self.messages).items()))
        for path in self.files():
            envelope = self.envelope(path)
            first = self.read(envelope)
            if golden_text(first) != golden_text(self.read(envelope)):
                raise broken("keys", f"{path.name}: two readings differ")
            keys = [(each.run and each.run.key, each.key) for each in first if isinstance(each, Observation)]
            if len(keys) != len(set(keys)):
                raise broken("unique", f"{path.name}: a key comes more than once")
        if repr(sorted(vars(self.messages).items())) != before:
            raise broken("state", "reading changed the reader")

    def test_the_envelope_changes_nothing(self) -> None:
        """The same message sent again, under another id and at another time, is about the same runs."""
        for path in self.files():
            envelope = self.envelope(path)
            if envelope.id is None:
                continue
            keys = [[_identity(each) for each in self.read(one)] for one in (envelope, _sent_again(envelope))]
            if keys[0] != keys[1] and not _named_by_it(self.read(envelope), envelope):
                raise broken("message-keys", f"{path.name}: {shown(keys[0])}, sent again {shown(keys[1])}")

    def test_damage_is_told_and_opens_no_gate(self) -> None:
        """Members that are missing or strange raise nothing else, and nothing passes because of them."""
        for path in self.files():
            envelope = self.envelope(path)
            passed = any(self._passed(each) for each in self.read(envelope))
            for what, body in _damaged(envelope.body):
                for each in self.read(replace(envelope, body=body)):
                    if self._passed(each) and not passed:
                        raise broken("message-gate", f"{path.name} with {what} has passed")

    def _options(self) -> Any:
        return self.messages.options() if self.options is None else self.options

    def _told(self, path: Path) -> str:
        """Write what a sample says as the golden files hold it."""
        told = json.loads(golden_text(self.read(self.envelope(path))))
        mapping = f"{self.messages.name} {self.messages.version}"
        return json.dumps({"mapping": mapping, "told": told}, indent=1, ensure_ascii=False) + "\n"

    def _normaliser(self) -> Normaliser:
        given = offers(modules_of(self.messages, self.plugin), "register_vocabularies")
        kinds = [*BUILT_IN, *(one for one in given if isinstance(one, ItemType))]
        return Normaliser("contract", self.messages.outcomes, {kind.name: kind for kind in kinds})

    def _passed(self, each: Observation | Garbled) -> bool:
        """Say whether it would be stored as PASSED."""
        try:
            return isinstance(each, Observation) and self._normaliser()(each).outcome == Outcome.PASSED
        except InvalidError:
            return False

    def _recognises(self, envelope: Envelope) -> bool:
        try:
            return self.messages.recognises(envelope)
        except Exception as err:
            said = f"{type(err).__name__}: {err}"
            raise broken(
                "recognises-message", f"recognises({shown(envelope.body)}) ended with {said}"
            ) from err


def _identity(each: Observation | Garbled) -> tuple[str, str] | str:
    return each.reason if isinstance(each, Garbled) else (each.run.key if each.run else "", each.key)


def _sent_again(envelope: Envelope) -> Envelope:
    return replace(envelope, id="sent-again", time=None)


def _named_by_it(seen: list[Observation | Garbled], envelope: Envelope) -> bool:
    """Say whether keys hold the message's own id: the last resort of a reader, and a stated one."""
    said = [str(_identity(each)) for each in seen]
    return any(envelope.key in one for one in said)


def _damaged(body: Any) -> Iterator[tuple[str, Any]]:
    """Give bodies that lack a member, or hold something strange there, down to two levels."""
    for strange in NO_OBJECTS:
        yield f"the body {shown(strange)}", strange
    if not isinstance(body, dict):
        return
    for name, value in body.items():
        yield f"no {name}", {key: kept for key, kept in body.items() if key != name}
        for strange in STRANGE:
            if isinstance(value, int | float) and type(strange) is type(value):
                continue  # another number is no damage: it is another message
            yield f"{name} = {shown(strange)}", {**body, name: strange}
        if isinstance(value, dict):
            for what, inner in _damaged(value):
                yield f"{name}: {what}", {**body, name: inner}
