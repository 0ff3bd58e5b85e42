"""Who decides about a waiver on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .caller import caller
from .context import Context

if TYPE_CHECKING:
    from ..waive.life import Actor


def acting(context: Context, username: str | None) -> Actor:
    """Return who decides: whoever calls, or somebody else through them."""
    from ..waive.life import Actor

    who = caller(context)
    if username is not None:
        return Actor(username=username, groups=_groups(username), proxied_by=who.name, via=who.via)
    groups = who.groups if who.verified else _groups(who.name)
    return Actor(username=who.name, groups=groups, via=who.via)


def _groups(name: str) -> frozenset[str]:
    """Return the groups that this machine knows of a user."""
    import grp
    import os
    import pwd

    try:
        account = pwd.getpwnam(name)
    except KeyError:
        return frozenset()
    found = set()
    for number in os.getgrouplist(name, account.pw_gid):
        try:
            found.add(grp.getgrgid(number).gr_name)
        except KeyError:
            continue
    return frozenset(found)
