"""What ends soon: tokens of those who submit, and waivers. Part of doctor."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from ..config_auth import Auth, TokenTable, read_tokens
from ..errors import CiResultsError, ConfigError
from ..store.protocol import Store
from .doctor import Finding, Health

TOKENS_SOON = timedelta(days=14)
WAIVERS_SOON = timedelta(hours=48)
_NAMED = 5


def examine_auth(auth: Auth, today: date | None = None) -> Iterator[Finding]:
    """Say which tokens have ended or end within two weeks, and whether the file of tokens can be read."""
    day = today or datetime.now(UTC).date()
    try:
        tokens = [*auth.tokens, *_in_file(auth)]
    except CiResultsError as err:
        advice = "ci-results token new NAME"
        yield Finding(about="tokens file", health=Health.BAD, says=str(err), advice=advice)
        return
    lasting = 0
    for token in tokens:
        if token.expires is None or token.expires - day > TOKENS_SOON:
            lasting += 1
            continue
        over = token.expires < day
        says = f"{'ended' if over else 'ends'} on {token.expires}"
        advice = f"ci-results token new {token.name} --days 90"
        about = f"token {token.name}"
        yield Finding(about=about, health=Health.BAD if over else Health.WARNING, says=says, advice=advice)
    if lasting:
        says = f"{lasting} of {len(tokens)} of those who submit last for two weeks or more"
        yield Finding(about="tokens", health=Health.GOOD, says=says)


def examine_waivers(store: Store, now: datetime | None = None) -> Iterator[Finding]:
    """Say which waivers that count end within two days; what they cover blocks again from then on."""
    moment = now or datetime.now(UTC)
    ending = store.waivers.expiring(moment, moment + WAIVERS_SOON, 100)
    if not ending:
        return
    named = ", ".join(
        f"{one.name} ({one.terms.expires_at:%Y-%m-%dT%H:%MZ})"
        for one in ending[:_NAMED]
        if one.terms.expires_at is not None
    )
    more = f", and {len(ending) - _NAMED} more" if len(ending) > _NAMED else ""
    says = f"{len(ending)} end within two days: {named}{more}"
    yield Finding(about="waivers", health=Health.WARNING, says=says, advice="ci-results inbox")


def _in_file(auth: Auth) -> tuple[TokenTable, ...]:
    """Return the tokens of the file beside the configuration. Raises ConfigError."""
    if auth.tokens_file is None:
        return ()
    path = Path(auth.tokens_file)
    try:
        return read_tokens(tomllib.loads(path.read_text(encoding="utf-8")), str(path))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as err:
        raise ConfigError(f"{path}: cannot be read: {err}") from err
