"""Groups of users in LDAP: semantics and failures of COMPAT 1.10."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from math import ceil
from typing import Any

import ldap3
from ldap3.core.exceptions import LDAPException
from ldap3.utils.conv import escape_filter_chars

from ...config_auth import LdapTable, SearchTable
from ...errors import AuthorityUnavailableError
from .remembered import Remembered

AT_ONCE = 8
WAITING = 64
_ATTRIBUTE = "cn"


class Directory:
    """Looks users up, each in a thread and within `settings.timeout_s`. `connect` opens a connection."""

    def __init__(self, settings: LdapTable, connect: Callable[[], Any] | None = None) -> None:
        self._settings = settings
        self._connect = connect or self._to_server
        self._known: Remembered[str, frozenset[str]] = Remembered()
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="ldap")
        self._waiting = 0

    async def groups(self, user: str) -> frozenset[str]:
        """Return the groups of a user, by name. Raises AuthorityUnavailableError."""
        found = self._known.get(user)
        if found is None:
            found = await self._learn(user)
            if found:
                self._known.put(user, found, self._settings.cache_s)
        return found

    async def _learn(self, user: str) -> frozenset[str]:
        if self._waiting >= WAITING:
            raise AuthorityUnavailableError("too many users to look up in LDAP")
        self._waiting += 1
        try:
            asked = asyncio.get_running_loop().run_in_executor(self._threads, self._look_up, user)
            return await asyncio.wait_for(asked, self._settings.timeout_s)
        except TimeoutError as err:
            raise AuthorityUnavailableError("LDAP does not answer in time") from err
        finally:
            self._waiting -= 1

    def _look_up(self, user: str) -> frozenset[str]:
        found: set[str] = set()
        connection = self._connect()
        try:
            with connection:
                for search in self._settings.searches:
                    found |= _names(connection, search, user)
        except (LDAPException, OSError) as err:
            raise AuthorityUnavailableError(f"LDAP: {err}") from err
        finally:
            if connection.socket is not None:  # ldap3 leaves it open where connecting fails
                connection.socket.close()
        return frozenset(found)

    def _to_server(self) -> Any:
        wait_s = self._settings.timeout_s
        tls = ldap3.Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=self._settings.ca)
        server = ldap3.Server(self._settings.host, tls=tls, get_info=ldap3.NONE, connect_timeout=wait_s)
        return ldap3.Connection(server, receive_timeout=ceil(wait_s), raise_exceptions=True, read_only=True)


def _names(connection: Any, search: SearchTable, user: str) -> set[str]:
    """Return the names of the groups that one search finds; nothing in a user's name steers it."""
    connection.search(
        search.base,
        search.search_string.replace("{user}", escape_filter_chars(user)),
        search_scope=ldap3.SUBTREE,
        attributes=[_ATTRIBUTE],
    )
    return {
        name for entry in connection.entries for name in entry[_ATTRIBUTE].values if isinstance(name, str)
    }
