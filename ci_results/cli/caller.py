"""Who calls the command line: the owner of a token, or the user of this machine."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .context import Context

if TYPE_CHECKING:
    from ..domain.user import User
    from ..serve.auth.access import Access

VARIABLE = "CI_RESULTS_TOKEN"
"""The environment variable with the token of whoever calls."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever calls.

    verified  a token vouches for the name, and permissions rule; the user of this machine, who
              writes the store anyhow, only says so
    """

    name: str
    access: Access | None = None
    user: User | None = None

    @property
    def verified(self) -> bool:
        """Whether somebody vouches for the name."""
        return self.user is not None

    @property
    def via(self) -> str:
        """The door, and how it knew them: "cli", "cli:token"."""
        return "cli:token" if self.verified else "cli"

    @property
    def groups(self) -> frozenset[str]:
        """The groups of whoever shows a token, none of others."""
        if self.access is None or self.user is None:
            return frozenset()
        import asyncio

        return asyncio.run(self.access.groups(self.user))

    def check_permitted(self, testcases: Iterable[str]) -> None:
        """Raise ForbiddenError where whoever shows a token may not speak for one of these."""
        if self.access is not None and self.user is not None:
            import asyncio

            asyncio.run(self.access.permit_where_ruled(self.user, testcases))


def caller(context: Context) -> Caller:
    """Return who calls. Raises UnauthorisedError for a token that does not hold."""
    token = os.environ.get(VARIABLE)
    if not token:
        return Caller(_of_this_machine())
    import asyncio

    from ..serve.auth.opening import open_access

    access = open_access(context.config.auth, context.config.permissions)
    headers = [(b"authorization", b"Bearer " + token.encode("utf-8", "surrogateescape"))]
    user = asyncio.run(access.known_user({"type": "http", "headers": headers}))
    return Caller(user.name, access, user)


def _of_this_machine() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"
