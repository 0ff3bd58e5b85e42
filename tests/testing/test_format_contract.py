"""FormatContract: good readers pass, our JUnit among them; each faulty one is caught by its rule."""

from __future__ import annotations

import contextlib
import io
import types
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, cast

import pytest

from ci_results import Format, Garbled, Observation, Report, hookimpl
from ci_results.formats.junit import JUnit
from ci_results.plugin import builtin
from ci_results.testing import FormatContract
from ci_results.testing.format_contract import golden_text

pytestmark = pytest.mark.demand("S-144")

HEAD, END = b"#widgetreport", b"#end"
SAMPLE = HEAD + b"\nPASS smoke\nFAIL upgrade\nPASS caf\xc3\xa9\n" + b"SKIP later\n" * 1 + END + b"\n"


class WidgetReport(Format):
    """Lines of "WORD name" between a first line and #end; read line by line."""

    name = "widgetreport"
    outcomes = {"pass": "PASSED", "fail": "FAILED", "skip": "INFO"}  # noqa: RUF012

    def recognises(self, head: bytes) -> bool:
        return head.startswith(HEAD + b"\n")

    def read(self, stream: IO[bytes], about: Report) -> Iterator[Observation | Garbled]:
        number, ended = 0, False
        for number, line in enumerate(lines(stream)):
            if ended or (number == 0 and line == HEAD):
                continue
            ended = line == END
            if not ended:
                yield self.one(number, line, about)
        if not ended:
            reason = f"the report ends after line {number} without #end"
            yield Garbled(raw=b"", reason=reason, position=f"line {number}", kind="report")

    def one(self, number: int, line: bytes, about: Report) -> Observation | Garbled:
        try:
            word, name = line.decode().split(" ", 1)
            if word.lower() not in self.outcomes or not name.isprintable() or not name:
                raise ValueError("no known word before a name")
        except ValueError as err:
            return Garbled(raw=line, reason=str(err), position=f"line {number + 1}", kind="report")
        return observation(about, f"{number}", name, word)


def observation(about: Report, key: str, name: str, word: str) -> Observation:
    return Observation(
        key=key,
        testcase=f"{about.prefix}.{name}",
        outcome=word,
        item=about.item,
        item_type=about.item_type,
        run=about.run,
        time=about.time,
    )


def lines(stream: IO[bytes]) -> Iterator[bytes]:
    rest = b""
    while piece := stream.read(4096):
        *whole, rest = (rest + piece).split(b"\n")
        yield from whole
    if rest:
        yield rest


class WidgetCase(FormatContract):
    format = WidgetReport()
    big = (HEAD + b"\n", b"PASS case-%d\n", END + b"\n")


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("samples")
    (folder / "one.txt").write_bytes(SAMPLE)
    golden = golden_text(list(WidgetReport().read(io.BytesIO(SAMPLE), WidgetCase.about)))
    (folder / "one.txt.golden.json").write_text(golden, encoding="utf-8")
    return folder


class Asked:
    """Stands for pytest's request, with --update-golden or without."""

    def __init__(self, update: bool) -> None:
        self.config = types.SimpleNamespace(getoption=lambda name: update)


def broken_rules(
    reader: Format, samples: Path, tmp_path: Path, rule: str = "", **attributes: Any
) -> dict[str, str]:
    """Return the rules that fail for `reader`, of all or of `rule` alone, with their messages."""
    plugin = types.ModuleType("faulty_format")
    plugin.register_formats = hookimpl(lambda: [reader])  # type: ignore[attr-defined]
    case = type(
        "Case", (WidgetCase,), {"format": reader, "samples": samples, "plugin": plugin, **attributes}
    )()
    broken = {}
    for name in (each for each in dir(case) if each.startswith(rule or "test_")):
        arguments: list[Any] = []
        if "golden" in name:
            arguments = [cast(pytest.FixtureRequest, Asked(update=False))]
        if "hostile" in name:
            arguments = [tmp_path]
        try:
            getattr(case, name)(*arguments)
        except AssertionError as err:
            broken[name] = str(err)
    return broken


Reader = Callable[[Any, IO[bytes], Report], Iterator[Any]]


def faulty(read: Reader, **attributes: Any) -> Format:
    made: Format = type("WidgetReport", (WidgetReport,), {"read": read, **attributes})()
    return made


@pytest.fixture
def caught(samples: Path, tmp_path: Path) -> Callable[..., str]:
    def check(rule: str, reader: Format, **attributes: Any) -> str:
        broken = broken_rules(reader, samples, tmp_path, rule, **attributes)
        assert rule in broken, f"not caught; broken are {sorted(broken)}"
        for part in ("why ", "mend ", "read  docs/write-a-collector.md#"):
            assert part in broken[rule]
        return broken[rule]

    return check


def test_a_good_format_keeps_every_rule(samples: Path, tmp_path: Path) -> None:
    assert broken_rules(WidgetReport(), samples, tmp_path) == {}


class TestJUnit(FormatContract):
    """Our own reader keeps the contract that strangers are held to."""

    format = cast(Format, JUnit())
    plugin = builtin
    samples = Path(__file__).parent / "junit"
    big = (
        b"<testsuites><testsuite name='s'>",
        b"<testcase classname='a.B' name='t%d' time='0.1'/>",
        b"</testsuite></testsuites>",
    )


def whole(read: Callable[[bytes], bytes] = bytes) -> Reader:
    def at_once(self: Any, stream: IO[bytes], about: Report) -> Iterator[Any]:
        yield from WidgetReport.read(self, io.BytesIO(read(stream.read())), about)

    return at_once


def test_a_report_read_at_once_is_caught(caught: Callable[..., str]) -> None:
    assert "asked for everything" in caught("test_the_stream_is_not_read_at_once", faulty(whole()))


def test_a_report_read_in_pieces_but_kept_whole_is_caught(caught: Callable[..., str]) -> None:
    def read(self: Any, stream: IO[bytes], about: Report) -> Iterator[Any]:
        yield from list(WidgetReport.read(self, stream, about))

    assert "the first result came after" in caught("test_the_stream_is_not_read_at_once", faulty(read))


def test_a_format_that_remembers_all_its_cases_is_caught(caught: Callable[..., str]) -> None:
    def read(self: Any, stream: IO[bytes], about: Report) -> Iterator[Any]:
        kept = []
        for seen in WidgetReport.read(self, stream, about):
            kept.append(seen)
            yield seen

    assert "bytes of memory" in caught("test_the_stream_is_not_read_at_once", faulty(read))


def test_an_exception_for_odd_bytes_is_caught(caught: Callable[..., str]) -> None:
    def read(self: Any, stream: IO[bytes], about: Report) -> Iterator[Any]:
        for number, line in enumerate(lines(stream)):
            word, name = line.decode().split(" ", 1) if b" " in line else ("SKIP", "none")
            yield observation(about, str(number), name, word)

    assert "UnicodeDecodeError" in caught("test_any_bytes_are_read_or_garbled", faulty(read))


def test_something_else_yielded_is_caught(caught: Callable[..., str]) -> None:
    def read(self: Any, stream: IO[bytes], about: Report) -> Iterator[Any]:
        yield None
        yield from WidgetReport.read(self, stream, about)

    assert "NoneType" in caught("test_any_bytes_are_read_or_garbled", faulty(read))


def test_a_truncated_report_taken_for_a_whole_one_is_caught(caught: Callable[..., str]) -> None:
    def read(self: Any, stream: IO[bytes], about: Report) -> Iterator[Any]:
        for seen in WidgetReport.read(self, stream, about):
            if isinstance(seen, Observation):
                yield seen

    assert "vanished" in caught("test_a_truncated_report_says_so", faulty(read))


def test_a_short_read_taken_for_the_end_is_caught(caught: Callable[..., str]) -> None:
    def read(self: Any, stream: IO[bytes], about: Report) -> Iterator[Any]:
        yield from WidgetReport.read(self, io.BytesIO(stream.read(65536)), about)

    caught("test_small_pieces_say_the_same_as_the_whole", faulty(read))


def test_keys_that_change_are_caught(caught: Callable[..., str]) -> None:
    def one(self: Any, number: int, line: bytes, about: Report) -> Observation | Garbled:
        return observation(about, uuid.uuid4().hex, f"n{number}", "PASS")

    caught("test_the_same_bytes_say_the_same", faulty(WidgetReport.read, one=one))


def test_keys_that_come_twice_are_caught(caught: Callable[..., str]) -> None:
    def one(self: Any, number: int, line: bytes, about: Report) -> Observation | Garbled:
        return observation(about, "k", "n", "PASS")

    caught("test_the_same_bytes_say_the_same", faulty(WidgetReport.read, one=one))


def test_another_meaning_than_the_golden_file_is_caught(caught: Callable[..., str]) -> None:
    reader = faulty(
        WidgetReport.read, one=lambda self, n, line, about: observation(about, str(n), "other", "PASS")
    )
    assert "one.txt: line" in caught("test_samples_mean_what_their_golden_files_say", reader)


def test_a_missing_golden_file_is_caught_and_update_golden_writes_it(tmp_path: Path) -> None:
    (tmp_path / "new.txt").write_bytes(SAMPLE)
    case = WidgetCase()
    case.samples = tmp_path  # type: ignore[misc]
    with pytest.raises(AssertionError, match="--update-golden"):
        case.test_samples_mean_what_their_golden_files_say(cast(pytest.FixtureRequest, Asked(update=False)))
    case.test_samples_mean_what_their_golden_files_say(cast(pytest.FixtureRequest, Asked(update=True)))
    case.test_samples_mean_what_their_golden_files_say(cast(pytest.FixtureRequest, Asked(update=False)))
    assert '"outcome": "PASS"' in (tmp_path / "new.txt.golden.json").read_text()


def test_no_samples_are_refused(tmp_path: Path) -> None:
    case = WidgetCase()
    case.samples = tmp_path  # type: ignore[misc]
    with pytest.raises(AssertionError, match="holds no sample"):
        case.files()


@pytest.mark.parametrize(
    "recognises", [lambda self, head: True, lambda self, head: False, lambda self, head: head[0]]
)
def test_a_format_that_claims_too_much_or_too_little_is_caught(
    recognises: Any, caught: Callable[..., str]
) -> None:
    caught(
        "test_it_recognises_its_samples_and_nothing_else", faulty(WidgetReport.read, recognises=recognises)
    )


@pytest.mark.parametrize(
    "outcomes", [{"pass": "PASSED"}, {"PASS": "PASSED", "fail": "FAILED", "skip": "INFO"}]
)
def test_an_outcome_without_a_mapping_is_caught(outcomes: dict[str, str], caught: Callable[..., str]) -> None:
    one = lambda self, n, line, about: observation(about, str(n), "n", "FAIL")  # noqa: E731
    caught("test_outcome_words_are_mapped", faulty(WidgetReport.read, outcomes=outcomes, one=one))


def test_a_vacuous_pass_is_caught(caught: Callable[..., str]) -> None:
    outcomes = WidgetReport.outcomes | {"skip": "PASSED"}
    caught("test_outcome_words_are_mapped", faulty(WidgetReport.read, outcomes=outcomes))


def test_a_bad_name_is_caught(caught: Callable[..., str]) -> None:
    caught("test_the_name_is_plain", faulty(WidgetReport.read, name="Widget Report"))


def xml_reader(parse: Callable[[bytes], ET.Element]) -> Format:
    def read(self: Any, stream: IO[bytes], about: Report) -> Iterator[Any]:
        data = stream.read(MOST)
        if not data.startswith(b"<"):
            yield from WidgetReport.read(self, io.BytesIO(data), about)
            return
        try:
            for number, case in enumerate(parse(data).iter("testcase")):
                text = case.get("name", "") + "".join(case.itertext())
                yield observation(about, str(number), text or "n", "PASS")
        except ET.ParseError as err:
            yield Garbled(raw=data[:64], reason=str(err))

    return faulty(read)


MOST = 10_000_000


def test_expanded_entities_are_caught(caught: Callable[..., str]) -> None:
    assert "an entity was expanded" in caught("test_hostile_xml_is_refused", xml_reader(ET.fromstring))


def test_external_entities_that_read_files_are_caught(caught: Callable[..., str]) -> None:
    def parse(data: bytes) -> ET.Element:
        """Resolve system entities by hand, as careless readers' options do."""
        import re
        from urllib.request import url2pathname

        found = re.search(rb'ENTITY x SYSTEM "file://([^"]+)"', data)
        if not found or b"lollol" in data:
            raise ET.ParseError("none")
        text = Path(url2pathname(found[1].decode())).read_bytes()
        without = re.sub(rb"<!DOCTYPE.*?\]>", b"", data)
        return ET.fromstring(without.replace(b"&x;", text))  # noqa: S314 the fault itself

    message = caught("test_hostile_xml_is_refused", xml_reader(parse))
    assert "a file's content is in a result" in message


def test_an_external_dtd_that_is_fetched_is_caught(caught: Callable[..., str]) -> None:
    import urllib.request

    def parse(data: bytes) -> ET.Element:
        if b"http://dtd.test" in data:
            with contextlib.suppress(OSError):
                urllib.request.urlopen("http://dtd.test/x.dtd", timeout=1)
        raise ET.ParseError("refused")

    assert "reached out" in caught("test_hostile_xml_is_refused", xml_reader(parse))


@pytest.mark.parametrize("hook", ["register_format", "register_formats"])
def test_a_misspelt_or_unmarked_hook_is_caught(hook: str, samples: Path, tmp_path: Path) -> None:
    plugin = types.ModuleType("faulty")

    def unmarked() -> list[Format]:
        return []

    setattr(plugin, hook, unmarked)
    broken = broken_rules(WidgetReport(), samples, tmp_path, plugin=plugin)
    assert {"test_hooks_are_spelt_and_marked", "test_a_hook_offers_the_format"} <= set(broken)
