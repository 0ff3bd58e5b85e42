"""The pages that people log in for: where they are, and which may be come back to."""

from __future__ import annotations

MANUAL, INBOX, WAIVER = "/manual", "/inbox", "/waiver"
PAGES = (MANUAL, INBOX, WAIVER)
"""Beginnings of their addresses. Their cookies are theirs alone."""

FORMS = ("/api/v1.0/waivers/new", "/waiverdb/api/v1.0/waivers/new")
"""WaiverDB's own form, under both of its addresses: it posts a token, and has no cookies."""


def ours(page: str | None) -> str | None:
    """Return `page` where it is one of these, else None: nobody is sent elsewhere after a login.

    >>> ours("/inbox?x=1"), ours("//evil.example"), ours("/manually")
    ('/inbox?x=1', None, None)
    """
    if not page or not page.isprintable() or "\\" in page:
        return None
    path = page.partition("?")[0] + "/"
    return page if any(path.startswith(f"{each}/") for each in (*PAGES, *FORMS)) else None
