"""The sink archive: what a run had is kept once, bounded, and from nowhere but its own source."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar

import pytest
import requests
from environments import tool
from fake_files import Files

from ci_results.config import build_sinks, read_config
from ci_results.domain.batch import Batch
from ci_results.domain.result import Result
from ci_results.domain.run import Run
from ci_results.errors import ConfigError, NotFoundError, SinkUnavailableError
from ci_results.plugin.addresses import SourceAddress
from ci_results.plugin.token import Token
from ci_results.sinks import builtin
from ci_results.sinks.archive import ArchiveSink, Options
from ci_results.sinks.archiving import Archive, Record, open_archive
from ci_results.testing import SinkContract
from ci_results.testing.store_contract import result

SINK = ArchiveSink()
LOG = b"Started by timer\nFinished: FAILURE\n"


@pytest.fixture
def ci() -> Iterator[Files]:
    with Files().serve() as serving:
        serving.at = {"/job/x/1/consoleText": LOG, "/job/x/1/api/json": b'{"number": 1}'}
        yield serving


def built(ci: Files, number: int = 1, **fields: Any) -> Result:
    now = datetime.now(UTC)
    run = Run(key=f"x#{number}", ref_url=f"{ci.url}/job/x/{number}/")
    return result(f"k{number}", **({"run": run, "time": now} | fields))


@pytest.fixture
def options(ci: Files, tmp_path: Path) -> Options:
    return Options(path=tmp_path / "cold", origins=(SourceAddress(source="ci", url=ci.url),))


def kept(options: Options, url: str) -> Record | None:
    return open_archive(options.place).record(url)


def text_of(options: Options, name: str | None) -> bytes:
    return b"".join(open_archive(options.place).open(name or "")[1])


class TestArchive(SinkContract):
    sink = SINK
    plugin = builtin
    options: ClassVar[Options]
    ci: ClassVar[Files]

    @pytest.fixture(autouse=True)
    def _placed(self, ci: Files, options: Options) -> None:
        type(self).options, type(self).ci = options, ci

    def batch(self) -> list[Result]:
        return [built(self.ci)]

    def received(self) -> int:
        record = kept(self.options, f"{self.ci.url}/job/x/1/")
        return 0 if record is None else 1


@pytest.mark.demand("S-124")
def test_the_log_still_opens_after_the_build_is_gone(ci: Files, options: Options) -> None:
    SINK.deliver(options, Batch([built(ci)]))
    ci.at.clear()
    record = kept(options, f"{ci.url}/job/x/1/")
    assert record is not None
    assert [(file.name, file.sha256, file.size) for file in record.files] == [
        ("consoleText", sha256(LOG).hexdigest(), len(LOG)),
        ("api/json", sha256(b'{"number": 1}').hexdigest(), 13),
    ]
    assert (record.source, record.run) == ("ci", "x#1")
    assert text_of(options, record.files[0].sha256) == LOG


def test_a_run_is_fetched_once_however_many_results_it_has(ci: Files, options: Options) -> None:
    many = [built(ci), replace(built(ci), key="other"), replace(built(ci), key="third")]
    SINK.deliver(options, Batch(many))
    SINK.deliver(options, Batch(many))
    assert ci.asked == ["/job/x/1/consoleText", "/job/x/1/api/json"]


def test_the_same_bytes_are_kept_once(ci: Files, options: Options) -> None:
    ci.at |= {f"/job/x/{number}/consoleText": LOG for number in range(2, 5)}
    SINK.deliver(options, Batch([built(ci, number) for number in range(1, 5)]))
    assert open_archive(options.place).recount() == (2, len(LOG) + 13)
    record = kept(options, f"{ci.url}/job/x/4/")
    assert record is not None
    assert record.files[1].lacks == "not there any more"


def test_a_run_that_has_not_ended_is_not_fetched(ci: Files, options: Options) -> None:
    SINK.deliver(options, Batch([built(ci, outcome="running")]))
    assert ci.asked == []


def test_artifacts_of_a_build_are_kept_by_their_globs(ci: Files, options: Options) -> None:
    paths = ["logs/a b.txt", "logs/b.txt", "core.bin", "../../../secret", 7, "logs/../../../../x.txt"]
    ci.at["/job/x/1/api/json"] = json.dumps(
        {"artifacts": [{"relativePath": path} for path in paths]}
    ).encode()
    ci.at |= {"/job/x/1/artifact/logs/a%20b.txt": b"a", "/job/x/1/artifact/logs/b.txt": b"b"}
    SINK.deliver(replace(options, files=(), artifacts=("*.txt", "*secret")), Batch([built(ci)]))
    record = kept(options, f"{ci.url}/job/x/1/")
    assert record is not None
    assert [file.name for file in record.files] == ["artifact/logs/a%20b.txt", "artifact/logs/b.txt"]
    assert [file.size for file in record.files] == [1, 1]


# -- bounds ----------------------------------------------------------------------------------------


def test_a_file_that_is_too_large_is_noted_and_not_kept(ci: Files, options: Options) -> None:
    ci.at["/job/x/1/consoleText"] = b"x" * 1_001
    SINK.deliver(replace(options, max_file_bytes=1_000), Batch([built(ci)]))
    record = kept(options, f"{ci.url}/job/x/1/")
    assert record is not None
    assert [file.lacks for file in record.files] == ["larger than max_file_bytes, 1000", None]


def test_a_full_archive_takes_no_more_until_somebody_acts(ci: Files, options: Options) -> None:
    ci.at |= {"/job/x/2/consoleText": b"y" * 50, "/job/x/2/api/json": b"{}"}
    small = replace(options, max_total_bytes=60)
    with pytest.raises(SinkUnavailableError, match="is full: 48 bytes and 50 more") as caught:
        SINK.deliver(small, Batch([built(ci, 1), built(ci, 2)]))
    assert caught.value.delivered == 1
    assert kept(options, f"{ci.url}/job/x/2/") is None
    SINK.deliver(replace(options, max_total_bytes=200), Batch([built(ci, 2)]))
    assert kept(options, f"{ci.url}/job/x/2/") is not None


def test_a_check_counts_what_is_there_and_puts_the_count_right(ci: Files, options: Options) -> None:
    SINK.deliver(options, Batch([built(ci)]))
    assert options.path is not None
    for count in (b'{"bytes": 999999}', b"torn"):
        (options.path / "used.json").write_bytes(count)
        assert list(SINK.check(options)) == [
            f"{options.path}: 2 files, 48 of {options.max_total_bytes} bytes",
            f"fetches from {ci.url} for results of ci",
        ]
        assert json.loads((options.path / "used.json").read_bytes()) == {"bytes": 48}
    with pytest.raises(SinkUnavailableError, match="nothing to fetch"):
        list(SINK.check(replace(options, origins=())))


def test_a_blob_that_a_crash_tore_is_written_anew(ci: Files, options: Options) -> None:
    SINK.deliver(options, Batch([built(ci)]))
    digest = sha256(LOG).hexdigest()
    assert options.path is not None
    (options.path / "blobs" / digest[:2] / digest[2:]).write_bytes(LOG[:5])
    ci.at["/job/x/2/consoleText"] = LOG
    SINK.deliver(options, Batch([built(ci, 2)]))
    assert text_of(options, digest) == LOG


def test_a_record_that_is_damaged_is_written_anew(ci: Files, options: Options) -> None:
    SINK.deliver(options, Batch([built(ci)]))
    assert options.path is not None
    (path,) = options.path.glob("runs/*/*")
    whole = json.loads(path.read_bytes())["files"]
    path.write_bytes(path.read_bytes()[:20])
    SINK.deliver(options, Batch([built(ci)]))
    assert json.loads(path.read_bytes())["files"] == whole


# -- where from ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:1/job/x/1/",
        "file:///etc/",
        "{ci}/elsewhere/1/",
        "{ci}/job/../secret/",
        "{ci}/job/%2e%2e/secret/",
        "{ci}/job/%252e%252e/secret/",
        "{ci}/job/x\\..\\..\\secret/",
        "{ci}/job/x/1/?tree=secret",
        "{ci}/job/x/1/#",
        "http://user@{host}/job/x/1/",
        "not an address",
        "http://[::1/",
    ],
)
def test_nothing_is_fetched_but_from_below_the_source(ci: Files, options: Options, address: str) -> None:
    wary = replace(options, origins=(SourceAddress(source="ci", url=f"{ci.url}/job"),))
    url = address.format(ci=ci.url, host=ci.url.removeprefix("http://"))
    given = built(ci)
    assert given.run is not None
    SINK.deliver(wary, Batch([replace(given, run=replace(given.run, ref_url=url))]))
    assert ci.asked == [] or url.endswith("#")


def test_a_result_that_another_door_brought_fetches_nothing(ci: Files, options: Options) -> None:
    SINK.deliver(options, Batch([replace(built(ci), source="resultsdb")]))
    assert ci.asked == []


def test_the_token_goes_to_its_source_and_no_redirect_is_followed_away(
    ci: Files, options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JTOKEN", "secret")
    at = SourceAddress(source="ci", url=ci.url, user="u", token=Token("JTOKEN"))
    with Files().serve() as other:
        ci.answers["/job/x/1/consoleText"] = (302, {"Location": f"{other.url}/log"})
        with pytest.raises(SinkUnavailableError, match="redirects to"):
            SINK.deliver(replace(options, origins=(at,)), Batch([built(ci)]))
        assert other.asked == []
    assert ci.shown == ["Basic dTpzZWNyZXQ="]


def test_a_login_page_is_no_log(ci: Files, options: Options) -> None:
    ci.at["/login"] = b"<html>log in</html>"
    ci.answers["/job/x/1/consoleText"] = (302, {"Location": "/login"})
    with pytest.raises(SinkUnavailableError, match="may be a login page"):
        SINK.deliver(options, Batch([built(ci)]))


@pytest.mark.parametrize("status", [401, 403, 500])
def test_a_source_that_does_not_answer_well_is_waited_for_and_in_the_end_given_up(
    ci: Files, options: Options, status: int
) -> None:
    ci.answers["/job/x/1/consoleText"] = (status, {})
    with pytest.raises(SinkUnavailableError) as caught:
        SINK.deliver(options, Batch([built(ci)]))
    assert caught.value.delivered == 0
    SINK.deliver(options, Batch([built(ci, time=datetime.now(UTC) - timedelta(hours=73))]))
    record = kept(options, f"{ci.url}/job/x/1/")
    assert record is not None
    assert (record.files[0].lacks or "").startswith("could not be fetched in time: http://127")


# -- configuration ---------------------------------------------------------------------------------


def test_the_core_gives_the_addresses_of_the_sources(tmp_path: Path) -> None:
    text = """
        [source.main]
        collector = "jenkins"
        url = "https://ci.example"
        user = "u"
        token_file = "token"
        [source.none]
        collector = "jenkins"
        [sink.cold]
        kind = "archive"
        path = "cold"
    """
    config = read_config(text, tmp_path / "ci-results.toml")
    (sink,) = build_sinks((), config, {"archive": SINK})
    assert sink.options.path == tmp_path / "cold"
    token = Token(None, tmp_path / "token")
    assert sink.options.origins == (
        SourceAddress(source="main", url="https://ci.example", user="u", token=token),
    )
    with pytest.raises(ConfigError, match="origins: unknown key"):
        build_sinks((), read_config(f"{text}\norigins = []", tmp_path / "x.toml"), {"archive": SINK})


def test_no_source_is_called_as_those_are_who_post(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="`api`"):
        read_config('[source.api]\ncollector = "jenkins"', tmp_path / "ci-results.toml")


@pytest.mark.parametrize(
    "wrong",
    [{}, {"path": Path("x"), "url": "s3://b"}, {"url": "http://b"}, {"path": Path("x"), "max_files": 0}],
    ids=str,
)
def test_options_that_cannot_be_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"one of them|s3://|positive"):
        Options(**wrong)


def test_a_folder_that_cannot_be_written_keeps_all_waiting(
    ci: Files, options: Options, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SinkUnavailableError, match="Not a directory"):
        SINK.deliver(replace(options, path=tmp_path / "file" / "cold"), Batch([built(ci)]))


@pytest.mark.parametrize("name", ["", "x", "../../etc/passwd", "A" * 64, "0" * 64])
def test_only_what_is_kept_is_read(options: Options, name: str) -> None:
    with pytest.raises(NotFoundError):
        open_archive(options.place).open(name)


# -- S3 --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = [str(tool("moto_server") or shutil.which("moto_server")), "-H", "127.0.0.1", "-p", str(port)]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(words, stdout=quiet, stderr=quiet, start_new_session=True) as server:
        url = f"http://127.0.0.1:{port}"
        try:
            _until(lambda: requests.put(f"{url}/bucket", timeout=5).ok)
            yield url
        finally:
            os.killpg(server.pid, signal.SIGKILL)


def _until(ready: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            assert ready()
        except requests.ConnectionError:
            assert time.monotonic() < end
            time.sleep(0.05)
        else:
            return


@pytest.mark.needs("moto_server")
@pytest.mark.demand("S-124")
def test_a_bucket_keeps_what_a_folder_does(
    s3: str, ci: Files, options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "k")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    far = replace(options, path=None, url="s3://bucket/cold", endpoint=s3)
    ci.at["/job/x/2/consoleText"] = LOG
    SINK.deliver(far, Batch([built(ci, 1), built(ci, 2)]))
    SINK.deliver(far, Batch([built(ci, 1)]))
    assert ci.asked.count("/job/x/1/consoleText") == 1
    archive: Archive = open_archive(far.place)
    record = archive.record(f"{ci.url}/job/x/2/")
    assert record is not None
    assert text_of(far, record.files[0].sha256) == LOG
    assert archive.recount() == (2, len(LOG) + 13)
    ci.at["/job/x/3/consoleText"] = b"z" * 50
    with pytest.raises(SinkUnavailableError, match="is full"):
        SINK.deliver(replace(far, max_total_bytes=60), Batch([built(ci, 3)]))
    with pytest.raises(SinkUnavailableError, match="s3://nowhere"):
        SINK.deliver(replace(far, url="s3://nowhere/cold"), Batch([built(ci, 1)]))
