"""What rules need that no store has: files with rules of their own, and what builds are made of.

All of it is read before the store is: nothing waits for a host while a moment of the store is held.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import chain
from threading import Lock
from typing import TypeVar

from ...decide.policy_set import Settings
from ...decide.remote_address import Source, address, build_not_found, needs_source, source_of, templates
from ...domain.asked import BuildTimeOf, Fetched, Question, RemoteFileOf
from ...domain.build import Build
from ...domain.reach import Reach
from ...errors import CollectError, InvalidError, NotFoundError
from ...plugin.faults import plugin_call
from ...plugin.http import SourceSession
from ...plugin.lookups import ConfiguredLookup
from .fetching import Fetcher, again
from .kept import Kept

ADDRESSES = 20
"""Of one rule: a request may bring rules, and each address is asked in turn."""

BUILDS = 20_000
_BUILD_TTL_S = 3_600.0
"""What is known of a build does not change."""

A = TypeVar("A")
B = TypeVar("B")

Told = Build | CollectError | InvalidError | None


class Outside:
    """Asks hosts and a build system, within the bounds of `reach`. Threads may share it; close it."""

    def __init__(self, settings: Settings, reach: Reach, lookup: ConfiguredLookup | None = None) -> None:
        self._settings, self._reach, self._lookup = settings, reach, lookup
        known = [*settings.remote_rule_policies.values(), (settings.dist_git_url_template or "",)]
        self._files, self._hub = self._session(), self._session()
        self._fetcher = Fetcher(self._files, reach, filter(None, chain.from_iterable(known)))
        self._builds: Kept[str, Told] = Kept(BUILDS)
        self._pool: ThreadPoolExecutor | None = None
        self._lock = Lock()

    def files(self, asked: Iterable[RemoteFileOf]) -> dict[RemoteFileOf, Fetched]:
        """Fetch remote rule files, several at once; why one could not be had is in it."""
        return dict(self._each(self.file, asked))

    def build_times(
        self, asked: Iterable[BuildTimeOf]
    ) -> tuple[dict[BuildTimeOf, datetime], dict[Question, str]]:
        """Return when subjects were built, and of those where it cannot be told why."""
        times: dict[BuildTimeOf, datetime] = {}
        unanswered: dict[Question, str] = {}
        for each, found in self._each(self._built_at, asked):
            if isinstance(found, datetime):
                times[each] = found
            else:
                unanswered[each] = f"when {each.subject} was built is not known: {found}"
        return times, unanswered

    def file(self, asked: RemoteFileOf) -> Fetched:
        """Fetch one: the first of its addresses that has a file."""
        tried: list[str] = []
        try:
            for url in self._addresses(asked):
                tried.append(url)
                text = self._fetcher.fetch(url)
                if text is not None:
                    return Fetched(text, url, tuple(tried))
        except NotFoundError:
            return Fetched(tried=tuple(tried), error=build_not_found(asked))
        except InvalidError as err:
            return Fetched(tried=tuple(tried), error=str(err))
        except CollectError as err:
            return Fetched(tried=tuple(tried), error=str(err), away=True)
        return Fetched(tried=tuple(tried))

    def close(self) -> None:
        """Let go of threads and connections."""
        with self._lock:
            if self._pool is not None:
                self._pool.shutdown(wait=False, cancel_futures=True)
        self._files.close()
        self._hub.close()

    def _addresses(self, asked: RemoteFileOf) -> Iterator[str]:
        """Yield addresses to try; the build is looked up where the first needs it.

        Raises NotFoundError where there is no such build, InvalidError with the peer's words, CollectError.
        """
        chosen = templates(asked, self._settings)
        if not chosen:
            raise CollectError(
                f"no address of remote rule files is known for {asked.subject.type};"
                " set remote_rule_policies of [gate]"
            )
        if len(chosen) > ADDRESSES:
            raise InvalidError(f"a remote rule names {len(chosen)} addresses; name at most {ADDRESSES}")
        source: Source | None = None
        looked_up = False
        for template in chosen:
            if needs_source(template) and not looked_up:
                source, looked_up = self._source(asked.subject.identifier), True
            try:
                url = address(template, asked.subject.identifier, source)
            except ValueError as err:
                raise InvalidError(str(err)) from err
            if url is not None:
                yield url

    def _source(self, identifier: str) -> Source | None:
        try:
            build = self.build(identifier)
        except InvalidError as err:
            raise InvalidError(f"Failed to get remote policies: 400 Bad Request: {err}") from err
        if build is None:
            raise NotFoundError(f"no build {identifier}")
        if build.source is None:
            return None
        try:
            return source_of(build.source, build.nvr, build.told_by)
        except ValueError as err:
            raise InvalidError(str(err)) from err

    def _built_at(self, asked: BuildTimeOf) -> datetime | str:
        try:
            build = self.build(asked.subject.identifier)
        except (CollectError, InvalidError) as err:
            return str(err)
        if build is None:
            return "there is no such build"
        return build.built_at or f"{build.told_by} tells no time of it"

    def build(self, nvr: str) -> Build | None:
        """Return a build, None where there is none. Raises CollectError; InvalidError for what is no NVR."""
        if self._lookup is None:
            raise CollectError(
                'no system is configured that knows builds; write [gate.builds] kind = "koji" and its url'
            )
        found = self._builds.get(nvr, lambda _: self._ask(nvr))
        if isinstance(found, (CollectError, InvalidError)):
            raise again(found)
        return found

    def _ask(self, nvr: str) -> tuple[Told, float]:
        lookup = self._lookup
        assert lookup is not None  # noqa: S101 (`build` has looked)
        told: Told
        try:
            with plugin_call(f"build {nvr[:80]}", lookup.lookup):
                try:
                    told = lookup.lookup.build(lookup.options, nvr, self._hub)
                except InvalidError as err:
                    return err, self._reach.missing_ttl_s
        except CollectError as err:
            return err, self._reach.error_ttl_s
        return told, _BUILD_TTL_S if told is not None else self._reach.missing_ttl_s

    def _each(self, do: Callable[[A], B], asked: Iterable[A]) -> Iterator[tuple[A, B]]:
        several = list(dict.fromkeys(asked))
        if len(several) < 2:
            yield from ((each, do(each)) for each in several)
            return
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(self._reach.parallel, thread_name_prefix="outside")
        yield from zip(several, self._pool.map(do, several), strict=True)

    def _session(self) -> SourceSession:
        reach = self._reach
        return SourceSession(
            parallel=reach.parallel, connect_s=min(5.0, reach.timeout_s), read_s=reach.timeout_s,
            deadline_s=reach.timeout_s, attempts=reach.attempts, pause_s=0.2, max_bytes=reach.max_bytes,
            ca=reach.ca, leaves_origin=False,
        )  # fmt: skip
