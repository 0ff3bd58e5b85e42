"""Doctor: is it me or them? What can be checked of this installation without changing it."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from ..collect.source import Source
from ..domain.bus_message import SILENT, by_bus
from ..domain.delivery import DeliveryState
from ..domain.stored import SourceState
from ..errors import CiResultsError
from ..plugin.manager import Plugins
from ..query.results import ResultQuery
from ..store.protocol import Store

NETWORK_FILE_SYSTEMS = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "fuse.sshfs", "ceph", "glusterfs"}
)
_NAMED = 5
"""Sources whose waiting records are told one by one."""
_FOLLOWED_WITHIN = timedelta(minutes=10)
_LEAST_FREE_BYTES = 1_000_000_000
_LEAST_FREE_SHARE = 0.05


class Health(StrEnum):
    """How bad it is, in a word."""

    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at; `advice` is the next command, None where nothing is to do."""

    about: str
    health: Health
    says: str
    advice: str | None = None


def examine_plugins(plugins: Plugins) -> Iterator[Finding]:
    """Name the plugins that were skipped."""
    for broken in plugins.broken:
        yield Finding(
            about="plugins",
            health=Health.BAD,
            says=f"{broken.name} ({broken.distribution}) is skipped: {broken.problem}",
            advice="ci-results plugin list",
        )
    if not plugins.broken:
        count = len(plugins.loaded)
        yield Finding(about="plugins", health=Health.GOOD, says=f"{count} loaded, none broken")


def examine_tokens(sources: Mapping[str, Source]) -> Iterator[Finding]:
    """Say which tokens cannot be read, and which files others could read."""
    fine = 0
    for source in sources.values():
        try:
            secret = source.token.read()
        except CiResultsError as err:
            advice = f"ci-results source check {source.name}"
            yield Finding(about=f"token of {source.name}", health=Health.BAD, says=str(err), advice=advice)
            continue
        file = source.token.file
        if file is not None and file.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
            says = f"{file} can be read by others: mode {stat.filemode(file.stat().st_mode)}"
            yield Finding(
                about=f"token of {source.name}", health=Health.WARNING, says=says, advice=f"chmod 600 {file}"
            )
        else:
            fine += secret is not None
    if fine:
        yield Finding(about="tokens", health=Health.GOOD, says=f"{fine} found, none open to others")


def examine_sources(
    store: Store, stale_after: Mapping[str, timedelta], now: datetime | None = None
) -> Iterator[Finding]:
    """Say which configured sources (`stale_after`, by name) never answered or not for that long."""
    moment = now or datetime.now(UTC)
    known = {state.name: state for state in store.sources()}
    fresh = 0
    for name, patience in stale_after.items():
        finding = _standing(known.get(name, SourceState(name=name)), patience, moment)
        if finding is None:
            fresh += 1
        else:
            yield finding
    if fresh:
        yield Finding(
            about="sources", health=Health.GOOD, says=f"{fresh} of {len(stale_after)} harvested in time"
        )


def examine_sinks(
    store: Store, stale_after: Mapping[str, timedelta], now: datetime | None = None
) -> Iterator[Finding]:
    """Say for which configured sinks (`stale_after`, by name) results wait too long, fail or are parked."""
    if not stale_after:
        return
    moment = now or datetime.now(UTC)
    fine = 0
    for state in store.outbox.states(list(stale_after)):
        finding = _flow(state, stale_after[state.sink], moment)
        if finding is None:
            fine += 1
        else:
            yield finding
    if fine:
        says = f"{fine} of {len(stale_after)} keep up"
        yield Finding(about="sinks", health=Health.GOOD, says=says)


def examine_buses(store: Store, buses: Collection[str], now: datetime | None = None) -> Iterator[Finding]:
    """Say which configured buses, by name, nobody listens to, or that are away."""
    moment = now or datetime.now(UTC)
    known = {state.name: state for state in by_bus(store.bus.listeners(), moment)}
    fine = 0
    for name in buses:
        about, advice = f"bus {name}", f"ci-results listen {name}"
        state = known.get(name)
        if state is None or state.told_at is None:
            yield Finding(about=about, health=Health.WARNING, says="nobody has listened yet", advice=advice)
        elif state.error is not None:
            says = f"{state.state}: {state.error}"
            yield Finding(about=about, health=Health.BAD, says=says, advice=advice)
        elif moment - state.told_at > SILENT:
            says = f"nobody listens since {state.told_at:%Y-%m-%dT%H:%M:%SZ}"
            if state.backlog:
                says += f"; {state.backlog} messages waited"
            yield Finding(about=about, health=Health.WARNING, says=says, advice=advice)
        else:
            fine += 1
    if fine:
        yield Finding(about="buses", health=Health.GOOD, says=f"{fine} of {len(buses)} are listened to")


def examine_results(store: Store, now: datetime | None = None) -> Iterator[Finding]:
    """Look at quarantine, silent jobs, and times that lie in the future."""
    moment = now or datetime.now(UTC)
    by_door = store.quarantined_by_door()
    waiting = sum(by_door.values())
    if waiting:
        most = sorted(by_door.items(), key=lambda each: -each[1])
        named = ", ".join(f"{count} of {source} ({door})" for (source, door), count in most[:_NAMED])
        more = f", and of {len(most) - _NAMED} more" if len(most) > _NAMED else ""
        says = (
            f"{waiting} record{'' if waiting == 1 else 's'} wait{'s' if waiting == 1 else ''}: {named}{more}"
        )
        yield Finding(
            about="quarantine", health=Health.WARNING, says=says, advice="ci-results quarantine list"
        )
    else:
        yield Finding(about="quarantine", health=Health.GOOD, says="empty")
    jobs = store.jobs()
    silent = [job for job in jobs if job.coverage == "silent"]
    if silent:
        example = f"{silent[0].source}: {silent[0].job}"
        says = f"{len(silent)} of {len(jobs)} jobs publish no test results, e.g. {example}"
        yield Finding(about="jobs", health=Health.WARNING, says=says, advice="ci-results coverage --silent")
    elif jobs:
        yield Finding(about="jobs", health=Health.GOOD, says=f"{len(jobs)} known, none silent")
    for newest in store.results(ResultQuery(limit=1)):
        if newest.time > moment + timedelta(minutes=2):
            says = f"the newest result is of {newest.time.isoformat()}, ahead of this machine's clock"
            yield Finding(about="clock", health=Health.WARNING, says=says, advice="timedatectl")


def examine_store(store: Store, path: Path | None) -> Iterator[Finding]:
    """Look at the store itself, its disk, and whether the file system can lock."""
    problems = store.check()
    for problem in problems:
        yield Finding(about="store", health=Health.BAD, says=problem, advice="ci-results db backup FILE")
    if not problems:
        yield Finding(about="store", health=Health.GOOD, says="sound")
    if path is not None:
        yield from examine_disk(path)


def examine_disk(path: Path, mounts: Sequence[str] | None = None) -> Iterator[Finding]:
    """Say how much room there is around `path`, and whether it lies on a network file system."""
    folder = path.resolve().parent
    usage = shutil.disk_usage(folder)
    little = usage.free < _LEAST_FREE_BYTES or usage.free < _LEAST_FREE_SHARE * usage.total
    says = f"{usage.free / 1e9:.1f} of {usage.total / 1e9:.1f} GB free at {folder}"
    yield Finding(
        about="disk",
        health=Health.WARNING if little else Health.GOOD,
        says=says,
        advice="ci-results db vacuum" if little else None,
    )
    kind = file_system(folder, _mounts() if mounts is None else mounts)
    if kind in NETWORK_FILE_SYSTEMS:
        says = f"{path} is on {kind}: SQLite's log needs a local file system"
        yield Finding(
            about="disk", health=Health.BAD, says=says, advice="ci-results db backup /local/disk/FILE"
        )
    if not os.access(folder, os.W_OK):
        says = f"{folder} cannot be written: SQLite needs its log there"
        yield Finding(about="disk", health=Health.BAD, says=says, advice=f"chmod u+w {folder}")


def file_system(folder: Path, mounts: Sequence[str]) -> str | None:
    """Return the type of the file system of `folder` from lines of /proc/mounts, None where unknown."""
    best, kind = "", None
    for line in mounts:
        fields = line.split()
        if len(fields) < 3:
            continue
        point = fields[1].encode().decode("unicode_escape")
        if folder.is_relative_to(point) and len(point) >= len(best):
            best, kind = point, fields[2]
    return kind


def examine_follower(store: Store, now: datetime | None = None) -> Iterator[Finding]:
    """Say whether decisions that change are noticed, where this store was ever followed."""
    behind = store.decisions.behind()
    if behind is None:
        return
    moment = now or datetime.now(UTC)
    if behind.oldest is not None and moment - behind.oldest > _FOLLOWED_WITHIN:
        says = (
            f"{behind.commits} commits wait since {behind.oldest:%Y-%m-%dT%H:%M:%SZ}: no change is announced"
        )
        yield Finding(about="follower", health=Health.WARNING, says=says, advice="ci-results follow")
    else:
        yield Finding(about="follower", health=Health.GOOD, says=f"keeps up, {behind.commits} commits wait")


def _mounts() -> list[str]:
    try:
        return Path("/proc/mounts").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


def _standing(state: SourceState, patience: timedelta, now: datetime) -> Finding | None:
    name = state.name
    if state.last_try is None:
        advice = f"ci-results harvest {name}"
        return Finding(about=name, health=Health.WARNING, says="was never harvested", advice=advice)
    if state.last_ok is None:
        says = f"never gave all it had: {state.last_error}"
        return Finding(about=name, health=Health.BAD, says=says, advice=f"ci-results source check {name}")
    age = now - state.last_ok
    if state.last_error is not None:
        says = f"last good harvest {state.last_ok:%Y-%m-%dT%H:%M:%SZ}; since then: {state.last_error}"
        return Finding(about=name, health=Health.BAD, says=says, advice=f"ci-results source check {name}")
    if age > patience:
        says = f"last good harvest {state.last_ok:%Y-%m-%dT%H:%M:%SZ}, {age.total_seconds() / 3600:.0f} h ago"
        return Finding(about=name, health=Health.WARNING, says=says, advice=f"ci-results harvest {name}")
    return None


def _flow(state: DeliveryState, patience: timedelta, now: datetime) -> Finding | None:
    about, waits = f"sink {state.sink}", f"{state.waiting} results wait"
    if state.oldest is not None:
        waits += f" since {state.oldest:%Y-%m-%dT%H:%M:%SZ}"
    if state.last_error is not None:
        says = f"{waits}: {state.last_error}"
        return Finding(
            about=about, health=Health.BAD, says=says, advice=f"ci-results sink check {state.sink}"
        )
    if state.oldest is not None and now - state.oldest > patience:
        advice = f"ci-results deliver {state.sink}"
        return Finding(about=about, health=Health.WARNING, says=waits, advice=advice)
    if state.parked:
        says = f"{state.parked} results were refused and are parked"
        return Finding(
            about=about, health=Health.WARNING, says=says, advice=f"ci-results sink parked {state.sink}"
        )
    return None
