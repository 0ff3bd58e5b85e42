"""Tasks of Celery, run in this process: one harvests one source, and is tried again so often."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ci_results.config import load_config
from ci_results.config_spread import Spreading
from ci_results.errors import ConfigError
from ci_results.spread.broker import broker_url, tls
from ci_results.spread.harvesting import harvest_one
from ci_results.spread.tasks import TASK, make, schedule
from ci_results.store.opening import open_store

SCRIPTED = Path(__file__).parents[1] / "scripted"
THREE = [{"see": {"key": str(n), "outcome": "SUCCESS"}} for n in range(3)]
SAFE = {"checkpoint": ""}

Configured = Callable[..., Path]


@pytest.fixture
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Configured:
    """Write a configuration with these scripted sources; None = one that is away."""
    monkeypatch.syspath_prepend(str(SCRIPTED))

    def write(more: str = "", **sources: list[dict[str, Any]] | None) -> Path:
        text = f'store = "sqlite:r.db"\n{more}\n'
        for name, lines in sources.items():
            if lines is not None:
                script = "".join(f"{json.dumps(line)}\n" for line in lines)
                (tmp_path / f"{name}.script").write_text(script)
            path = tmp_path / f"{name}.script"
            text += f'[source.{name}]\ncollector = "scripted"\nscript = "{path}"\nevery_s = 60\n'
        (tmp_path / "ci-results.toml").write_text(text)
        return tmp_path / "ci-results.toml"

    return write


def done(path: Path, source: str) -> str:
    """Run a task, with all its further tries, and return what it says."""
    made = make(load_config(path))
    return str(made.tasks[TASK].apply(args=(source,)).get())


@pytest.mark.demand("S-015")
def test_a_task_harvests_its_source_and_no_other(configured: Configured) -> None:
    path = configured(a=[*THREE, SAFE], b=[*THREE, SAFE])
    assert "source=a state=ok new=3" in done(path, "a")
    assert "source=a state=ok new=0" in done(path, "a")
    with closing(open_store(f"sqlite:{path.parent / 'r.db'}")) as store:
        assert [state.name for state in store.sources() if state.last_ok] == ["a"]


def test_a_doubled_task_is_harmless_and_says_so(
    configured: Configured, caplog: pytest.LogCaptureFixture
) -> None:
    path = configured(a=[*THREE, SAFE])
    assert "new=3" in done(path, "a")
    with closing(open_store(f"sqlite:{path.parent / 'r.db'}")) as store, store.lease("a"):
        before = store.counts()
        said = done(path, "a")
        assert store.counts() == before
        assert store.sources()[0].last_error is None
    assert "state=busy" in said
    assert "another harvest of source a is running" in caplog.text


def test_a_source_that_is_away_is_tried_so_often_and_no_more(
    configured: Configured, caplog: pytest.LogCaptureFixture
) -> None:
    path = configured("[spread]\nretries = 2\nfirst_pause_s = 0.001", a=None)
    with caplog.at_level(logging.WARNING, "ci_results.spread"):
        assert "state=unreachable" in done(path, "a")
    tries = [each for each in caplog.messages if "state=unreachable" in each]
    assert len(tries) == 1 + 2


def test_what_no_try_can_mend_is_not_tried_again(
    configured: Configured, caplog: pytest.LogCaptureFixture
) -> None:
    path = configured("[spread]\nretries = 2", a=[{"refused": "HTTP 403"}])
    assert "state=refused" in done(path, "a")
    assert "no source 'gone'" in done(path, "gone")
    assert len([each for each in caplog.messages if "state=refused" in each]) == 2


def test_a_store_that_is_away_is_told_like_a_source(configured: Configured) -> None:
    path = configured(a=THREE)
    (path.parent / "r.db").mkdir()
    report = harvest_one("a", path, None, limit_s=60)
    assert report.state == "store"


@pytest.mark.parametrize("why", ["limit", "ending"])
def test_a_long_harvest_ends_at_a_safe_point_and_goes_on_in_the_next(
    configured: Configured, why: str
) -> None:
    slow = [line for n in range(8) for line in (THREE[n % 3] | {}, {"sleep": 0.3}, SAFE)]
    path = configured(a=slow)
    limit_s = 0.01 if why == "limit" else 60
    first = harvest_one("a", path, None, limit_s=limit_s, ending=lambda: why == "ending")
    assert first.state == "stopped"
    assert first.error is None
    second = harvest_one("a", path, None, limit_s=60)
    assert second.state == "ok"
    with closing(open_store(f"sqlite:{path.parent / 'r.db'}")) as store:
        assert store.counts()["results"] == 3


def test_beat_sends_each_source_in_its_own_period_and_lets_no_tasks_pile_up(configured: Configured) -> None:
    path = configured(a=THREE, b=THREE)
    text = path.read_text().replace("every_s = 60", "every_s = 5", 1)
    path.write_text(text)
    planned = schedule(load_config(path))
    assert {name: (each["args"], each["schedule"]) for name, each in planned.items()} == {
        "harvest a": (("a",), 5.0),
        "harvest b": (("b",), 60.0),
    }
    assert all(each["options"]["expires"] == each["schedule"] for each in planned.values())
    assert make(load_config(path)).conf.beat_schedule == planned


def test_results_of_tasks_are_kept_nowhere_and_tasks_are_bounded(configured: Configured) -> None:
    path = configured("[spread]\nlimit_s = 100\ngrace_s = 20", a=THREE)
    made = make(load_config(path))
    assert made.conf.task_ignore_result
    assert made.conf.result_backend is None
    assert made.conf.task_time_limit == 120
    assert made.tasks[TASK].max_retries == 3
    assert not made.tasks[TASK].acks_late


def test_the_password_is_read_where_it_is_kept(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("p@ss/word\n")
    spread = Spreading(
        broker="amqps://ci@rabbitmq.example/ci", password_file=tmp_path / "secret", ca=tmp_path / "ca.pem"
    )
    assert broker_url(spread) == "amqps://ci:p%40ss%2Fword@rabbitmq.example/ci"
    assert "p@ss" not in repr(spread)
    assert (tls(spread) or {})["ca_certs"] == str(tmp_path / "ca.pem")
    assert tls(Spreading()) is None


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('broker = "redis://x"', "broker must be a RabbitMQ"),
        ('broker = "amqp://a:b@x/"', "no secrets in this file"),
        ("limit_s = 0", "limit_s must be at least 1.0"),
        ("retries = -1", "retries must be at least 0"),
        ('cert = "c.pem"', "cert and key go together"),
        ("worker = 3", "unknown key"),
    ],
)
def test_a_wrong_table_is_refused_with_its_key(configured: Configured, table: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        load_config(configured(f"[spread]\n{table}"))
