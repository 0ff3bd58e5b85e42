"""How the document's texts read on the page."""

from __future__ import annotations

import re

from markupsafe import Markup

_CODE = re.compile(r"`([^`]+)`")
_NAME = re.compile(r"\[(\w+)\]")


def prose(text: str) -> Markup:
    """Draw a description: what stands in backticks is code.

    >>> prose("Use `a<b`, not more.")
    Markup('Use <code>a&lt;b</code>, not more.')
    """
    return _drawn(_CODE, text, Markup("<code>{0}</code>"))


def schema_links(kind: str) -> Markup:
    """Draw what a schema takes (see kinds); names of schemas lead to them.

    >>> schema_links("list of [Result]")
    Markup('list of <a href="#schema-Result">Result</a>')
    """
    return _drawn(_NAME, kind, Markup('<a href="#schema-{0}">{0}</a>'))


def _drawn(pattern: re.Pattern[str], text: str, template: Markup) -> Markup:
    """Escape `text`, and put what `pattern` finds into `template`."""
    parts = pattern.split(text)
    return Markup("").join(template.format(part) if place % 2 else part for place, part in enumerate(parts))
