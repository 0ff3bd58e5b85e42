"""Tokens of our own: random texts, of which only digests are kept."""

from __future__ import annotations

import logging
import secrets
import time
import tomllib
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path

from ...config_auth import TokenTable, read_tokens
from ...domain.user import User
from ...errors import ConfigError

log = logging.getLogger(__name__)

PREFIX = "cir_"
"""How our tokens begin: scanners for leaked secrets know them, and no provider is asked about them."""

_LOOK_EVERY_S = 2.0


def new_token() -> str:
    """Return a token that nobody guesses: 256 random bits."""
    return PREFIX + secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """Return what is kept of a token: 64 hex digits.

    A fast digest will do, for nobody can try 2**256 tokens; a slow one would cost each request.
    """
    return sha256(token.encode()).hexdigest()


def today() -> date:
    """Return the day, in UTC."""
    return datetime.now(UTC).date()


class Tokens:
    """Knows users by their tokens. `file` may hold more tables, and is read again when it changes."""

    def __init__(
        self,
        tables: Iterable[TokenTable] = (),
        file: Path | None = None,
        *,
        day: Callable[[], date] = today,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tables, self._file = tuple(tables), file
        self._day, self._clock = day, clock
        self._seen: tuple[int, int, int] | None = None
        self._next_look = 0.0
        self._users: dict[str, tuple[str, User, date | None]] = {}
        self._read()

    def __len__(self) -> int:
        return len(self._users)

    def user(self, token: str) -> User | None:
        """Return whose token this is, None where it is nobody's or does not hold any more.

        It is found by its digest, which tells somebody who times the look-up nothing about any token.
        """
        self._look_again()
        asked = digest(token)
        known, user, expires = self._users.get(asked, ("", None, None))
        if not compare_digest(known, asked) or (expires is not None and self._day() > expires):
            return None
        return user

    def groups_of(self, name: str) -> frozenset[str]:
        """Return the groups that the tables give a user, none for who has no token that holds."""
        self._look_again()
        day = self._day()
        return frozenset[str]().union(
            *(
                user.groups or ()
                for _known, user, expires in self._users.values()
                if user.name == name and (expires is None or day <= expires)
            )
        )

    def _look_again(self) -> None:
        if self._file is None or self._clock() < self._next_look:
            return
        try:
            if self._stamp() != self._seen:
                self._read()
        except ConfigError as err:
            log.error("tokens file cannot be read, those of before hold", extra={"reason": str(err)})
        self._next_look = self._clock() + _LOOK_EVERY_S

    def _read(self) -> None:
        more: tuple[TokenTable, ...] = ()
        if self._file is not None:
            self._seen = self._stamp()
            try:
                more = read_tokens(tomllib.loads(self._file.read_text(encoding="utf-8")), str(self._file))
            except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as err:
                raise ConfigError(f"{self._file}: cannot be read: {err}") from err
        self._users = {
            each.sha256: (each.sha256, _user(each), each.expires) for each in (*self._tables, *more)
        }

    def _stamp(self) -> tuple[int, int, int]:
        assert self._file is not None  # noqa: S101
        try:
            found = self._file.stat()
        except OSError as err:
            raise ConfigError(f"{self._file}: cannot be read: {err}") from err
        return found.st_mtime_ns, found.st_size, found.st_ino


def _user(table: TokenTable) -> User:
    return User(name=table.user or table.name, groups=frozenset(table.groups), strict=table.strict)
