"""The one kind of task, a harvest of one source, and when beat sends it.

A task is acknowledged as it begins, for RabbitMQ takes one back
after half an hour, and a first harvest may take longer: one that dies with its worker comes with the
next period. One that comes twice finds the source's lease taken, and says so.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from billiard import Event
from celery import Celery
from celery.signals import worker_shutting_down

from ..config import Config
from .broker import broker_url, tls
from .harvesting import AGAIN, harvest_one

log = logging.getLogger(__name__)

TASK = "ci_results.harvest"
LONGEST_PAUSE_S = 600.0
"""RabbitMQ takes back what a worker holds for half an hour; one that pauses is held."""

CHILD_TASKS = 100
"""A worker's child is replaced after so many, with what it has not given back."""

ending = Event()
"""Set when the worker is told to end; its children, forked later, see it."""


def make(config: Config, store_url: str | None = None) -> Celery:
    """Return the application for a configuration. Raises ConfigError."""
    spread = config.spread
    made = Celery("ci_results", set_as_current=False)
    made.conf.update(
        broker_url=broker_url(spread),
        broker_use_ssl=tls(spread),
        broker_connection_retry_on_startup=True,
        task_default_queue=spread.queue,
        task_default_exchange="",
        task_default_routing_key=spread.queue,
        task_ignore_result=True,
        task_store_errors_even_if_ignored=False,
        task_acks_late=False,
        task_time_limit=spread.limit_s + spread.grace_s,
        worker_prefetch_multiplier=1,
        worker_max_tasks_per_child=CHILD_TASKS,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        task_serializer="json",
        accept_content=["json"],
        enable_utc=True,
        timezone="UTC",
        beat_schedule=schedule(config),
    )

    @made.task(bind=True, shared=False, name=TASK, max_retries=spread.retries)  # type: ignore[untyped-decorator]
    def harvest(self: Any, source: str) -> str:
        """Harvest one source; return a line about it, which goes to the log and nowhere else."""
        report = harvest_one(
            source, config.path, store_url, limit_s=spread.limit_s, ending=lambda: bool(ending.is_set())
        )
        if not report.ok:
            log.warning("%s", report.told())
        if report.state in AGAIN and self.request.retries < spread.retries:
            raise self.retry(countdown=pause_s(spread.first_pause_s, self.request.retries))
        return report.told()

    return made


def schedule(config: Config) -> dict[str, dict[str, Any]]:
    """Return what beat sends: a harvest of each source, which is void when the next one is due."""
    return {
        f"harvest {name}": {
            "task": TASK,
            "schedule": table.core.every_s,
            "args": (name,),
            "options": {"expires": table.core.every_s},
        }
        for name, table in config.sources.items()
    }


def pause_s(first_s: float, retries: int) -> float:
    """Return how long to wait before a try: 30, 60, 120, ... 600.

    >>> [pause_s(30, retries) for retries in (0, 1, 2, 9)]
    [30.0, 60.0, 120.0, 600.0]
    """
    return min(LONGEST_PAUSE_S, first_s * 2.0**retries)


def send(made: Celery, sources: Sequence[str], config: Config) -> None:
    """Send a harvest of each of these sources now, as beat does. Raises kombu's OperationalError."""
    entries = schedule(config)
    for name in sources:
        entry = entries[f"harvest {name}"]
        made.send_task(TASK, args=entry["args"], retry=False, **entry["options"])


@worker_shutting_down.connect  # type: ignore[untyped-decorator]
def _end(**_: object) -> None:
    ending.set()
