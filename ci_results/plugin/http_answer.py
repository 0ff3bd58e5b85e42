"""What an answer means: its body within bounds, and the CollectError that a bad one calls for."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from typing import Any

import requests
import urllib3

from ..errors import (
    CollectError,
    SourceGarbledError,
    SourceRefusedError,
    SourceTooLargeError,
    SourceUnavailableError,
    shown,
)

CHUNK = 65_536
AWAY = frozenset({429, 502, 503, 504})
"""Status codes that say "not now": worth another try."""

_TITLE = re.compile(rb"<title[^>]*>(.{0,200}?)</title", re.IGNORECASE | re.DOTALL)
_LOGIN = re.compile(rb"log ?in|sign ?in|type=.?password|saml|openid|sso", re.IGNORECASE)


def chunks(response: requests.Response, limit: int, deadline_s: float) -> Iterator[bytes]:
    """Yield the body, decompressed, as it comes.

    Raises SourceTooLargeError beyond `limit` bytes after decompression, so that neither a huge answer
    nor a gzip bomb fills the memory; SourceUnavailableError where it takes longer than `deadline_s`.
    """
    size, end = 0, time.monotonic() + deadline_s
    for chunk in response.raw.stream(CHUNK, decode_content=True):
        size += len(chunk)
        if size > limit:
            raise SourceTooLargeError(f"{where(response)}: answer is larger than {limit} bytes")
        if time.monotonic() > end:
            raise SourceUnavailableError(f"{where(response)}: answer took longer than {deadline_s:g} s")
        yield chunk


def where(response: requests.Response) -> str:
    """Return the address of an answer for messages, without its query."""
    return (response.url or "").partition("?")[0]


def refusal(response: requests.Response, user: str | None, given: bool) -> CollectError | None:
    """Return the error that the status of `response` calls for, None if it is a good one.

    `user` and `given` say how we signed in: the message tells an operator what to change.
    """
    status = response.status_code
    if status < 400:
        return None
    error: CollectError
    place = f"{where(response)}: HTTP {status}"
    who = f"user {user}" if user else "the token's account" if given else "anonymous"
    if status in AWAY or status == 408:
        error = SourceUnavailableError(f"{place}{_wait(response)}")
    elif status >= 500:
        error = SourceGarbledError(f"{place}: the server broke while answering{_title(response)}")
    elif status == 401:
        fix = (
            "the token or the user is wrong or expired"
            if given
            else "it wants a user and a token (token_env)"
        )
        error = SourceRefusedError(f"{place}: {fix}; asked as {who}")
    elif status == 403:
        error = SourceRefusedError(f"{place}: {_lacks(response, who, given)}")
    elif status == 404:
        error = SourceRefusedError(f"{place}: not there, or hidden from {who}")
    else:
        error = SourceRefusedError(f"{place}{_title(response)}")
    error.status = status
    return error


def as_json(response: requests.Response) -> Any:
    """Return the JSON of a good answer; NaN and Infinity are read, as some servers write them.

    Raises SourceRefusedError for a page of HTML (a login page, a proxy), SourceGarbledError for
    anything else that is no JSON.
    """
    body = response.content
    kind = response.headers.get("content-type", "")
    if "html" in kind or body[:256].lstrip()[:1] == b"<":
        what = "a login page" if _LOGIN.search(body[:CHUNK]) else "a page of HTML"
        error = SourceRefusedError(
            f"{where(response)}: {what} instead of JSON{_title(response)}; check url, user and token"
        )
        error.status = response.status_code
        raise error
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as err:
        said = f"{where(response)}: not JSON: {str(err)[:80]}: {shown(body[-60:])}"
        raise SourceGarbledError(said) from err


def away(request: requests.PreparedRequest, err: Exception) -> SourceUnavailableError:
    """Return what a failure of the transport means, in one line without the library's nesting."""
    place = (request.url or "").partition("?")[0]
    if isinstance(err, requests.exceptions.SSLError):
        return SourceUnavailableError(
            f"{place}: certificate not trusted; set ca to its issuer's file: {_inner(err)}"
        )
    if isinstance(err, requests.ConnectTimeout):
        return SourceUnavailableError(f"{place}: no connection within the time-out")
    if isinstance(err, (requests.Timeout, urllib3.exceptions.TimeoutError)):
        return SourceUnavailableError(f"{place}: no answer within the time-out")
    return SourceUnavailableError(f"{place}: {_inner(err)}")


def _inner(err: BaseException) -> str:
    """Dig out the operating system's words: "[Errno 111] Connection refused"."""
    seen: BaseException | None = err
    while seen is not None:
        if isinstance(seen, OSError) and seen.strerror and not isinstance(seen, requests.RequestException):
            return f"[Errno {seen.errno}] {seen.strerror}"
        nested = [each for each in seen.args if isinstance(each, BaseException)]
        nested += [
            each
            for each in (getattr(seen, "reason", None), seen.__cause__)
            if isinstance(each, BaseException)
        ]
        seen = nested[0] if nested else seen.__context__
    return shown(str(err))


def _lacks(response: requests.Response, who: str, given: bool) -> str:
    headers = response.headers
    who = headers.get("X-You-Are-Authenticated-As", who)
    permission = headers.get("X-Required-Permission")
    if permission:
        return f"{who} lacks the permission {_short(permission)}"
    if not given or who == "anonymous":
        return "anonymous may not read; set user and token_env"
    return f"{who} may not read this; grant it Overall/Read and Job/Read, or what the server calls so"


def _short(permission: str) -> str:
    """Put Jenkins' class name into the words of its matrix: hudson.model.Item.Read -> Job/Read."""
    group, _, name = permission.rpartition(".")
    named = {"hudson.model.Item": "Job", "hudson.model.Hudson": "Overall", "hudson.model.Run": "Run"}
    return f"{named[group]}/{name} ({permission})" if group in named else permission


def _wait(response: requests.Response) -> str:
    after = response.headers.get("Retry-After")
    return f": wants {after[:40]} s of peace" if after else ""


def _title(response: requests.Response) -> str:
    found = _TITLE.search(response.content[:CHUNK])
    if found is None:
        return ""
    return ": " + shown(" ".join(found[1].decode("utf-8", "replace").split()))
