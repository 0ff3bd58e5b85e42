"""An LDAP server on loopback that knows groups and their members, spoken in its own wire format."""

from __future__ import annotations

import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ldap3.protocol import rfc4511 as ldap
from pyasn1.codec.ber import decoder, encoder

SUCCESS, BUSY = 0, 51


class Directory:
    """groups: base -> {cn -> members}; `delay_s` before each answer; `result` is told instead of success."""

    def __init__(self) -> None:
        self.groups: dict[str, dict[str, list[str]]] = {}
        self.delay_s, self.result = 0.0, SUCCESS
        self.filters: list[tuple[str, str, str]] = []
        self.url = ""

    def found(self, base: str, attribute: str, value: str) -> list[str]:
        self.filters.append((base, attribute, value))
        return [name for name, members in self.groups.get(base, {}).items() if value in members]


@contextmanager
def listening() -> Iterator[Directory]:
    """Run a directory."""
    directory = Directory()
    server = socketserver.ThreadingTCPServer(
        ("127.0.0.1", 0), type("Handler", (_Handler,), {"directory": directory})
    )
    server.daemon_threads = True
    server.block_on_close = False
    directory.url = f"ldap://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield directory
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(socketserver.BaseRequestHandler):
    directory: Directory

    def handle(self) -> None:
        buffer = b""
        while part := self.request.recv(65_536):
            buffer += part
            while buffer:
                try:
                    message, buffer = decoder.decode(buffer, asn1Spec=ldap.LDAPMessage())
                except Exception:  # noqa: BLE001  # not whole yet
                    break
                time.sleep(self.directory.delay_s)
                if not self._answer(message):
                    return

    def _answer(self, message: Any) -> bool:
        number, kind = int(message["messageID"]), message["protocolOp"].getName()
        if kind == "unbindRequest":
            return False
        if kind == "bindRequest":
            self._send(number, "bindResponse", _result(ldap.BindResponse(), SUCCESS))
        elif kind == "searchRequest":
            self._search(number, message["protocolOp"]["searchRequest"])
        return True

    def _search(self, number: int, request: Any) -> None:
        wanted = request["filter"].getComponent()
        base, names = str(request["baseObject"]), []
        if request["filter"].getName() == "equalityMatch" and self.directory.result == SUCCESS:
            value = bytes(wanted["assertionValue"]).decode()
            names = self.directory.found(base, str(wanted["attributeDesc"]), value)
        for name in names:
            self._send(number, "searchResEntry", _entry(name, base))
        done = _result(ldap.SearchResultDone(), self.directory.result)
        self._send(number, "searchResDone", done)

    def _send(self, number: int, kind: str, said: Any) -> None:
        message = ldap.LDAPMessage()
        message["messageID"] = number
        message["protocolOp"][kind] = said
        self.request.sendall(encoder.encode(message))


def _result(said: Any, code: int) -> Any:
    said["resultCode"] = code
    said["matchedDN"] = ""
    said["diagnosticMessage"] = ""
    return said


def _entry(name: str, base: str) -> Any:
    attribute = ldap.PartialAttribute()
    attribute["type"] = "cn"
    attribute["vals"][0] = name
    entry = ldap.SearchResultEntry()
    entry["object"] = f"cn={name},{base}"
    entry["attributes"][0] = attribute
    return entry


def nobody_listens() -> str:
    """Return the address of a port that refuses."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return f"ldap://127.0.0.1:{taken.getsockname()[1]}"
