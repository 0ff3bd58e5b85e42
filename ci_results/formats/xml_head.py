"""What the first bytes of an XML file tell: its encoding, where the document begins, what it is not."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .xml_sanitise import known

NOISE_BYTES = 65_536
"""So far from the start the document may begin: blank lines, log text, a second byte order mark."""
_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_PACKED = ((b"\x1f\x8b", "gzip"), (b"PK\x03\x04", "zip"), (b"\xfd7zXZ", "xz"), (b"BZh", "bzip2"))
_DECLARED = re.compile(rb"""<\?xml[^>]{0,200}?\sencoding\s*=\s*["']([A-Za-z][A-Za-z0-9._-]{0,39})["']""")
_BEGIN = re.compile(
    rb"<\?xml\s|<!DOCTYPE|<!ENTITY|<(?:[A-Za-z_][\w.-]{0,40}:)?(?:testsuites?|testcase|html)[\s/>]"
)
_HTML = re.compile(
    rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)?(?:<!doctype\s+html|<html[\s>])", re.IGNORECASE | re.DOTALL
)
_FOREIGN = re.compile(r"shift|sjis|euc|gb|big5|iso-?2022|cp9[345]|windows-31j|hz")
_PROLOGUE = re.compile(r"\s+|<\?.*?\?>|<!--.*?-->", re.DOTALL)
_ROOT = re.compile(r"<(?:[^\s:<>/\"'=]+:)?([^\s:<>/\"'=]+)")
_DOCTYPE = re.compile(r"<(?:[\w.-]+:)?(testsuites?|testcase)[\s/>]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """How to read on.

    skip      how many bytes stand before the document
    encoding  as the byte order mark or the declaration says, lower case; "utf-8" where neither does,
              or where the declaration says UTF-16 in plain ASCII (.NET writes that)
    forced    whether a parser must be told the encoding, because the declaration is wrong
    foreign   whether expat cannot decode it: several bytes a character, but no UTF
    noise     whether what is skipped is more than blanks
    refusal   why this is no XML document at all, or None
    """

    skip: int = 0
    encoding: str = "utf-8"
    forced: bool = False
    foreign: bool = False
    noise: bool = False
    refusal: str | None = None


def look(head: bytes) -> Head:
    """Look at a file's first bytes (64 KiB are enough, more do not harm)."""
    for magic, name in _PACKED:
        if head.startswith(magic):
            return Head(refusal=f"it is packed ({name}): unpack it first")
    encoding, start = _byte_order_mark(head)
    if encoding.startswith("utf-16"):
        return Head(encoding=encoding)
    if _HTML.match(head, start, NOISE_BYTES):
        return Head(refusal="it is an HTML page, a login or an error perhaps, not a report")
    forced = False
    if declared := _DECLARED.search(head, 0, NOISE_BYTES):
        said = declared[1].decode("ascii").lower()
        forced = said.startswith(("utf-16", "utf16", "utf-32", "utf32", "ucs"))
        encoding = encoding if forced else said
    foreign = _FOREIGN.match(encoding) is not None
    text = head[start:NOISE_BYTES]
    blanks = len(text) - len(text.lstrip(b" \t\r\n\xef\xbb\xbf\x00"))
    if text[blanks : blanks + 1] == b"<":
        return Head(skip=start + blanks if blanks else 0, encoding=encoding, forced=forced, foreign=foreign)
    begin = _BEGIN.search(text)
    if begin is None:
        return Head(refusal=f"no XML begins in its first {NOISE_BYTES // 1024} KiB")
    return Head(skip=start + begin.start(), encoding=encoding, forced=forced, foreign=foreign, noise=True)


def root_name(head: bytes) -> str | None:
    """Give the local name of the first element, e.g. "testsuites"; None where none begins in `head`."""
    seen = look(head)
    if seen.refusal is not None:
        return None
    encoding = known(seen.encoding) if "utf" in seen.encoding else "latin-1"
    text = head[seen.skip : NOISE_BYTES].decode(encoding, "replace").lstrip("\ufeff")
    at = 0
    while blank := _PROLOGUE.match(text, at):
        at = blank.end()
    if text.startswith("<!DOCTYPE", at):
        found = _DOCTYPE.search(text, at)
    else:
        found = _ROOT.match(text, at)
    return None if found is None else found[1]


def _byte_order_mark(head: bytes) -> tuple[str, int]:
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return encoding, len(mark)
    if head.startswith(b"<\x00"):
        return "utf-16-le", 0
    if head.startswith(b"\x00<"):
        return "utf-16-be", 0
    return "utf-8", 0
