"""SourceAddress: where a configured source is and how to sign in there, for sinks that fetch from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from ..errors import SourceGarbledError
from .token import Token

if TYPE_CHECKING:
    from .http import SourceSession


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceAddress:
    """One source of the configuration that has an address.

    source  its name, which its results have
    url     the address that it is harvested at
    user, token, ca, timeout_s  as the harvest signs in and connects
    """

    source: str
    url: str
    user: str | None = None
    token: Token = field(default_factory=Token)
    ca: Path | None = None
    timeout_s: float = 60.0

    def covers(self, url: str) -> bool:
        """Say whether `url` is below this address, whatever a server makes of its segments.

        >>> at = SourceAddress(source="ci", url="https://ci.example/jenkins")
        >>> at.covers("https://ci.example/jenkins/job/x/1/"), at.covers("https://ci.example/other")
        (True, False)
        """
        from .http_origin import origin  # which imports requests

        above = self.url.rstrip("/") + "/"
        try:
            same = origin(url) == origin(above)
        except SourceGarbledError:
            return False
        parts = urlsplit(url)
        whole = unquote(unquote(parts.path))
        return (
            same
            and parts.path.startswith(urlsplit(above).path)
            and not (parts.query or parts.fragment or parts.username or "\\" in whole)
            and not {"..", "."} & set(whole.split("/"))
        )

    def connect(self) -> SourceSession:
        """Return a session that goes there and nowhere else. Raises ConfigError where no token is to read."""
        from .http import SourceSession

        return SourceSession(
            self.url,
            user=self.user,
            token=self.token.read(),
            parallel=1,
            read_s=self.timeout_s,
            attempts=2,
            ca=None if self.ca is None else str(self.ca),
            leaves_origin=False,
        )
