from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest

from ci_results.config import Config, build_source, build_sources, load_config, read_config
from ci_results.errors import ConfigError
from ci_results.plugin.contract import Collector, Seen
from ci_results.plugin.token import Token

PATH = Path("/etc/ci/ci-results.toml")


@dataclass(frozen=True, kw_only=True)
class Rule:
    pattern: str
    parameter: str | None = None


@dataclass(frozen=True, kw_only=True)
class Options:
    url: str
    jobs: str | tuple[str, ...] = ()
    item: tuple[Rule, ...] = ()
    fallback: Literal["build", "quarantine"] = "build"
    limit: float = 1.0
    labels: dict[str, str] = field(default_factory=dict)
    folder: Path | None = None


class Acme(Collector[Options]):
    name = "acme"
    options = Options

    def harvest(self, options: Options, cursor: str | None, http: Any) -> Iterator[Seen]:
        return iter(())


COLLECTORS: dict[str, Collector[Any]] = {"acme": Acme()}


def config(text: str) -> Config:
    return read_config(text, PATH)


def source(table: str) -> Any:
    read = config(f'[source.a]\ncollector = "acme"\n{table}')
    return build_source(read.sources["a"], read, COLLECTORS)


def test_a_source_gets_its_core_keys_and_the_collector_the_rest() -> None:
    built = source(
        'url = "http://a"\nowner = "qe"\nparallel = 8\ntoken_file = "tokens/a"\njobs = ["x*"]\nlimit = 2\n'
        'outcomes = { UNSTABLE = "NEEDS_INSPECTION" }\n[[source.a.item]]\npattern = "(?P<nvr>.*)"\n'
    )
    assert built.options == Options(
        url="http://a", jobs=("x*",), limit=2.0, item=(Rule(pattern="(?P<nvr>.*)"),)
    )
    assert (built.name, built.url, built.owner, built.parallel) == ("a", "http://a", "qe", 8)
    assert built.token == Token(file=Path("/etc/ci/tokens/a"))
    assert built.outcomes == {"unstable": "NEEDS_INSPECTION"}


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("", "[source.a] url: missing, and collector acme needs it"),
        ("url = 7", "[source.a] url: must be a text, got 7"),
        ('url = "x"\njob = "y"', "[source.a] job: unknown key; known are ca, collector, contact"),
        ('url = "x"\njobs = [1]', "[source.a] jobs[0]: must be a text, got 1"),
        ('url = "x"\nitem = "y"', "[source.a] item: must be a list, got 'y'"),
        ('url = "x"\nitem = ["y"]', "[source.a] item[0]: must be a table"),
        ('url = "x"\nitem = [{ patern = "y" }]', "[source.a] item[0].patern: unknown key; known are pattern"),
        ('url = "x"\nitem = [{ parameter = "y" }]', "[source.a] item[0].pattern: missing"),
        ('url = "x"\nlabels = { a = 1 }', "[source.a] labels.a: must be a text, got 1"),
        ('url = "x"\nlimit = "1"', "[source.a] limit: must be a number, got '1'"),
        ('url = "x"\nlimit = true', "[source.a] limit: must be a number, got True"),
        ('url = "x"\nfallback = "c"', "[source.a] fallback: c not in"),
        ('url = "x"\nparallel = 0', "[source.a] parallel: must be at least 1, got 0"),
        ('url = "x"\nparallel = "4"', "[source.a] parallel: must be a whole number, got '4'"),
        ('url = "x"\ntoken = "s3cret"', "[source.a] token: no secrets in this file"),
        ('url = "x"\ntoken_env = "A"\ntoken_file = "b"', "[source.a] token_file: token_env is set as well"),
        ('url = "x"\noutcomes = { X = "GREEN" }', "[source.a] outcomes.X: 'GREEN' is none of"),
    ],
)
def test_an_error_names_file_table_and_key(table: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        source(table)
    assert str(caught.value).startswith(f"{PATH}: {said}")
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("store = 1", "store: must be a text, got 1"),
        ("stor = 'x'", "unknown key stor; known are"),
        ("store = 'x", f"{PATH}: Expected"),
        ("[serve]\nprot = 1", "[serve] prot: unknown key; known are host, port"),
        ("[serve]\nmax_body_bytes = 0", "[serve]: max_body_bytes must be positive, got 0"),
        ("[serve]\nworkers = -1", "[serve]: workers must be positive, got -1"),
        ("[serve]\nrate_per_s = -1.0", "[serve]: rate_per_s must not be negative, got -1.0"),
        ("[serve]\nreceive_timeout_s = '1'", "[serve] receive_timeout_s: must be a number, got '1'"),
        ("[serve]\ncors = 'https://ci.example'", "[serve] cors: must be a list, got 'https://ci.example'"),
        ("source = 1", "source must be a table"),
        ("[source.a]\nurl = 'x'", '[source.a] collector: missing; write collector = "jenkins"'),
        ("[source.'a b']\ncollector = 'acme'", ""),
    ],
)
def test_an_error_outside_a_source_names_file_and_key(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config(text)
    assert said in str(caught.value)


def test_an_unknown_collector_names_those_there_are() -> None:
    read = config('[source.a]\ncollector = "jenkinz"')
    with pytest.raises(
        ConfigError, match=r"\[source.a\] collector: no plugin offers 'jenkinz'; known are acme"
    ):
        build_source(read.sources["a"], read, COLLECTORS)


def test_an_unknown_source_names_those_there_are() -> None:
    read = config('[source.a]\ncollector = "acme"\nurl = "x"')
    with pytest.raises(ConfigError, match=r"no source 'b'; known are a"):
        build_sources(["b"], read, COLLECTORS)


def test_no_source_at_all_says_how_to_add_one() -> None:
    with pytest.raises(ConfigError, match="ci-results source add"):
        build_sources([], config(""), COLLECTORS)


def test_outcomes_may_be_added_and_mapped_to() -> None:
    read = config(
        'outcomes = ["CRASHED"]\n[source.a]\ncollector = "acme"\nurl = "x"\noutcomes = { core = "CRASHED" }'
    )
    assert build_source(read.sources["a"], read, COLLECTORS).outcomes == {"core": "CRASHED"}


@pytest.mark.parametrize(
    ("written", "meant"),
    [("saved", "/etc/ci/saved"), ("../saved", "/etc/ci/../saved"), ("/srv/saved", "/srv/saved")],
)
def test_a_path_of_a_collector_counts_from_the_folder_of_the_file(written: str, meant: str) -> None:
    assert source(f'url = "http://a"\nfolder = "{written}"').options.folder == Path(meant)


def test_a_path_may_begin_at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert source('url = "http://a"\nfolder = "~/saved"').options.folder == Path("/home/me/saved")


@pytest.mark.parametrize("written", ["7", '""', '["a"]'])
def test_a_path_that_is_none_is_an_error(written: str) -> None:
    with pytest.raises(ConfigError, match=r"\[source\.a\] folder: must be the path"):
        source(f'url = "http://a"\nfolder = {written}')


def test_without_a_file_the_defaults_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_config(None) == Config()
    (tmp_path / "ci-results.toml").write_text('store = "sqlite:x.db"\n')
    assert load_config(None).store == "sqlite:x.db"


def test_a_named_file_that_is_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        load_config(tmp_path / "none.toml")


def test_a_token_is_read_anew_each_time_and_never_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "token"
    file.write_text("first\n")
    token = Token(file=file)
    assert token.read() == "first"
    file.write_text("second\n")
    assert token.read() == "second"
    monkeypatch.setenv("JTOKEN", "third")
    assert Token(env="JTOKEN").read() == "third"
    built = source('url = "x"\ntoken_env = "JTOKEN"')
    assert "third" not in repr(built)
    assert Token().read() is None


@pytest.mark.parametrize("content", ["", "  \n"])
def test_an_empty_token_is_an_error(tmp_path: Path, content: str) -> None:
    (tmp_path / "token").write_text(content)
    with pytest.raises(ConfigError, match="is empty"):
        Token(file=tmp_path / "token").read()


@dataclass(frozen=True, kw_only=True)
class ReportOptions:
    """Options that want to know how words are mapped."""

    outcomes: tuple[tuple[str, str], ...] = ()


class Reports(Acme):
    name = "reports"
    options = ReportOptions  # type: ignore[assignment]


def reports(table: str) -> Any:
    read = config(f'[source.a]\ncollector = "reports"\n{table}')
    return build_source(read.sources["a"], read, {"reports": Reports()}).options


def test_a_collector_that_wants_to_know_gets_the_mapping_of_words() -> None:
    assert reports('outcomes = { Added = "FAILED" }').outcomes == (("Added", "FAILED"),)
    with pytest.raises(ConfigError, match=r"outcomes\.Added: 'BROKEN' is none of"):
        reports('outcomes = { Added = "BROKEN" }')
