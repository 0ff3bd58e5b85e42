"""Texts of reports made fit to be stored: no NUL, no lone surrogate, bounded; and links that are links."""

from __future__ import annotations

import html
import re

from .junit_note import shortened

VALUE_CHARS = 1_024
"""Longest value of an attribute; longer texts belong into the note."""
_SURROGATE = re.compile("[\ud800-\udfff]")
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,200}>")
_KEY = re.compile(r"[^\w.\- /+@]+")


def storable(text: str) -> str:
    r"""Put U+FFFD in place of what no store takes.

    >>> storable("a\0b")
    'a\ufffdb'
    """
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def value(text: object) -> str:
    """Give what a report says as an attribute's value: its text, at most 1,024 characters.

    >>> value(True), value(3.0), value("x")
    ('true', '3.0', 'x')
    """
    if isinstance(text, str):
        return storable(text[:VALUE_CHARS])
    return storable((str(text).lower() if isinstance(text, bool) else str(text))[:VALUE_CHARS])


def note(*parts: object) -> str | None:
    """Join what is said, a part a paragraph, without what is empty or said in another; None for nothing.

    >>> note("no route", None, "", "no route at a.py:1", "no route")
    'no route at a.py:1'
    """
    parts = tuple(part for part in parts if part)
    if len(parts) < 2:
        return (shortened(storable(str(parts[0])).strip()) or None) if parts else None
    texts = dict.fromkeys(storable(str(part)).strip() for part in parts)
    said = [text for text in texts if text and not any(text in other for other in texts if other != text)]
    return shortened("\n".join(said)) if said else None


def link(text: object) -> str | None:
    """Give a link that is one (http or https, printable); None for anything else."""
    if not isinstance(text, str):
        return None
    text = text.strip()
    good = text.startswith(("http://", "https://")) and text.isprintable() and len(text) <= 2_048
    return text if good and " " not in text else None


def without_html(text: str) -> str:
    """Take tags out of a text that was made for a web page, and resolve its references.

    >>> without_html("File <tt>/bin/x</tt> is &lt;b&gt;")
    'File /bin/x is <b>'
    """
    return html.unescape(_TAG.sub("", text))


def attribute(name: str) -> str:
    """Make a report's own name one that an attribute may have: no colon, nothing unprintable.

    >>> attribute("waiver authorization:x")
    'waiver authorization_x'
    """
    return _KEY.sub("_", name)[:128] or "_"


def kebab(name: str) -> str:
    """Write a CamelCase name as testcases have it.

    >>> kebab("SpecFileSanity")
    'spec-file-sanity'
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()
