"""A proxy in front of us that has looked who asks, and says so in a header."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address, ip_network

from starlette.types import Scope

from ...config_auth import ProxyTable
from ...domain.user import User, check_user_name
from ...errors import InvalidError, UnauthorisedError


class TrustedProxy:
    """Believes `settings.header` where the other end of the connection is a proxy of ours, nowhere else.

    With `groups_known`, its users are in no other group; else the directory is asked.
    """

    def __init__(self, settings: ProxyTable, *, groups_known: bool) -> None:
        self._header = settings.header.lower().encode()
        self._networks = [ip_network(address) for address in settings.addresses]
        self._realm = settings.realm
        self._groups: frozenset[str] | None = frozenset() if groups_known else None

    def user(self, scope: Scope) -> User | None:
        """Return the user that a proxy of ours names, None where none does.

        Raises UnauthorisedError where what it says cannot be: two names, a foreign realm.
        """
        said = [value for name, value in scope["headers"] if name.lower() == self._header]
        if not said or not self._trusts(scope):
            return None
        if len(said) > 1:
            raise UnauthorisedError("the proxy names more than one user")
        if not said[0].strip():
            return None
        return User(name=self._name(said[0].decode("latin-1").strip()), groups=self._groups)

    def _name(self, principal: str) -> str:
        if self._realm is not None:
            name, at, realm = principal.rpartition("@")
            if not at or realm != self._realm:
                raise UnauthorisedError("the proxy names a user of another realm")
            principal = name
        try:
            return check_user_name(principal)
        except InvalidError as err:
            raise UnauthorisedError(str(err)) from err

    def _trusts(self, scope: Scope) -> bool:
        peer = peer_of(scope)
        try:
            address = ip_address(peer or "")
        except ValueError:
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in self._networks)


def peer_of(scope: Scope) -> str | None:
    """Return the address at the other end of the connection, whatever headers say; None = not known.

    uvicorn puts the address in X-Forwarded-For into scope["client"]; our connections keep the true one
    in scope["peer"], those of another server nowhere.
    """
    found = scope.get("peer")
    if found is None and not any(name == b"x-forwarded-for" for name, _ in scope["headers"]):
        found = scope.get("client")
    return found[0] if found else None
