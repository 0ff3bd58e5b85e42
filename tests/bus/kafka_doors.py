"""Doors before the brokers of a cluster that knows neither TLS nor accounts: they speak both for it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import socket
import ssl
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

from tls import Papers

API_VERSIONS, SASL_HANDSHAKE, SASL_AUTHENTICATE = 18, 17, 36
UNSUPPORTED_VERSION, AUTHENTICATION_FAILED = 35, 58
HOST = b"127.0.0.1"


@dataclass
class Account:
    """Who may enter, and how they show it."""

    mechanism: str
    user: str
    password: str


@dataclass
class Doors:
    """`servers` are the doors; `names` whom certificates called callers, `entered` who said who they are."""

    servers: str = ""
    names: list[str] = field(default_factory=list)
    entered: list[str] = field(default_factory=list)


@contextmanager
def doors(
    servers: str, own: Papers | None = None, account: Account | None = None, callers: Path | None = None
) -> Iterator[Doors]:
    """Open a door for each broker; what brokers say of their ports is said of the doors."""
    made, context = Doors(), None
    if own is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(own.cert, own.key)
        if callers is not None:
            context.load_verify_locations(callers)
            context.verify_mode = ssl.CERT_REQUIRED
    ports = [int(server.rpartition(":")[2]) for server in servers.split(",")]
    opened = [socket.create_server(("127.0.0.1", 0)) for _ in ports]
    outside = [door.getsockname()[1] for door in opened]
    made.servers = ",".join(f"127.0.0.1:{port}" for port in outside)
    moved = {_place(inner): _place(outer) for inner, outer in zip(ports, outside, strict=True)}
    for door, port in zip(opened, ports, strict=True):
        Thread(target=_serve, args=(door, port, context, account, moved, made), daemon=True).start()
    yield made
    for door in opened:
        door.shutdown(socket.SHUT_RDWR)
        door.close()


def _place(port: int) -> bytes:
    return HOST + struct.pack(">i", port)


def _serve(
    door: socket.socket, port: int, context: ssl.SSLContext | None, account: Account | None,
    moved: dict[bytes, bytes], made: Doors,
) -> None:  # fmt: skip
    with suppress(OSError):
        while True:
            raw, _ = door.accept()
            given = (raw, port, context, account, moved, made)
            Thread(target=_let_in, args=given, daemon=True).start()


def _let_in(
    raw: socket.socket, port: int, context: ssl.SSLContext | None, account: Account | None,
    moved: dict[bytes, bytes], made: Doors,
) -> None:  # fmt: skip
    """Carry frames of one caller, by turns in each direction: TLS is not for two threads at once."""
    with suppress(OSError), raw:
        raw.settimeout(10)
        caller = raw if context is None else context.wrap_socket(raw, server_side=True)
        if isinstance(caller, ssl.SSLSocket):
            told = dict(pair for part in (caller.getpeercert() or {}).get("subject", ()) for pair in part)
            made.names.append(str(told.get("commonName", "")))
        keeper = None if account is None else _Keeper(account, made)
        with caller, socket.create_connection(("127.0.0.1", port)) as inner:
            asked, said = _Frames(caller), _Frames(inner)
            while True:
                for frame in asked.come():
                    answer = None if keeper is None else keeper.ask(frame)
                    if answer is None:
                        inner.sendall(_framed(frame))
                    else:
                        caller.sendall(_framed(answer))
                for frame in said.come():
                    known = frame if keeper is None else keeper.answered(frame)
                    for inside, outside in moved.items():
                        known = known.replace(inside, outside)
                    caller.sendall(_framed(known))


def _framed(frame: bytes) -> bytes:
    return struct.pack(">i", len(frame)) + frame


class _Frames:
    """Frames that come by a socket."""

    def __init__(self, end: socket.socket) -> None:
        self._end, self._buffer = end, b""

    def come(self) -> Iterator[bytes]:
        self._end.settimeout(0.003)
        try:
            chunk = self._end.recv(1 << 20)
        except TimeoutError:
            return
        if not chunk:
            raise ConnectionError
        self._end.settimeout(10)
        self._buffer += chunk
        while len(self._buffer) >= 4:
            (length,) = struct.unpack_from(">i", self._buffer)
            if len(self._buffer) < 4 + length:
                return
            frame, self._buffer = self._buffer[4 : 4 + length], self._buffer[4 + length :]
            yield frame


class _Keeper:
    """Asks one caller who they are, as a broker with SASL does."""

    def __init__(self, account: Account, made: Doors) -> None:
        self._account, self._made = account, made
        self._versions: set[int] = set()
        self._in = False
        self._prove: Callable[[bytes], bytes | None] = self._plain
        if account.mechanism.startswith("SCRAM"):
            self._prove = _Scram(account).prove

    def ask(self, frame: bytes) -> bytes | None:
        """Return the answer to a request of a caller, None where the broker answers it."""
        api, version, number = struct.unpack_from(">hhi", frame)
        begin = struct.pack(">i", number)
        if api == API_VERSIONS:
            if version > 0:
                return begin + struct.pack(">hi", UNSUPPORTED_VERSION, 0)
            self._versions.add(number)
            return None
        if api == SASL_HANDSHAKE:
            offered = self._account.mechanism.encode()
            good = frame.endswith(struct.pack(">h", len(offered)) + offered)
            return begin + struct.pack(">hih", 0 if good else 33, 1, len(offered)) + offered
        if api == SASL_AUTHENTICATE:
            (client,) = struct.unpack_from(">h", frame, 8)
            answer = self._prove(frame[10 + client + 4 :])
            if answer is None:
                why = b"wrong account"
                said = struct.pack(">hh", AUTHENTICATION_FAILED, len(why)) + why + struct.pack(">i", 0)
            else:
                said = struct.pack(">hhi", 0, -1, len(answer)) + answer
                self._in = b"r=" not in answer  # not with the first step of SCRAM
                self._made.entered += [self._account.user] if self._in else []
            return begin + said
        if not self._in:
            raise ConnectionError  # as a broker does with who did not say who they are
        return None

    def answered(self, frame: bytes) -> bytes:
        """Return an answer of the broker; what it can, SASL is among now."""
        number, problem, count = struct.unpack_from(">ihi", frame)
        if number not in self._versions:
            return frame
        self._versions.discard(number)
        more = struct.pack(">hhhhhh", SASL_HANDSHAKE, 0, 1, SASL_AUTHENTICATE, 0, 0)
        return struct.pack(">ihi", number, problem, count + 2) + frame[10:] + more

    def _plain(self, said: bytes) -> bytes | None:
        right = f"\0{self._account.user}\0{self._account.password}".encode()
        return b"" if said == right else None


class _Scram:
    """RFC 5802, the server's side."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._hash = account.mechanism.removeprefix("SCRAM-").replace("-", "").lower()
        self._salt, self._rounds, self._first = b"salt", 4096, ""

    def prove(self, said: bytes) -> bytes | None:
        text = said.decode()
        if not self._first:
            bare = text.removeprefix("n,,")
            nonce = bare.rpartition("r=")[2]
            salt = base64.b64encode(self._salt).decode()
            answer = f"r={nonce}x,s={salt},i={self._rounds}"
            self._first = f"{bare},{answer}"
            return answer.encode()
        bare, _mark, proof = text.rpartition(",p=")
        salted = hashlib.pbkdf2_hmac(self._hash, self._account.password.encode(), self._salt, self._rounds)
        key = self._mac(salted, b"Client Key")
        whole = f"{self._first},{bare}".encode()
        signed = self._mac(hashlib.new(self._hash, key).digest(), whole)
        right = bytes(a ^ b for a, b in zip(key, signed, strict=True))
        if base64.b64decode(proof) != right or f"n={self._account.user}," not in self._first:
            return None
        return b"v=" + base64.b64encode(self._mac(self._mac(salted, b"Server Key"), whole))

    def _mac(self, key: bytes, said: bytes) -> bytes:
        return hmac.new(key, said, self._hash).digest()
