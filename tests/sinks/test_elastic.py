"""The sink elastic against an engine that answers as documented, and fails as each test says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
import requests
from fake_elastic import BLOCKED, FULL, GONE, Elastic

from ci_results.domain.batch import Batch
from ci_results.domain.happening import Happening
from ci_results.domain.page import Page
from ci_results.domain.receipt import Receipt
from ci_results.errors import SinkRefusedError, SinkUnavailableError
from ci_results.operations.deliver import deliver, retry
from ci_results.sinks import builtin
from ci_results.sinks import elastic as module
from ci_results.sinks.configured import ConfiguredSink, SinkKeys
from ci_results.sinks.delivering import Surroundings
from ci_results.sinks.elastic import Elastic as Sink
from ci_results.sinks.elastic import Options
from ci_results.store.sqlite import SqliteStore
from ci_results.testing import SinkContract
from ci_results.testing.store_contract import NOON, result

SINK = Sink()
RECEIVED = datetime(2026, 3, 1, 12, 0, 1, tzinfo=UTC)
MARCH = "ci-results-result-2026.03"


@pytest.fixture
def engine() -> Iterator[Elastic]:
    with Elastic().serve() as serving:
        yield serving


def batch(*keys: str, received: datetime = RECEIVED, **fields: Any) -> Batch:
    return Batch(
        [result(key, **fields) for key in keys],
        receipts=[Receipt(7, number, received) for number in range(1, len(keys) + 1)],
    )


class TestElastic(SinkContract):
    sink = SINK
    plugin = builtin
    engine: ClassVar[Elastic]
    options: ClassVar[Options]

    @pytest.fixture(autouse=True)
    def _served(self, engine: Elastic) -> None:
        type(self).engine, type(self).options = engine, Options(url=engine.url)

    def received(self) -> int:
        return sum(said["event"] == "result" for said in self.engine.documents())


def test_a_result_is_a_document_by_the_month_it_ended_in(engine: Elastic) -> None:
    SINK.deliver(Options(url=f"{engine.url}/"), batch("a", outcome="failed", note="n"))
    assert list(engine.indices) == [MARCH]
    ((name, kept),) = engine.indices[MARCH].items()
    assert len(name) == 40
    assert kept["_source"] == {
        "event": "result", "seq": 7, "id": 1, "received_at": "2026-03-01T12:00:01.000000",
        "source": "ci", "run": "job#1", "key": "a", "outcome": "FAILED", "testcase": "ns.case",
        "groups": [], "note": "n", "ref_url": None, "submit_time": "2026-03-01T12:00:00.000000",
        "data": {"job": ["job"], "item": ["bash-5.2-1.fc40"], "type": ["koji_build"]}, "duration_s": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("by", "index"),
    [("none", ""), ("year", "-2026"), ("month", "-2026.03"), ("day", "-2026.03.01")],
)  # fmt: skip
def test_an_index_holds_as_much_time_as_is_wanted(engine: Elastic, by: Any, index: str) -> None:
    SINK.deliver(Options(url=engine.url, prefix="q", by=by), batch("a"))
    assert list(engine.indices) == [f"q-result{index}"]


@pytest.mark.demand("S-126")
def test_what_comes_again_is_there_once(engine: Elastic) -> None:
    for _ in range(3):
        SINK.deliver(Options(url=engine.url), batch("a", "b"))
    assert [said["key"] for said in engine.documents()] == ["a", "b"]
    assert engine.bulks == [2, 2, 2]


def test_a_later_state_replaces_an_earlier_one_and_never_the_other_way_round(engine: Elastic) -> None:
    options = Options(url=engine.url)
    begun = batch("a", outcome="running")
    SINK.deliver(options, begun)
    SINK.deliver(options, batch("a", outcome="passed", received=RECEIVED + timedelta(hours=1)))
    assert [said["outcome"] for said in engine.documents()] == ["PASSED"]
    SINK.deliver(options, begun)
    assert [said["outcome"] for said in engine.documents()] == ["PASSED"]


def test_the_same_key_of_another_source_or_run_is_another_document(engine: Elastic) -> None:
    options = Options(url=engine.url)
    SINK.deliver(options, Batch([result("a"), result("a", source="other"), result("a", run=None)]))
    assert len(engine.documents()) == 3


@pytest.mark.parametrize("fault", [FULL, GONE, BLOCKED], ids=lambda fault: str(fault[0]))
def test_a_document_that_is_turned_away_waits_and_those_before_it_are_through(
    engine: Elastic, fault: tuple[int, Any]
) -> None:
    engine.befalls['"key":"b"'] = fault
    with pytest.raises(SinkUnavailableError, match=f"HTTP {fault[0]} for {MARCH}: ") as caught:
        SINK.deliver(Options(url=engine.url), batch("a", "b", "c"))
    assert caught.value.delivered == 1


def test_a_document_that_is_refused_is_told_with_what_caused_it(engine: Elastic) -> None:
    options = Options(url=engine.url)
    SINK.deliver(options, Batch([replace(result("a"), data={"when": ("2026-03-01",)}, verbatim=True)]))
    bad = replace(result("b"), data={"when": ("yesterday",)}, verbatim=True)
    with pytest.raises(SinkRefusedError) as caught:
        SINK.deliver(options, Batch([result("c"), bad, result("d")]))
    assert str(caught.value) == (
        f"{engine.url}: HTTP 400 for {MARCH}: document_parsing_exception: [1:1] failed to parse field "
        "[data.when] of type [date] in document; illegal_argument_exception: For input: 'yesterday'"
    )
    assert caught.value.delivered == 1


def test_with_the_template_attributes_never_contradict_each_other(engine: Elastic) -> None:
    options = Options(url=engine.url)
    requests.put(f"{engine.url}/_index_template/ci-results", data=SINK.template(options), timeout=10)
    for value in ("2026-03-01", "yesterday", "7"):
        SINK.deliver(options, Batch([replace(result(value), data={"when": (value,)}, verbatim=True)]))
    assert len(engine.documents()) == 3


def test_a_pass_parks_what_is_refused_retries_what_is_turned_away_and_delivers_the_rest(
    engine: Elastic, tmp_path: Path
) -> None:
    broken = {"type": "document_parsing_exception", "reason": "no"}
    engine.befalls |= {'"key":"c"': (400, broken), '"key":"e"': FULL, '"key":"g"': (400, broken)}
    options = Options(url=engine.url)
    sink = ConfiguredSink(name="search", sink=SINK, options=options, keys=SinkKeys(kind="elastic"))
    with SqliteStore.open(tmp_path / "results.db") as store:
        store.commit_page(Page(source="ci", results=[result(key) for key in "abcdefgh"]))
        (report,) = deliver([sink], Surroundings(store=store, first_pause_s=0.01))
        assert (report.ok, report.sent, report.parked) == (True, 6, 2)
        assert {said["key"] for said in engine.documents()} == set("abdefh")
        parked = store.outbox.parked()
        assert [one.reason.partition(": ")[2] for one in parked] == [
            f"HTTP 400 for {MARCH}: document_parsing_exception: no"
        ] * 2
        engine.befalls.clear()
        assert [one.reason for one in retry(parked, {"search": sink}, store)] == [None, None]
    assert {said["key"] for said in engine.documents()} == set("abcdefgh")


@pytest.mark.parametrize(
    ("fault", "kind", "said"),
    [
        ((401, {"error": "no"}), SinkUnavailableError, "is wrong, expired"),
        ((403, {"error": "no"}), SinkUnavailableError, "may not write"),
        ((404, b"<html>"), SinkUnavailableError, "no Elasticsearch"),
        ((429, {"error": FULL[1]}), SinkUnavailableError, "HTTP 429"),
        ((500, {"error": {"type": "t", "reason": "r"}}), SinkUnavailableError, "HTTP 500: t: r"),
        ((502, b"bad gateway"), SinkUnavailableError, "HTTP 502"),
        ((200, b"<html>log in</html>"), SinkUnavailableError, "no Elasticsearch"),
        ((200, {"took": 1, "errors": False, "items": []}), SinkUnavailableError, "no answer to 2 documents"),
        ((200, {"items": [{"index": {}}, 7]}), SinkUnavailableError, "no answer to a document"),
        ((413, {"error": {"type": "t", "reason": "r"}}), SinkRefusedError, "HTTP 413: t: r"),
        ((400, {"error": {"type": "t", "reason": "r"}}), SinkRefusedError, "HTTP 400: t: r"),
    ],
    ids=lambda value: str(value[0]) if isinstance(value, tuple) else "",
)  # fmt: skip
def test_an_answer_to_the_whole_request_says_who_is_at_fault(
    engine: Elastic, fault: tuple[int, Any], kind: type[Exception], said: str
) -> None:
    engine.faults.append(fault)
    with pytest.raises(kind, match=r"^http://127") as caught:
        SINK.deliver(Options(url=engine.url), batch("a", "b"))
    assert said in str(caught.value)
    assert getattr(caught.value, "delivered", 0) is None


def test_what_is_too_large_together_is_sent_in_parts(
    engine: Elastic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 1_100)
    engine.befalls['"key":"c"'] = FULL
    with pytest.raises(SinkUnavailableError) as caught:
        SINK.deliver(Options(url=engine.url), batch("a", "b", "c", "d"))
    assert caught.value.delivered == 2
    assert engine.bulks == [2, 2]


def test_one_that_is_too_large_alone_is_parked_and_the_others_arrive(engine: Elastic, tmp_path: Path) -> None:
    engine.most_bytes = 3_000
    sink = ConfiguredSink(name="s", sink=SINK, options=Options(url=engine.url), keys=SinkKeys(kind="elastic"))
    with SqliteStore.open(tmp_path / "results.db") as store:
        given = [result(key, note="x" * 5_000 if key == "c" else None) for key in "abcd"]
        store.commit_page(Page(source="ci", results=given))
        (report,) = deliver([sink], Surroundings(store=store))
        assert (report.ok, report.sent, report.parked) == (True, 3, 1)
        assert "content_too_large" in store.outbox.parked()[0].reason


def test_waivers_and_decisions_are_documents_of_their_own(engine: Elastic) -> None:
    steps = [Happening("waiver", 8, 0, {"id": 1, "time": "2026-03-02T00:00:00.000000", "step": "grant"})]
    SINK.announce(Options(url=engine.url), steps)
    SINK.announce(
        Options(url=engine.url), [Happening("decision", 9, 0, {"id": 1, "time": "2026-04-01T00:00:00Z"})]
    )
    assert {index: list(kept) for index, kept in engine.indices.items()} == {
        "ci-results-waiver-2026.03": ["8-0"],
        "ci-results-decision-2026.04": ["9-0"],
    }


@pytest.mark.parametrize(
    ("more", "sent"),
    [
        ({}, "ApiKey secret"),
        ({"token_kind": "Bearer"}, "Bearer secret"),
        ({"user": "elastic"}, "Basic ZWxhc3RpYzpzZWNyZXQ="),
    ],
    ids=["key", "bearer", "password"],
)
def test_the_token_is_shown_as_is_said(
    engine: Elastic, monkeypatch: pytest.MonkeyPatch, more: dict[str, Any], sent: str
) -> None:
    monkeypatch.setenv("ETOKEN", "secret")
    SINK.deliver(Options(url=engine.url, token_env="ETOKEN", **more), batch("a"))
    assert engine.headers[0]["Authorization"] == sent


def test_a_check_says_which_engine_and_whether_it_knows_how_to_index(engine: Elastic) -> None:
    options = Options(url=engine.url)
    lacks = "has no template for these indices: ci-results sink template prints it"
    assert list(SINK.check(options)) == ["elasticsearch 8.15.0", lacks]
    engine.templates["ci-results"] = json.loads(SINK.template(options))
    assert list(SINK.check(options)) == ["elasticsearch 8.15.0", "has the template"]
    engine.distribution = "opensearch"
    assert list(SINK.check(options))[:2] == [
        "opensearch 2.15.0",
        "the template is for elasticsearch: set engine = 'opensearch'",
    ]
    with pytest.raises(SinkUnavailableError):
        list(SINK.check(Options(url=f"{engine.url}/elsewhere")))


@pytest.mark.parametrize(
    ("engine_name", "kind"), [("elasticsearch", "flattened"), ("opensearch", "flat_object")]
)
def test_a_template_maps_every_member_of_a_line(engine_name: Any, kind: str) -> None:
    template = json.loads(SINK.template(Options(url="http://x", engine=engine_name)))
    mappings = template["template"]["mappings"]
    assert mappings["dynamic"] is False
    assert mappings["properties"]["data"]["type"] == kind
    said = module.of_result(result("a"), None, Options(url="http://x").place).lines.splitlines()[1]
    assert set(json.loads(said)) <= set(mappings["properties"])
    assert template["index_patterns"] == ["ci-results-result*", "ci-results-waiver*", "ci-results-decision*"]


# -- files -----------------------------------------------------------------------------------------


def test_files_are_what_a_server_takes(engine: Elastic, tmp_path: Path) -> None:
    options = Options(path=tmp_path)
    SINK.deliver(options, Batch([result("a"), result("b", time=NOON + timedelta(days=31)), result("c")]))
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"{MARCH}.ndjson",
        "ci-results-result-2026.04.ndjson",
    ]
    for path in sorted(tmp_path.iterdir()):
        engine.bulk(path.read_bytes(), "application/x-ndjson")
    assert [said["key"] for said in engine.documents()] == ["a", "c", "b"]


def test_a_file_cut_anywhere_is_whole_again_after_the_next_delivery(tmp_path: Path) -> None:
    options, path = Options(path=tmp_path), tmp_path / f"{MARCH}.ndjson"
    SINK.deliver(options, batch("a"))
    begun = path.stat().st_size
    SINK.deliver(options, batch("b", "c"))
    whole = path.read_bytes()
    for cut in {*range(begun, len(whole), 23), *range(len(whole) - 3, len(whole) + 1)}:
        path.write_bytes(whole[:cut])
        SINK.deliver(options, batch("b", "c"))
        assert path.read_bytes() == whole, f"cut at byte {cut}"


def test_a_check_of_a_folder_looks_whether_it_may_be_written(tmp_path: Path) -> None:
    assert list(SINK.check(Options(path=tmp_path))) == [f"{tmp_path} is a folder"]
    with pytest.raises(SinkUnavailableError, match="make it first"):
        list(SINK.check(Options(path=tmp_path / "no")))
    with pytest.raises(SinkUnavailableError, match="make it first"):
        SINK.deliver(Options(path=tmp_path / "no"), batch("a"))


@pytest.mark.parametrize(
    "wrong", [{}, {"url": "http://x", "path": Path("x")}, {"url": "http://x", "prefix": "Upper"}], ids=str
)
def test_options_that_contradict_each_other_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"one of them|prefix"):
        Options(**wrong)
