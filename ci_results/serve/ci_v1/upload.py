"""Upload: the files of one request, copied to where they can be read twice, piece by piece as they come."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, nullcontext
from typing import IO

from python_multipart.multipart import parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from ...errors import InvalidError
from ...operations.reporting.inputs import Input
from ...operations.unpacking.member import spooled

MULTIPART = "multipart/form-data"
KINDS = (
    "application/xml",
    "text/xml",
    "application/json",
    "application/x-ndjson",
    "application/yaml",
    "application/tap",
    "text/csv",
    "application/gzip",
    "application/x-bzip2",
    "application/x-xz",
    "application/zstd",
    "application/zip",
    "application/x-tar",
    "application/octet-stream",
    MULTIPART,
)
"""Media types of a body. None but the last is one that a web page elsewhere can send unasked."""

PROOF = "X-Requested-With"
"""A header that a form must come with: a web page elsewhere cannot add it without the browser's leave."""

NAME = "upload"
"""What a body is called that is no form."""

FILES = 1_000
IN_MEMORY = 1 << 20
ENDING = 1_024
"""Bytes at the end of a form in which its end is marked; a boundary has at most 70."""


def kind_of(request: Request) -> str:
    """Return the media type of the body, "" where it says none."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def uploaded(request: Request, held: AsyncExitStack) -> list[Input]:
    """Read the files of a request, which stay open as long as `held`.

    Raises InvalidError for a form that cannot be read, HTTPException where the body is too long or slow.
    """
    if kind_of(request) == MULTIPART:
        return await _of_form(request, held)
    spool = held.enter_context(spooled())
    size = 0
    gathered: list[bytes] = []
    async for piece in request.stream():
        gathered.append(piece)
        size += len(piece)
        if size >= IN_MEMORY:
            await run_in_threadpool(spool.write, b"".join(gathered))
            gathered, size = [], 0
    spool.write(b"".join(gathered))
    return [_input(NAME, spool)]


async def _of_form(request: Request, held: AsyncExitStack) -> list[Input]:
    """Read the files of a form; its parser closes what it had where its stream ends in MultiPartException."""
    failure: list[Exception] = []

    async def pieces() -> AsyncGenerator[bytes, None]:
        tail = b""
        try:
            async for piece in request.stream():
                tail = (tail + piece)[-ENDING:]
                yield piece
        except Exception as err:
            failure.append(err)
            raise MultiPartException("the body ended") from err
        if end not in tail:  # the parser would drop the last file without a word
            raise MultiPartException("it breaks off before its end")

    _kind, options = parse_options_header(request.headers["content-type"])
    end = b"--" + options.get(b"boundary", b"") + b"--"
    if end == b"----":
        raise InvalidError("the form cannot be read: its type names no boundary")
    try:
        form = await MultiPartParser(request.headers, pieces(), max_files=FILES, max_fields=FILES).parse()
    except MultiPartException as err:
        if failure:
            raise failure[0] from err
        raise InvalidError(f"the form cannot be read: {err.message}") from err
    held.push_async_callback(form.close)
    found = []
    for name, value in form.multi_items():
        if not isinstance(value, UploadFile):
            raise InvalidError(f"part {name} of the form is no file: send it with a filename")
        found.append(_input(value.filename or name, value.file))
    if not found:
        raise InvalidError("the form holds no file")
    return found


def _input(name: str, stream: IO[bytes]) -> Input:
    size = stream.seek(0, 2)
    stream.seek(0)
    shown = "".join(char if char.isprintable() else "?" for char in name[:1000])
    return Input(name=shown, named=True, size=size, open=lambda: nullcontext(stream))
