"""Open the polite HTTP session of a configured source."""

from __future__ import annotations

from ..plugin.http import SourceSession
from .source import Source


def connect(source: Source) -> SourceSession:
    """Return a session for `source`, its token read now. Raises ConfigError where there is none to read."""
    return SourceSession(
        source.url,
        user=source.user,
        token=source.token.read(),
        parallel=source.parallel,
        read_s=source.timeout_s,
        ca=None if source.ca is None else str(source.ca),
    )
