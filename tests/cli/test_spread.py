"""`ci-results spread`: what is sent when, and what starts those who take it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from typing import Any

import click
from celery.bin.celery import celery
from click.testing import Result

Ask = Callable[..., Result]


def test_it_shows_the_periods_and_commands_that_celery_takes(ask: Ask, configured: Any) -> None:
    configured("every_s = 30\n", a=[], b=[])
    done = ask("spread", "a")
    assert done.exit_code == 0, done.output
    assert re.findall(r"^(\w+) +(\d+) s$", done.stdout, re.MULTILINE) == [("a", "30")]
    shown = done.stderr.partition("next: ")[2].strip().split(" · ")
    assert len(shown) == 2
    for words in map(shlex.split, shown):
        assert words[:3] == ["celery", "-A", "ci_results.spread.app"]
        command = celery.commands[words[3]]
        parser = command.make_parser(click.Context(command, resilient_parsing=True))
        _values, left, _order = parser.parse_args(words[4:])
        assert left == []


def test_a_broker_that_is_away_is_told_with_its_place(ask: Ask, configured: Any, folder: Any) -> None:
    configured(a=[])
    with (folder / "ci-results.toml").open("a") as config:
        config.write('[spread]\nbroker = "amqp://127.0.0.1:1/"\n')
    done = ask("spread", "--send")
    assert done.exit_code == 3
    assert "amqp://127.0.0.1:1/" in done.stderr
    assert "is RabbitMQ there" in done.stderr


def test_a_source_that_is_not_there_is_refused(ask: Ask, configured: Any) -> None:
    configured(a=[])
    assert ask("spread", "--send", "b").exit_code == 3
