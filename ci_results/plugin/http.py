"""SourceSession: the one way in which collectors speak HTTP, polite to servers and wary of them.

It owns time-outs, retries, bounds and credentials, and turns every failure into a CollectError, so
that a collector only asks. Client libraries get it as their session: it is a requests.Session.
"""

from __future__ import annotations

import io
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from threading import BoundedSemaphore, Event, Lock, local
from typing import IO, Any, cast

import requests
import urllib3
from requests.adapters import HTTPAdapter

from ..errors import CollectError, ConfigError, SourceGarbledError, SourceUnavailableError, shown
from .http_ahead import Ask, ask_ahead
from .http_answer import AWAY, CHUNK, as_json, away, chunks, refusal, where
from .http_cache import Remembered
from .http_origin import OriginAuth, origin, redirected
from .http_stream import BoundedStream, File

__all__ = ["Ask", "SourceSession"]

MAX_REDIRECTS = 5
MEGABYTE = 1_048_576
LONGEST_WAIT_S = 30.0

_BROKEN = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)


class SourceSession(requests.Session):
    """A session with one source.

    url         the source's address: the token goes to its origin only (None: to the first one asked)
    user, token Basic authentication with both, `scheme` (Bearer) with a token alone; never shown
    parallel    requests in flight at once, over all threads
    connect_s, read_s  time-outs of one attempt; deadline_s: the longest that one body may take
    attempts    tries where the server is away (refused, 429, 502, 503, 504), with growing pauses
    pause_s     the first pause; Retry-After is obeyed up to 30 s
    max_bytes   the largest body that is read whole, after decompression
    ca          file of certificates to trust, None = the system's
    leaves_origin  whether a redirect to another host is followed (never with credentials)

    `requests_sent` and `bytes_received` (on the wire) count what it did. Threads may share it.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        user: str | None = None,
        token: str | None = None,
        scheme: str = "Bearer",
        parallel: int = 4,
        connect_s: float = 5.0,
        read_s: float = 60.0,
        deadline_s: float = 600.0,
        attempts: int = 4,
        pause_s: float = 0.5,
        max_bytes: int = 256 * MEGABYTE,
        ca: str | None = None,
        leaves_origin: bool = True,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        super().__init__()
        if token is not None and not token.isprintable():
            raise ConfigError("the token holds unprintable characters; check token_env or token_file")
        self.auth = OriginAuth(token, user, origin(url) if url else None, scheme)
        self.parallel = parallel
        self.max_bytes = max_bytes
        self.requests_sent = 0
        self.bytes_received = 0
        self.headers["Accept"] = "application/json, */*;q=0.5"
        self.headers["Accept-Encoding"] = "gzip"
        self.headers["User-Agent"] = "ci-results"
        if ca is not None:
            self.verify = ca
        for scheme in ("https://", "http://"):
            self.mount(scheme, HTTPAdapter(pool_connections=4, pool_maxsize=parallel, max_retries=0))
        self._timeout = connect_s, read_s
        self._deadline_s = deadline_s
        self._attempts = attempts
        self._leaves_origin = leaves_origin
        self._pause_s = pause_s
        self._closed = Event()
        self._sleep = sleep or self._closed.wait
        self._slots = BoundedSemaphore(parallel)
        self._held = local()
        self._counting = Lock()
        self._pool: ThreadPoolExecutor | None = None
        self._remembered = Remembered()

    def __repr__(self) -> str:
        return (
            f"SourceSession(auth={self.auth!r}, parallel={self.parallel}, requests_sent={self.requests_sent})"
        )

    def sign_in_as(self, user: str | None) -> None:
        """Send the token as the password of `user`, as Jenkins wants it; None changes nothing."""
        if user is not None and isinstance(self.auth, OriginAuth):
            self.auth.user = user

    # -- what collectors ask -------------------------------------------------------------------------

    def get_json(self, url: str, **params: Any) -> Any:
        """Return the JSON at `url`; params that are None are left out. Raises CollectError."""
        return as_json(self.fetch(url, **params))

    def get_list(self, url: str, **params: Any) -> list[Any]:
        """Return the JSON list at `url`. Raises CollectError, SourceGarbledError where it is no list."""
        found = self.get_json(url, **params)
        if not isinstance(found, list):
            raise SourceGarbledError(f"{url}: not a list: {shown(found)}")
        return found

    def post_json(self, url: str, **form: Any) -> Any:
        """Return the JSON that a form posted to `url` gets: for questions too long for an address.

        It is tried again like a GET, so it must change nothing at the source.
        """
        response = self.request("POST", url, data=form)
        self._refuse(response)
        return as_json(response)

    def fetch(self, url: str, **params: Any) -> requests.Response:
        """Return the good answer (below 400) of `url`, headers and whole body. Raises CollectError."""
        prepared = self._prepared(url, params)
        key = prepared.url or url
        prepared.headers.update(self._remembered.conditions(key))
        settings = self.merge_environment_settings(prepared.url, {}, None, None, None)
        response = self._remembered.answer(key, self.send(prepared, **settings))
        self._refuse(response)
        self._remembered.keep(key, response)
        return response

    def get_each(self, asks: Iterable[Ask]) -> Iterator[tuple[Ask, Any]]:
        """Yield each ask with its JSON, or with the CollectError it met, in order, fetched ahead in threads.

        Lazy: reads `asks` at most two times `parallel` ahead of what the caller has taken.
        """
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self.parallel, thread_name_prefix="source")
        return ask_ahead(asks, self._get_ask, self._pool, 2 * self.parallel)

    @contextmanager
    def get_stream(self, url: str, max_bytes: int = 4096 * MEGABYTE, **params: Any) -> Iterator[IO[bytes]]:
        """Give the body of `url` as a binary stream, decompressed, at most `max_bytes` long.

        Reading it raises CollectError as it goes. It holds one of the `parallel` slots: read it to its
        end before waiting for other answers.
        """
        with self.get_file(url, max_bytes, **params) as file:
            yield file.stream

    @contextmanager
    def get_file(self, url: str, max_bytes: int = 4096 * MEGABYTE, **params: Any) -> Iterator[File]:
        """Give what `get_stream` gives, with the headers and the address that the answer came from."""
        with self._slot(), self.request("GET", url, params=params, stream=True) as response:
            if response.status_code >= 400:
                self._read_whole(response)
            self._refuse(response)
            stream = io.BufferedReader(BoundedStream(self._guarded_body(response, max_bytes)), CHUNK)
            yield File(url=response.url, headers=response.headers, stream=stream)

    @staticmethod
    def field(record: Any, name: str) -> str:
        """Return the text or number `name` of a JSON object as text. Raises SourceGarbledError without it."""
        value = record.get(name) if isinstance(record, Mapping) else None
        if isinstance(value, str):
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        raise SourceGarbledError(f"no {name} in {shown(record)}")

    # -- how it is sent ------------------------------------------------------------------------------

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send `request` politely: a slot, time-outs, tries, redirects within bounds, body within bounds.

        Every way through requests ends here, client libraries' too. Returns any answer but 429, 502, 503
        and 504, which end as SourceUnavailableError like a dead transport does.
        """
        stream = bool(kwargs.pop("stream", False))
        kwargs.pop("allow_redirects", None)
        if kwargs.get("timeout") is None:
            kwargs["timeout"] = self._timeout
        with self._slot():
            return self._with_attempts(request, stream, kwargs)

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        """Let what this session trusts go before REQUESTS_CA_BUNDLE, which requests would prefer to it."""
        if verify is None and self.verify is not True:
            verify = self.verify
        return super().merge_environment_settings(url, proxies, stream, verify, cert)

    def close(self) -> None:
        """End all pauses and threads, close the connections."""
        self._closed.set()
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
        super().close()

    def _prepared(self, url: str, params: Mapping[str, Any]) -> requests.PreparedRequest:
        try:
            return self.prepare_request(requests.Request("GET", url, params=dict(params)))
        except requests.RequestException as err:
            raise SourceGarbledError(f"not an address: {shown(url)}: {err}") from err

    def _with_attempts(
        self, request: requests.PreparedRequest, stream: bool, kwargs: dict[str, Any]
    ) -> requests.Response:
        tries_left = self._attempts
        while True:
            tries_left -= 1
            wait_s = self._pause_s * 2 ** (self._attempts - tries_left - 1) * random.uniform(0.8, 1.2)  # noqa: S311
            try:
                response = self._follow(request, stream, kwargs)
            except requests.exceptions.SSLError as err:
                raise away(request, err) from err
            except requests.ReadTimeout as err:
                tries_left = min(tries_left, 1)  # each costs a minute
                failure = away(request, err)
            except _BROKEN as err:
                failure = away(request, err)
            except requests.RequestException as err:
                raise SourceGarbledError(
                    f"{(request.url or '').partition('?')[0]}: {shown(str(err))}"
                ) from err
            else:
                if response.status_code not in AWAY:
                    return response
                failure = self._away(response)
                wait_s = max(wait_s, _retry_after_s(response))
            if tries_left <= 0 or wait_s > LONGEST_WAIT_S or self._closed.is_set():
                raise failure
            self._sleep(wait_s)

    def _follow(
        self, request: requests.PreparedRequest, stream: bool, kwargs: dict[str, Any]
    ) -> requests.Response:
        for _ in range(MAX_REDIRECTS + 1):
            with self._counting:
                self.requests_sent += 1
            response = super().send(request, stream=True, allow_redirects=False, **kwargs)
            try:
                following = redirected(request, response, leaves_origin=self._leaves_origin)
            except CollectError:
                response.close()
                raise
            if following is None:
                if not stream:
                    self._read_whole(response)
                return response
            response.close()
            request = following
        raise SourceGarbledError(f"{where(response)}: more than {MAX_REDIRECTS} redirects")

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Never let requests follow by itself: it would read the body whole; `_follow` does it."""

    def _read_whole(self, response: requests.Response) -> None:
        response._content = b"".join(self._body(response, self.max_bytes))
        response._content_consumed = True  # type: ignore[attr-defined]

    def _body(self, response: requests.Response, limit: int) -> Iterator[bytes]:
        """Yield the body; a transport that breaks raises what requests raises, so that `send` tries again."""
        try:
            yield from chunks(response, limit, self._deadline_s)
        except BaseException as err:
            response.close()  # not read to its end: the connection is of no more use
            if isinstance(err, urllib3.exceptions.DecodeError):
                raise SourceGarbledError(f"{where(response)}: broken compression: {shown(str(err))}") from err
            if isinstance(err, urllib3.exceptions.ReadTimeoutError):
                raise requests.ReadTimeout(err, request=response.request) from err
            if isinstance(err, (urllib3.exceptions.HTTPError, OSError)):
                raise requests.ConnectionError(err, request=response.request) from err
            raise
        finally:
            with self._counting:
                self.bytes_received += response.raw.tell()

    def _guarded_body(self, response: requests.Response, limit: int) -> Iterator[bytes]:
        try:
            yield from self._body(response, limit)
        except requests.RequestException as err:
            raise away(response.request, err) from err

    @contextmanager
    def _slot(self) -> Iterator[None]:
        """Hold one of `parallel` slots; a thread that has one already shares it."""
        if getattr(self._held, "depth", 0):
            yield
            return
        with self._slots:
            self._held.depth = 1
            try:
                yield
            finally:
                self._held.depth = 0

    def _get_ask(self, ask: Ask) -> Any:
        return self.get_json(cast(str, ask.url), **ask.params)

    def _refuse(self, response: requests.Response) -> None:
        error = refusal(response, *self._who())
        if error is not None:
            raise error

    def _away(self, response: requests.Response) -> SourceUnavailableError:
        if not response._content_consumed:  # type: ignore[attr-defined]
            self._read_whole(response)
        return SourceUnavailableError(str(refusal(response, *self._who())))

    def _who(self) -> tuple[str | None, bool]:
        auth = self.auth
        return (auth.user, auth.given) if isinstance(auth, OriginAuth) else (None, auth is not None)


def _retry_after_s(response: requests.Response) -> float:
    """Return the seconds that Retry-After asks for, as a number or a date; 0 without it."""
    text = response.headers.get("Retry-After", "").strip()
    if text.isdigit():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, OverflowError):
        return 0.0
