"""Tables `sink.NAME`: what they make, and what is said of a bad one."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

from ci_results.config import build_sinks, read_config
from ci_results.errors import ConfigError
from ci_results.sinks import configured
from ci_results.sinks.configured import ConfiguredSink
from ci_results.sinks.resultsdb import Options, ResultsDB

PATH = Path("/etc/ci/ci-results.toml")
KINDS = {"resultsdb": ResultsDB()}


def built(text: str, *names: str) -> list[ConfiguredSink]:
    return build_sinks(names, read_config(text, PATH), KINDS)


def test_a_sink_gets_its_core_keys_and_the_kind_the_rest() -> None:
    (sink,) = built(
        '[sink.far]\nkind = "resultsdb"\nurl = "https://r.example/api/v2.0"\ntimeout_s = 5\n'
        'token_file = "tokens/far"\nca = "/etc/ca.pem"\nverify = false\nsources = ["!imported"]\n'
        'testcases = ["rpm.*"]\nbegin = "now"\nbatch = 1\nretries = 0\n'
    )
    assert (sink.name, sink.sink.name, sink.keys.begin, sink.keys.batch) == ("far", "resultsdb", "now", 1)
    assert sink.options == Options(
        url="https://r.example/api/v2.0", timeout_s=5.0, token_file="/etc/ci/tokens/far",
        ca="/etc/ca.pem", verify=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('url = "x"', '[sink.far] kind: missing; write kind = "resultsdb"'),
        ('kind = "elk"\nurl = "x"', "[sink.far] kind: no plugin offers 'elk'; known are resultsdb"),
        ('kind = "resultsdb"', "[sink.far] url: missing, and a sink of kind resultsdb needs it"),
        ('kind = "resultsdb"\nurl = "x"\ntokn = "y"', "[sink.far] tokn: unknown key; known are batch, begin"),
        ('kind = "resultsdb"\nurl = "x"\ntoken = "y"', "[sink.far] token: no secrets in this file"),
        ('kind = "resultsdb"\nurl = "x"\ntoken_env = "A"\ntoken_file = "b"', "token_env is set as well"),
        ('kind = "resultsdb"\nurl = 7', "[sink.far] url: must be a text, got 7"),
        ('kind = "resultsdb"\nurl = "x"\nbatch = 0', "[sink.far] batch: must be at least 1, got 0"),
        ('kind = "resultsdb"\nurl = "x"\nretries = -1', "[sink.far] retries: must be at least 0"),
        ('kind = "resultsdb"\nurl = "x"\nbegin = "later"', "[sink.far] begin: later not in"),
        ('kind = "resultsdb"\nurl = "x"\nsources = "a"', "[sink.far] sources: must be a list, got 'a'"),
    ],
)
def test_a_bad_table_is_told_with_file_table_and_key(table: str, said: str) -> None:
    with pytest.raises(ConfigError, match=r"^/etc/ci/ci-results\.toml: ") as caught:
        built(f"[sink.far]\n{table}\n")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "names", "said"),
    [
        ("", (), "no sink is configured"),
        ('[sink.far]\nkind = "resultsdb"\nurl = "x"', ("near",), "no sink 'near'; known are far"),
        ('[sink.Far]\nkind = "resultsdb"', (), "sink name 'Far': use lower case letters"),
        ("[sink]\nfar = 1", (), "[sink.far] must be a table"),
        ("sink = 1", (), "sink must be a table"),
    ],
)
def test_a_sink_that_is_not_there_is_told(text: str, names: tuple[str, ...], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        built(text, *names)
    assert said in str(caught.value)


def test_the_examples_hold() -> None:
    assert doctest.testmod(configured).failed == 0
