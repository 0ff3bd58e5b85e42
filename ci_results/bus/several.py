"""A URL that names several brokers, of which one at least is alive: they are tried in their order."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlsplit

from ..errors import CollectError, ConfigError, DeliveryError, SinkRefusedError, SourceRefusedError
from .access import shown_place

T = TypeVar("T")


def each_broker(url: str) -> tuple[str, ...]:
    """Return a URL for each host that `url` names, several with commas between. Raises ConfigError.

    >>> each_broker("stomps://ci@bus1.example,bus2.example:61617/ci")
    ('stomps://ci@bus1.example/ci', 'stomps://ci@bus2.example:61617/ci')
    """
    parts = urlsplit(url)
    account, at, servers = parts.netloc.rpartition("@")
    hosts = servers.split(",")
    if len(hosts) == 1:
        return (url,)
    if not all(host.partition(":")[0].strip() for host in hosts):
        raise ConfigError(f"{shown_place(url)}: a host is missing beside a comma; write HOST:PORT,HOST:PORT")
    return tuple(parts._replace(netloc=f"{account}{at}{host}").geturl() for host in hosts)


def first_open(url: str, connect: Callable[[str, bool], T]) -> T:
    """Return what `connect` makes of the first broker that `url` names and that lets us in.

    It is given a URL of one, and whether there are several, which is a reason not to wait long for this one.
    It may raise a CollectError or a DeliveryError; where all do, what they say is raised as one, which is a
    refusal where one of them is: that one is alive.
    """
    problems: list[CollectError | DeliveryError] = []
    urls = each_broker(url)
    for one in urls:
        try:
            return connect(one, len(urls) > 1)
        except (CollectError, DeliveryError) as err:
            problems.append(err)
    refusals = [err for err in problems if isinstance(err, SourceRefusedError | SinkRefusedError)]
    first = (refusals or problems)[0]
    if len(problems) == 1:
        raise first
    raise type(first)("; ".join(dict.fromkeys(str(err) for err in problems))) from first
