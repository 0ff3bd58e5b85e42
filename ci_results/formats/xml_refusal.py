"""Refused: why a document is not read on, raised inside of expat's handlers."""

from __future__ import annotations


class Refused(Exception):  # noqa: N818 - it never leaves the readers, who name what they catch
    """The document breaks a limit or asks for what a report has no business to ask; str() says which."""
