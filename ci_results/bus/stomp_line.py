"""A connection that speaks STOMP 1.2: frames of stomp.py, on a socket and a thread of our own.

stomp.py's own connections are read by a thread behind one's back. That of 9.0 does not see the end of a
connection with TLS: it goes round in circles, deaf. Why a connection could not be made, it keeps to itself.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import CiResultsError
from .access import Place, distrust
from .stomp_frames import Unpacked, bare, frame, packed

if TYPE_CHECKING:
    from stomp.utils import Frame

OPEN_WITHIN_S = 15
SEND_WITHIN_S = 60
"""A broker that takes nothing for so long is taken for gone."""

CLOSE_WITHIN_S = 2
_CHUNK = 1 << 18
_NOTHING_YET = (BlockingIOError, TimeoutError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dial:
    """Where and as whom to connect; `heartbeat_s` = 0: nobody need say that they are alive."""

    place: Place
    user: str | None = None
    password: str | None = None
    tls: ssl.SSLContext | None = None
    heartbeat_s: int = 30
    open_within_s: float = OPEN_WITHIN_S


class Line:
    """One connection. Whoever holds it drives it: nothing is read, and no heart beats, outside its methods.

    away, refused  what is raised where the broker is gone, and where it says no before it is `settled`
    beats          whether we promise to say that we are alive, which is to call `read` often
    """

    def __init__(
        self, dial: Dial, away: type[CiResultsError], refused: type[CiResultsError], *, beats: bool
    ) -> None:
        self.place = str(dial.place)
        self._away, self._refused = away, refused
        self._unpacked = Unpacked()
        self._beat_s = self._silence_s = 0.0
        self._said = self._heard = time.monotonic()
        self.settled = False
        self._socket = self._opened(dial)
        try:
            self.server = self._greet(dial, beats)
        except BaseException:
            self._socket.close()
            raise

    def send(self, frames: Iterable[Frame]) -> None:
        """Send frames, all with one call."""
        self._write(packed(frames))

    def read(self, wait_s: float) -> list[Frame]:
        """Return what has come; wait at most so long for it, and let our heart beat."""
        until = time.monotonic() + wait_s
        while True:
            self._beat()
            left = max(0.0, until - time.monotonic())
            chunk = self._chunk(min(left, self._beat_s or left))
            if chunk and (found := self._unpacked.feed(chunk)):
                return [self._told(each) for each in found]
            if not chunk and left <= 0:
                return []

    def wait_for(self, command: str, within_s: float) -> tuple[Frame, list[Frame]]:
        """Return the first frame of this kind, and those of other kinds that came beside it."""
        others: list[Frame] = []
        until = time.monotonic() + within_s
        while (left := until - time.monotonic()) > 0:
            found = self.read(left)
            for number, each in enumerate(found):
                if each.cmd == command:
                    return each, [*others, *found[number + 1 :]]
                others.append(each)
        raise self._away(f"{self.place}: says no {command} within {within_s} s")

    def close(self) -> None:
        """Take leave, so that all we said is heard: a socket that is closed with something unread is not."""
        with suppress(Exception):
            self.send([frame("DISCONNECT", {"receipt": "bye"})])
            until = time.monotonic() + CLOSE_WITHIN_S
            while (left := until - time.monotonic()) > 0:
                if any(each.headers.get("receipt-id") == "bye" for each in self.read(left)):
                    break
        self._socket.close()

    # -- opening -----------------------------------------------------------------------------------

    def _opened(self, dial: Dial) -> socket.socket:
        there = dial.place
        try:
            plain = socket.create_connection((there.host, there.port), dial.open_within_s)
        except OSError as err:
            raise self._away(f"{there}: {err}") from err
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return plain if dial.tls is None else dial.tls.wrap_socket(plain, server_hostname=there.host)
        except ssl.SSLCertVerificationError as err:
            plain.close()
            raise self._refused(f"{there}: {distrust(err)}") from err
        except OSError as err:
            plain.close()
            raise self._away(f"{there}: {err}") from err

    def _greet(self, dial: Dial, beats: bool) -> str:
        """Say who we are; return what the broker calls itself."""
        ours_ms = dial.heartbeat_s * 1000
        headers = {
            "accept-version": "1.2",
            "host": dial.place.virtual_host,
            "heart-beat": f"{ours_ms if beats else 0},{ours_ms}",
        }
        if dial.user is not None:
            headers["login"] = dial.user
        if dial.password is not None:
            headers["passcode"] = dial.password
        self.send([bare("CONNECT", headers)])
        said, _others = self.wait_for("CONNECTED", dial.open_within_s)
        sends, wants = (int(each) for each in said.headers.get("heart-beat", "0,0").split(","))
        if beats and ours_ms and wants:
            self._beat_s = max(ours_ms, wants) / 3000  # three times in the time that we promised
        if ours_ms and sends:
            self._silence_s = max(ours_ms, sends) / 500
        return str(said.headers.get("server", ""))

    # -- bytes -------------------------------------------------------------------------------------

    def _write(self, said: bytes) -> None:
        try:
            self._socket.settimeout(SEND_WITHIN_S)
            self._socket.sendall(said)
        except OSError as err:
            raise self._away(f"{self.place}: {err}") from err
        self._said = time.monotonic()

    def _beat(self) -> None:
        if self._beat_s and time.monotonic() - self._said >= self._beat_s:
            self._write(b"\n")

    def _chunk(self, wait_s: float) -> bytes:
        """Return bytes, none where none have come."""
        try:
            self._socket.settimeout(wait_s)
            chunk = self._socket.recv(_CHUNK)
        except _NOTHING_YET:
            silent_s = time.monotonic() - self._heard
            if self._silence_s and silent_s > self._silence_s:
                raise self._away(f"{self.place}: has said nothing for {silent_s:.0f} s") from None
            return b""
        except OSError as err:
            raise self._away(f"{self.place}: {err}") from err
        if not chunk:
            raise self._away(f"{self.place}: closed the connection")
        self._heard = time.monotonic()
        return chunk

    def _told(self, came: Frame) -> Frame:
        """Return a frame; raise what an ERROR says: the broker closes the connection after it."""
        if came.cmd != "ERROR":
            return came
        body = (came.body or b"").decode("utf-8", "replace").strip().partition("\n")[0]
        words = dict.fromkeys(each for each in (came.headers.get("message", ""), body) if each)
        raise (self._away if self.settled else self._refused)(f"{self.place}: {': '.join(words)[:200]}")
