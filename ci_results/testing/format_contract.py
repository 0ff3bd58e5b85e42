"""FormatContract: inherit it, and pytest holds a report format to every rule that the core relies on."""

from __future__ import annotations

import dataclasses
import io
import json
import random
import time
import tracemalloc
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import IO, Any, ClassVar, cast

import pytest

from ..domain.garbled import Garbled
from ..domain.observation import Observation
from ..domain.outcome import Outcome
from ..domain.report import Report
from ..domain.run import Run
from ..errors import CollectError, InvalidError, shown
from ..normalise.normaliser import Normaliser
from ..plugin.contract import Format
from .guard import closed_doors
from .harvest_rules import NOTHING_RAN
from .hooks import modules_of
from .lessons import broken
from .plugin_rules import check_hooks, check_name, check_offered
from .slow_stream import WatchedStream, in_pieces, repeated

ABOUT = Report(item="bash-5.2.26-3.fc40", item_type="koji_build", prefix="team", run=Run(key="job#1"))
GOLDEN = ".golden.json"
MOST_READ = 1_048_576
BIG = 1_048_576
MOST_MEMORY = 4 * BIG
"""A reader may remember the names it gave, for keys; not the cases with all that is in them."""
MOST_HOSTILE = 48 * 1_048_576
CUTS = 40
FLIPS = 60
_MARK = "content-of-a-private-file"


class FormatContract:
    """The rules of a report format, each a test named as the rule.

        class TestWidgetReport(FormatContract):
            format = WidgetReport()
            samples = Path(__file__).parent / "samples"
            big = (b"<report>", b"<case n='%d'/>", b"</report>")

    samples  folder of reports; beside each one NAME.golden.json, which --update-golden writes
    big      head, unit, tail of a report of any length; %d in the unit counts
    about    what the caller tells the reader about each report
    registered  False for a format that no hook of this plugin offers
    sums_up     True for one whose results are sums over the whole report, told when it ends: memory
                must stay bounded all the same
    one_result  True for one whose reports hold a single result, however long they are
    """

    format: ClassVar[Format]
    samples: ClassVar[Path]
    big: ClassVar[tuple[bytes, bytes, bytes]]
    about: ClassVar[Report] = ABOUT
    plugin: ClassVar[ModuleType | None] = None
    registered: ClassVar[bool] = True
    sums_up: ClassVar[bool] = False
    one_result: ClassVar[bool] = False

    def files(self) -> list[Path]:
        """Return the samples, by name; a format without any breaks the rule "recording"."""
        found = sorted(p for p in self.samples.iterdir() if p.is_file() and not p.name.endswith(GOLDEN))
        if not found:
            raise broken("recording", f"{self.samples}: holds no sample")
        return found

    def read(self, data: bytes) -> list[Observation | Garbled]:
        """Read `data` whole, with all doors closed; CollectErrors are told as Garbled."""
        with closed_doors() as outside:
            try:
                seen = list(self.format.read(io.BytesIO(data), self.about))
            except CollectError as err:
                seen = [Garbled(raw=data[:64], reason=str(err) or type(err).__name__)]
            except Exception as err:
                said = f"{type(err).__name__}: {err}"
                raise broken("any-bytes", f"reading {shown(data)} ended with {said}") from err
        if outside:
            raise broken("hostile", f"reading reached out: {outside[0]}")
        for each in seen:
            if not isinstance(each, Observation | Garbled):
                raise broken("any-bytes", f"yielded a {type(each).__name__}: {shown(each)}")
        return seen

    def test_the_name_is_plain(self) -> None:
        """Lower case letters, digits and underscores."""
        check_name(self.format, "format-name")

    def test_hooks_are_spelt_and_marked(self) -> None:
        """A function meant as a hook carries @hookimpl and a name that the core calls."""
        check_hooks(modules_of(self.format, self.plugin))

    def test_a_hook_offers_the_format(self) -> None:
        """register_formats gives it to the core."""
        if self.registered:
            check_offered(modules_of(self.format, self.plugin), "register_formats", self.format)

    def test_outcome_words_are_mapped(self) -> None:
        """Every word of the samples leads to one of our outcomes, "nothing ran" never to PASSED."""
        for word, ours in self.format.outcomes.items():
            if word != word.lower() or ours not in set(Outcome):
                raise broken("outcomes", f"outcomes[{word!r}] = {ours!r}")
            if ours == Outcome.PASSED and word in NOTHING_RAN:
                raise broken("vacuous", f"outcomes[{word!r}] = {ours!r}")
        normalise = Normaliser("contract", self.format.outcomes)
        for path in self.files():
            for each in self.read(path.read_bytes()):
                try:
                    _ = isinstance(each, Observation) and normalise(each)
                except InvalidError as err:
                    raise broken("storable", f"{path.name}: {err}") from err

    def test_it_recognises_its_samples_and_nothing_else(self) -> None:
        """Asked with the first bytes of a file, it says yes to its own and no to noise; it never raises."""
        for path in self.files():
            if not self._recognises(path.read_bytes()[:65536]) and any(
                isinstance(each, Observation) for each in self.read(path.read_bytes())
            ):
                raise broken("recognises", f"{path.name} is not recognised, though it can be read")
        for foreign in _foreign():
            if self._recognises(foreign):
                raise broken("recognises", f"{shown(foreign)} is taken for {self.format.name}")

    def test_samples_mean_what_their_golden_files_say(self, request: pytest.FixtureRequest) -> None:
        """Each sample gives the observations that are written beside it."""
        update = bool(request.config.getoption("--update-golden"))
        for path in self.files():
            golden = path.with_name(path.name + GOLDEN)
            text = golden_text(self.read(path.read_bytes()))
            if update:
                golden.write_text(text, encoding="utf-8")
            elif not golden.is_file():
                raise broken("golden", f"{golden.name} is not there yet; run pytest --update-golden")
            elif golden.read_text(encoding="utf-8") != text:
                raise broken(
                    "golden", f"{path.name}: {first_difference(golden.read_text(encoding='utf-8'), text)}"
                )

    def test_the_same_bytes_say_the_same(self) -> None:
        """Two readings are equal, keys and all; keys are unique within a report."""
        for path in self.files():
            first, second = self.read(path.read_bytes()), self.read(path.read_bytes())
            if golden_text(first) != golden_text(second):
                raise broken("keys", f"{path.name}: two readings differ")
            keys = [each.key for each in first if isinstance(each, Observation)]
            if len(keys) != len(set(keys)):
                raise broken("unique", f"{path.name}: a key comes more than once")

    def test_any_bytes_are_read_or_garbled(self) -> None:
        """No bytes make it raise anything but a CollectError: empty, noise, samples with flipped bytes."""
        chance = random.Random(7)  # noqa: S311 no secret
        for noise in (b"", b"\0" * 100, b"\xff\xfe", "é\x00\x01".encode(), chance.randbytes(2000)):
            self.read(noise)
        for path in self.files():
            data = bytearray(path.read_bytes())
            for _ in range(FLIPS if data else 0):
                flipped = bytearray(data)
                for _ in range(chance.randint(1, 4)):
                    flipped[chance.randrange(len(data))] = chance.randrange(256)
                self.read(bytes(flipped))

    def test_a_truncated_report_says_so(self) -> None:
        """Cut anywhere, a report loses no result in silence: what is missing is told by a Garbled."""
        for path in self.files():
            data = path.read_bytes()
            whole = self.read(data)
            for cut in sorted({len(data) * n // CUTS for n in range(1, CUTS)}):
                seen = self.read(data[:cut])
                lost = sum(isinstance(e, Observation) for e in whole) - sum(
                    isinstance(e, Observation) for e in seen
                )
                told = sum(isinstance(e, Garbled) for e in seen)
                if lost > 0 and not told and not self._complete(data[:cut]):
                    raise broken(
                        "truncated", f"{path.name} cut at byte {cut}: {lost} results vanished without a word"
                    )

    def test_the_stream_is_not_read_at_once(self) -> None:
        """Results come while the report is still being read, and memory does not grow with it."""
        stream = WatchedStream(repeated(*self.big, BIG))
        first_at: int | None = None
        count = 0
        tracemalloc.start()
        try:
            for each in self.format.read(cast("IO[bytes]", stream), self.about):
                if isinstance(each, Observation):
                    first_at = stream.given if first_at is None else first_at
                    count += 1
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        if count < 10 and not self.one_result:
            raise broken(
                "recording", f"`big` of {BIG} bytes gave {count} results; its unit is to be one result"
            )
        if stream.largest < 0 or stream.largest > MOST_READ:
            asked = "everything" if stream.largest < 0 else f"{stream.largest} bytes"
            raise broken("streamed", f"one read asked for {asked}")
        late = first_at is None or first_at > BIG // 4
        if late and not (self.sums_up or self.one_result):
            raise broken("streamed", f"the first result came after {first_at} of {stream.given} bytes")
        if peak > MOST_MEMORY:
            raise broken("streamed", f"reading {stream.given} bytes took {peak} bytes of memory")

    def test_small_pieces_say_the_same_as_the_whole(self) -> None:
        """A connection gives what it has: a short read is no end, and may cut a character in two."""
        for path in self.files():
            data = path.read_bytes()
            for size in (1, 7, 512):
                if len(data) > 20_000 and size < 512:
                    continue
                try:
                    stream = cast("IO[bytes]", WatchedStream(in_pieces(data, size)))
                    seen = list(self.format.read(stream, self.about))
                except CollectError as err:
                    seen = [Garbled(raw=data[:64], reason=str(err) or type(err).__name__)]
                if _observed(seen) != _observed(self.read(data)):
                    raise broken("streamed", f"{path.name} in pieces of {size} bytes gives other results")

    def test_hostile_xml_is_refused(self, tmp_path: Path) -> None:
        """Entities neither fill memory nor read files, and no result holds what they stand for."""
        private = tmp_path / "private.txt"
        private.write_text(_MARK, encoding="utf-8")
        for what, data in _hostile(private).items():
            began = time.monotonic()
            tracemalloc.start()
            try:
                seen = self.read(data)
                peak = tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()
            if any(_MARK in golden_text([each]) for each in seen if isinstance(each, Observation)):
                raise broken("hostile", f"{what}: a file's content is in a result")
            if peak > MOST_HOSTILE or time.monotonic() - began > 10:
                raise broken("hostile", f"{what}: took {peak} bytes and {time.monotonic() - began:.0f} s")
            if any("lollol" in golden_text([each]) for each in seen if isinstance(each, Observation)):
                raise broken("hostile", f"{what}: an entity was expanded")

    def _complete(self, data: bytes) -> bool:
        """Say whether a cut report is a whole one by itself; formats of lines may override this."""
        return False

    def _recognises(self, head: bytes) -> bool:
        try:
            return self.format.recognises(head)
        except Exception as err:
            raise broken(
                "recognises", f"recognises({shown(head)}) ended with {type(err).__name__}: {err}"
            ) from err


def golden_text(seen: list[Observation | Garbled]) -> str:
    """Write what was read as the golden files hold it: one object each, nothing that is absent."""
    return json.dumps([_plain(each) for each in seen], indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _plain(each: Observation | Garbled) -> dict[str, Any]:
    if isinstance(each, Garbled):
        return {"garbled": each.reason, "position": each.position, "size": len(each.raw)}
    fields = {f.name: getattr(each, f.name) for f in dataclasses.fields(each)}
    fields["run"] = each.run.key if each.run else None
    return {name: _value(value) for name, value in fields.items() if value not in (None, {})}


def _value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {key: list(one) if isinstance(one, tuple) else one for key, one in value.items()}
    return value


def _observed(seen: list[Observation | Garbled]) -> list[Observation]:
    return [each for each in seen if isinstance(each, Observation)]


def first_difference(one: str, other: str) -> str:
    """Say where the text of a golden file and what is read now part."""
    pairs = zip(one.splitlines(), other.splitlines(), strict=False)
    for number, (was, now) in enumerate(pairs, 1):
        if was != now:
            return f"line {number}: golden {shown(was.strip())}, the reader says {shown(now.strip())}"
    return "the reader says more or less than the golden file"


def _foreign() -> Iterator[bytes]:
    yield b""
    yield b"\0\1\2\3" * 64
    yield b"The quick brown fox jumps over the lazy dog.\n" * 8
    yield b"\x7fELF" + b"\0" * 60
    yield b"<!doctype html><html><head><title>Sign in</title></head><body></body></html>"


def _hostile(private: Path) -> dict[str, bytes]:
    """Give XML documents that attack their reader, in the shape of the commonest report."""
    lol = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    body = '<testsuites><testsuite name="{0}"><testcase classname="a" name="{0}"/></testsuite></testsuites>'
    file = f'<!ENTITY x SYSTEM "{private.as_uri()}">'
    long = f'<!DOCTYPE r [<!ENTITY a "{"lol" * 30000}">]>'
    inner = '<!DOCTYPE r [<!ENTITY a "lollol">]>'
    return {
        "billion laughs": f'<!DOCTYPE r [<!ENTITY l0 "lol">{lol}]>{body.format("&l9;")}'.encode(),
        "quadratic blowup": f"{long}{body.format('&a;' * 1000)}".encode(),
        "internal entity": f"{inner}{body.format('&a;')}".encode(),
        "external entity": (
            f"<!DOCTYPE r [{file}]><testsuites><testsuite><testcase classname='a' name='n'>"
            "<failure>&x;</failure></testcase></testsuite></testsuites>"
        ).encode(),
        "external parameter entity": (
            f'<!DOCTYPE r [<!ENTITY % x SYSTEM "{private.as_uri()}"> %x;]>{body.format("n")}'
        ).encode(),
        "external DTD": f'<!DOCTYPE r SYSTEM "http://dtd.test/x.dtd">{body.format("n")}'.encode(),
    }
