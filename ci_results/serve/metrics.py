"""Figures for Prometheus: requests as they are answered, and the store as it is when asked."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from ..domain.bus_message import SILENT, by_bus
from ..domain.stored import SourceState
from ..operations.policies import Policies, no_policies
from ..store.protocol import Store

TOGETHER = "PROMETHEUS_MULTIPROC_DIR"
"""The variable that names the folder where several workers add their figures up."""

BOUNDS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
COUNT_EVERY_S = 10.0
"""How old the store's figures may be: counting ten million rows takes a moment."""

SERIES = 2_000
"""Routes, methods and statuses told apart; more would be somebody's joke."""

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

Timer = tuple[Counter, Histogram]

disable_created_metrics()  # type: ignore[no-untyped-call]


class Metrics:
    """What this server, or all its workers together, did; and the figures of its store."""

    def __init__(self, store: Store, policies: Policies | None = None) -> None:
        self._own = CollectorRegistry()
        self._requests = Counter(
            "ci_results_http_requests",
            "Requests answered",
            ("route", "method", "status"),
            registry=self._own,
        )
        self._seconds = Histogram(
            "ci_results_http_request_seconds",
            "Seconds from the head of a request to the end of its answer",
            ("route", "method"),
            buckets=BOUNDS_S,
            registry=self._own,
        )
        self._known: dict[tuple[str, str, int], Timer] = {}
        self._told = CollectorRegistry()
        if TOGETHER in os.environ:
            MultiProcessCollector(self._told)  # type: ignore[no-untyped-call]
        ProcessCollector(registry=self._told)
        self._told.register(_StoreFigures(store))
        self._told.register(_PolicyFigures(policies or no_policies()))

    def seen(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one request; its counters are looked up once, for that takes most of the time."""
        known = self._known.get((route, method, status))
        if known is None:
            if len(self._known) >= SERIES:
                route = "other"
            shown = method if method in METHODS else "other"
            known = (self._requests.labels(route, shown, str(status)), self._seconds.labels(route, shown))
            self._known[route, method, status] = known
        known[0].inc()
        known[1].observe(seconds)

    def text(self) -> bytes:
        """Return all figures as Prometheus reads them. Raises StoreError."""
        own = b"" if TOGETHER in os.environ else generate_latest(self._own)
        return own + generate_latest(self._told)


class _StoreFigures(Collector):
    """The store's counts, asked when somebody asks for them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._counted_at = -COUNT_EVERY_S
        self._counts: dict[str, int] = {}
        self._quarantined = _quarantined(None)
        self._sources: tuple[SourceState, ...] = ()

    def collect(self) -> Iterator[Metric]:
        """Yield the gauges."""
        now = time.monotonic()
        if now - self._counted_at >= COUNT_EVERY_S:
            self._counts, self._counted_at = self._store.counts(), now
            self._quarantined = _quarantined(self._store)
            self._sources = tuple(self._store.sources())
        yield _gauge("results_stored", "Results in the store", self._counts["results"])
        yield from _harvests(self._sources)
        yield from _follower(self._store)
        yield from _sinks(self._store)
        yield from _listeners(self._store)
        yield self._quarantined
        yield _gauge("write_queue", "Submissions that wait to be written", self._store.waiting())


class _PolicyFigures(Collector):
    """The policies by which this process decides."""

    def __init__(self, policies: Policies) -> None:
        self._policies = policies

    def collect(self) -> Iterator[Metric]:
        """Yield the gauges."""
        in_force, since, problem = self._policies.state
        yield _gauge("policies", "Policies in force", len(in_force.policies))
        yield _gauge(
            "policies_since_seconds", "When they came into force, since 1970", int(since.timestamp())
        )
        yield _gauge(
            "policies_refused", "1 where their files say what cannot be used", int(problem is not None)
        )


def _quarantined(store: Store | None) -> Metric:
    """Return how many records wait, of each source and door that has any."""
    help_ = "Records that nobody could read yet"
    found = GaugeMetricFamily("ci_results_quarantined_records", help_, labels=["source", "door"])
    for (source, door), count in (store.quarantined_by_door() if store else {}).items():
        found.add_metric([source, door], count)
    return found


def _harvests(sources: Iterable[SourceState]) -> Iterator[Metric]:
    """Yield when each source that was ever harvested last gave all it had, and whether it does."""
    good = _by_source("good_seconds_ago", "Since the last harvest that brought all there was")
    failing = _by_source("failing", "1 where the last harvest did not")
    now = datetime.now(UTC)
    for state in sources:
        if state.last_try is not None:
            failing.add_metric([state.name], int(state.last_error is not None))
        if state.last_ok is not None:
            good.add_metric([state.name], max(0.0, (now - state.last_ok).total_seconds()))
    yield from (good, failing)


def _follower(store: Store) -> Iterator[Metric]:
    """Yield how far who records decisions is behind; nothing where nobody ever did."""
    behind = store.decisions.behind()
    if behind is not None:
        age = timedelta() if behind.oldest is None else datetime.now(UTC) - behind.oldest
        yield _gauge("follower_waiting_commits", "Commits not looked at for decisions", behind.commits)
        yield GaugeMetricFamily(
            "ci_results_follower_oldest_waiting_seconds",
            "Since the first of those",
            value=max(0.0, age.total_seconds()),
        )


def _sinks(store: Store) -> Iterator[Metric]:
    """Yield what waits for each sink that was ever delivered to."""
    waiting = _by_sink("waiting_results", "Results after its position, wanted or not")
    oldest = _by_sink("oldest_waiting_seconds", "Since the first of those was received")
    parked = _by_sink("parked_results", "Results that it refused and that wait for a person")
    now = datetime.now(UTC)
    for state in store.outbox.states():
        age = timedelta() if state.oldest is None else now - state.oldest
        waiting.add_metric([state.sink], state.waiting)
        oldest.add_metric([state.sink], max(0.0, age.total_seconds()))
        parked.add_metric([state.sink], state.parked)
    yield from (waiting, oldest, parked)


def _listeners(store: Store) -> Iterator[Metric]:
    """Yield how those fare who listen to buses, as they told it last."""
    counts = {
        "received_messages": ("received", "Messages that the bus handed over, since it listens"),
        "stored_results": ("stored", "Results that were new"),
        "quarantined_records": ("quarantined", "Records that could not be read"),
        "passed_messages": ("passed", "Messages that say nothing of a test"),
        "backlog_messages": ("backlog", "Messages that wait on the bus"),
        "lag_seconds": ("lag_s", "Age of the newest message when it was stored"),
    }
    gauges = {name: _by_bus(name, help_) for name, (_field, help_) in counts.items()}
    silent = _by_bus("told_seconds_ago", "Since it told how it fares; it does so every few seconds")
    up = _by_bus("up", "1 where it listens")
    many = _by_bus("listeners", "How many listen")
    now = datetime.now(UTC)
    for state in by_bus(store.bus.listeners(), now):
        for name, (field, _help) in counts.items():
            value = getattr(state, field)
            if value is not None:
                gauges[name].add_metric([state.name], value)
        told = now if state.told_at is None else state.told_at
        silent.add_metric([state.name], max(0.0, (now - told).total_seconds()))
        awake = state.state == "listening" and now - told <= SILENT
        up.add_metric([state.name], int(awake))
        many.add_metric([state.name], state.listeners if awake else 0)
    yield from (*gauges.values(), silent, up, many)


def _by_bus(name: str, help_: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"ci_results_bus_{name}", help_, labels=["bus"])


def _by_source(name: str, help_: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"ci_results_source_{name}", help_, labels=["source"])


def _by_sink(name: str, help_: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"ci_results_sink_{name}", help_, labels=["sink"])


def _gauge(name: str, help_: str, value: int) -> Metric:
    return GaugeMetricFamily(f"ci_results_{name}", help_, value=value)
