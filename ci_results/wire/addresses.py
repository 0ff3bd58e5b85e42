"""Web and e-mail addresses, taken and written as ResultsDB's typed API does.

Its readers are pydantic's: URLs by its core, e-mail addresses by email-validator. What is stored is
what they make of it, so that a link compares equal wherever it was posted.
"""

from __future__ import annotations

import re
from typing import Any

from email_validator import EmailNotValidError, validate_email
from pydantic_core import SchemaValidator, ValidationError

from .validation import Wrong, text

MAX_ADDRESS = 8192
MAX_EMAIL = 2048
_URL = SchemaValidator({"type": "url", "allowed_schemes": ["http", "https"], "max_length": MAX_ADDRESS})
_WORD = r"[\w.!#$%&'*+\-/=?^_`{|}~]+"
_NAMED = re.compile(rf'(?:{_WORD}(?:\s+{_WORD})*|"[^"]+")?\s*<(.+)>')
_MAX_NAMED = 512
"""Characters of an address with a name before it; longer ones are no address, and cost to take apart."""


def web_address(value: Any) -> str:
    """Read a http(s) URL and return it normalised.

    >>> web_address("HTTPS://Example.com:443/a/../b c")
    'https://example.com/b%20c'
    >>> web_address("http://example.com")
    'http://example.com/'
    """
    try:
        return str(_URL.validate_python(value))
    except ValidationError as err:
        found = err.errors(include_url=False, include_context=False, include_input=False)[0]
        raise Wrong(found["type"], found["msg"]) from None


def email_address(value: Any) -> str:
    """Read an e-mail address; a name around it is dropped, the domain comes in lower case.

    >>> email_address("Jane Doe <Jane@Example.COM>")
    'Jane@example.com'
    """
    given = text(value).strip()
    if len(given) > MAX_EMAIL:
        raise _no_email(f"Length must not exceed {MAX_EMAIL} characters")
    if "\r" in given or "\n" in given:
        raise _no_email("Carriage return and line feed characters are not allowed")
    named = _NAMED.fullmatch(given) if given.endswith(">") and len(given) <= _MAX_NAMED else None
    try:
        found = validate_email(named[1].strip() if named else given, check_deliverability=False)
    except EmailNotValidError as err:
        raise _no_email(str(err)) from None
    return found.normalized


def _no_email(reason: str) -> Wrong:
    return Wrong("value_error", f"value is not a valid email address: {reason}")
