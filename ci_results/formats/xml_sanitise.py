"""Make damaged XML readable for a strict parser, as a stream: encoding, control characters, references."""

from __future__ import annotations

import codecs
import re

_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_AMPERSAND = re.compile(r"&(?:amp;|lt;|gt;|quot;|apos;|#(x[0-9a-fA-F]{1,6}|[0-9]{1,7});)?")
_DECLARATION = re.compile(r"^\s*<\?xml\s[^>]{0,400}>")
_TEXT_ENCODING = re.compile(
    r"(?:utf|iso|us-ascii|ascii|latin|windows|cp|koi8|mac|shift|euc|gb|big5|tis)[a-z0-9._-]*"
)
_LONGEST_REFERENCE = 10
_MAX_CODE = 0x10FFFF


class Sanitiser:
    """Turns the bytes of a file into UTF-8 that holds only legal characters and references.

    Bytes that are not of the file's encoding become U+FFFD; control characters and references to
    them are dropped; an ampersand that begins no reference known without a DTD becomes `&amp;`.
    In CDATA the last is said too: the text gains four letters, the file is readable.
    """

    def __init__(self, encoding: str) -> None:
        self._decode = codecs.getincrementaldecoder(known(encoding))("replace").decode
        self._held = ""
        self._first = True

    def clean(self, data: bytes, *, final: bool = False) -> bytes:
        """Give what of `data` can be given now; the rest is held until more comes, or `final`."""
        text = self._held + self._decode(data, final)
        self._held = ""
        if self._first and text:
            # It names another encoding than ours, or is itself what was wrong.
            self._first = False
            text = _DECLARATION.sub("", text.lstrip("\ufeff"), count=1)
        if not final and (at := text.rfind("&", max(len(text) - _LONGEST_REFERENCE, 0))) >= 0:
            text, self._held = text[:at], text[at:]
        text = _ILLEGAL.sub("", text)
        if "&" in text:
            text = _AMPERSAND.sub(_reference, text)
        return text.encode("utf-8", "replace")


def _reference(found: re.Match[str]) -> str:
    number = found[1]
    if number is None:
        return found[0] if len(found[0]) > 1 else "&amp;"
    code = int(number[1:], 16) if number.startswith("x") else int(number)
    legal = code in (9, 10, 13) or 0x20 <= code <= _MAX_CODE
    return found[0] if legal and not 0xD800 <= code <= 0xDFFF and code not in (0xFFFE, 0xFFFF) else ""


def known(encoding: str) -> str:
    """Give the codec to decode with: UTF-8 for one that is unknown or no encoding of texts."""
    if not _TEXT_ENCODING.fullmatch(encoding):
        return "utf-8"
    try:
        b"".decode(encoding)
        codecs.getincrementaldecoder(encoding)
    except LookupError:
        return "utf-8"
    return encoding
