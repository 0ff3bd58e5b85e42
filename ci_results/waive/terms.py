"""Terms: what a waiver may be asked for, checked before anybody is asked whether they may."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from ..domain.purpose import PurposeKind
from ..domain.waiver import Terms
from ..errors import InvalidError, shown
from .products import Products
from .purposes import check_purpose
from .rules import Rule

MAX_NAME, MAX_BYTES = 1_024, 2_400
"""Of subject and testcase, in characters and in bytes: PostgreSQL's indexes take no more."""

LIMITS = {"subject_type": 255, "scenario": 255, "arch": 255, "product_version": 200}
MAX_COMMENT = 65_536


def checked_terms(
    terms: Terms, rule: Rule, kinds: Mapping[str, PurposeKind], products: Products | None, now: datetime
) -> Terms:
    """Return `terms` if a waiver may have them, with the end that `rule` gives to one that names none.

    Raises InvalidError that names the value and what is wrong with it.
    """
    for name in ("subject", "testcase"):
        _check(getattr(terms, name), name, MAX_NAME)
    for name, limit in LIMITS.items():
        value = getattr(terms, name)
        if value is not None:
            _check(value, name, limit)
    if products is not None:
        products.check(terms.product_version)
    if terms.purpose is not None:
        check_purpose(terms.purpose, kinds)
        if terms.purpose.kind == "product" and products is not None:
            products.check(terms.purpose.value)
    return replace(terms, expires_at=_end(terms.expires_at, rule, now))


def checked_comment(comment: str) -> str:
    """Return `comment` if it says why. Raises InvalidError for a blank one."""
    if not comment.strip():
        raise InvalidError("a comment is missing: say why")
    return storable_comment(comment)


def storable_comment(comment: str) -> str:
    """Return `comment` if it can be kept. Raises InvalidError."""
    if not comment:
        raise InvalidError("a comment is missing: say why")
    if len(comment) > MAX_COMMENT:
        raise InvalidError(f"the comment is longer than {MAX_COMMENT} characters: {shown(comment[:80])}")
    if "\0" in comment or not _encodable(comment):
        raise InvalidError(f"the comment holds a NUL or a lone surrogate: {shown(comment)}")
    return comment


def _end(asked: datetime | None, rule: Rule, now: datetime) -> datetime | None:
    latest = None if rule.max_days is None else now + timedelta(days=rule.max_days)
    if asked is None:
        return latest
    if asked.tzinfo is None:
        raise InvalidError(f"the end {asked.isoformat()} has no zone")
    if asked <= now:
        raise InvalidError(f"the end {asked.isoformat()} is past")
    if latest is not None and asked > latest:
        raise InvalidError(
            f"a waiver of this testcase lasts {rule.max_days} days at most, to {latest:%Y-%m-%dT%H:%M:%SZ};"
            f" asked for was {asked.isoformat()}"
        )
    if asked.year > 9_000:
        raise InvalidError(f"the end {asked.isoformat()} is not of this world; leave it out for no end")
    return asked


def _check(value: str, name: str, limit: int) -> None:
    if not value.strip():
        raise InvalidError(f"{name} is missing")
    if not value.isprintable():
        raise InvalidError(f"{name} holds unprintable characters: {shown(value)}")
    if len(value) > limit or (limit == MAX_NAME and len(value.encode()) > MAX_BYTES):
        raise InvalidError(f"{name} is longer than {limit} characters: {shown(value)}")


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
