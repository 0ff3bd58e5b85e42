"""A folder behind HTTP on loopback, with the index that Apache, nginx or Python's own server shows of it."""

from __future__ import annotations

import html
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from time import time
from urllib.parse import quote, unquote_to_bytes


@dataclass
class Answer:
    """What goes over the wire; `length` is what Content-Length claims, None = the truth."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = None


@dataclass
class ServedTree:
    """Serves `folder`; `alter` may answer in its place, by the path asked for."""

    folder: Path
    style: str = "apache"
    alter: Callable[[str], Answer | None] = lambda path: None
    asked: list[str] = field(default_factory=list)
    url: str = ""

    @contextmanager
    def serve(self) -> Iterator[ServedTree]:
        server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"tree": self}))
        server.daemon_threads = True
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        self.url = f"http://127.0.0.1:{server.server_address[1]}/reports/"
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()

    def answer(self, target: str) -> Answer:
        path = os.fsdecode(unquote_to_bytes(target.partition("?")[0])).removeprefix("/reports/")
        given = self.alter(path)
        if given is not None:
            return given
        place = self.folder / path
        if place.is_dir():
            if path and not path.endswith("/"):
                return Answer(301, headers={"Location": f"{target}/"})
            kind = "application/json" if self.style == "nginx_json" else "text/html;charset=UTF-8"
            return Answer(body=index(place, self.style), headers={"Content-Type": kind})
        if not place.is_file():
            return Answer(404)
        changed = formatdate(place.stat().st_mtime, usegmt=True)
        return Answer(body=place.read_bytes(), headers={"Last-Modified": changed})


class _Handler(BaseHTTPRequestHandler):
    tree: ServedTree
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.tree.asked.append(f"{self.command} {self.path}")
        answer = self.tree.answer(self.path)
        self.send_response_only(answer.status)
        for name, value in {"Date": formatdate(time(), usegmt=True), **answer.headers}.items():
            self.send_header(name, value)
        length = len(answer.body) if answer.length is None else answer.length
        self.send_header("Content-Length", str(length))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(answer.body)
        self.close_connection = length != len(answer.body)

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name is the base class's)
        """Say nothing."""


def index(folder: Path, style: str) -> bytes:
    """Return what a server of this style shows of a folder."""
    rows = []
    for found in sorted(folder.iterdir()):
        name = found.name + ("/" if found.is_dir() else "")
        changed = datetime.fromtimestamp(found.stat().st_mtime, UTC)
        rows.append((name, changed, "-" if found.is_dir() else str(found.stat().st_size)))
    if style == "nginx_json":
        told = [
            {
                "name": name.rstrip("/"),
                "type": "directory" if name.endswith("/") else "file",
                "mtime": f"{changed:%a, %d %b %Y %H:%M:%S} GMT",
                **({} if name.endswith("/") else {"size": int(size)}),
            }
            for name, changed, size in rows
        ]
        return json.dumps(told, indent=1).encode()
    return _FORMS[style](rows).encode()


Rows = list[tuple[str, datetime, str]]


def _link(name: str) -> str:
    return (
        f'<a href="{quote(os.fsencode(name))}">{html.escape(os.fsencode(name).decode(errors="replace"))}</a>'
    )


def _apache(rows: Rows) -> str:
    head = (
        '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN">\n<html>\n <head>\n'
        "  <title>Index of /reports</title>\n </head>\n <body>\n<h1>Index of /reports</h1>\n"
        '  <table>\n   <tr><th valign="top"><img src="/icons/blank.gif" alt="[ICO]"></th>'
        '<th><a href="?C=N;O=D">Name</a></th><th><a href="?C=M;O=A">Last modified</a></th></tr>\n'
        '<tr><td valign="top"><img src="/icons/back.gif" alt="[PARENTDIR]"></td>'
        '<td><a href="../">Parent Directory</a></td><td>&nbsp;</td><td align="right">  - </td></tr>\n'
    )
    lines = [
        f'<tr><td valign="top"><img src="/icons/x.gif" alt="[   ]"></td><td>{_link(name)}</td>'
        f'<td align="right">{changed:%Y-%m-%d %H:%M}  </td><td align="right">{size}</td></tr>\n'
        for name, changed, size in rows
    ]
    return f"{head}{''.join(lines)}</table>\n</body></html>\n"


def _nginx(rows: Rows) -> str:
    lines = [f"{_link(name)}   {changed:%d-%b-%Y %H:%M}   {size}\r\n" for name, changed, size in rows]
    return (
        "<html>\r\n<head><title>Index of /reports/</title></head>\r\n<body>\r\n<h1>Index of /reports/</h1>"
        f'<hr><pre><a href="../">../</a>\r\n{"".join(lines)}</pre><hr></body>\r\n</html>\r\n'
    )


def _plain(rows: Rows) -> str:
    lines = [f"<li>{_link(name)}</li>\n" for name, _, _ in rows]
    return (
        '<!DOCTYPE HTML>\n<html lang="en">\n<head>\n<title>Directory listing for /reports/</title>\n</head>\n'
        f"<body>\n<ul>\n{''.join(lines)}</ul>\n</body>\n</html>\n"
    )


_FORMS = {"apache": _apache, "nginx": _nginx, "plain": _plain}
STYLES = (*_FORMS, "nginx_json")
