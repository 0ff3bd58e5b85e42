"""The hashes of Datasette's own inline scripts, so that a page may run those and no others."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from pathlib import Path

import datasette

_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)
_VARYING = re.compile(r"\{\{\s*datasette_allow_facet\s*\}\}")


@cache
def script_hashes() -> tuple[str, ...]:
    """Return CSP hashes ("sha256-...") of the constant scripts in the installed Datasette's templates.

    One script holds an expression, which is `true` or `false`; scripts with any other are left
    out, and so do not run under our policy.
    """
    found: set[str] = set()
    for template in sorted((Path(datasette.__file__).parent / "templates").glob("*.html")):
        for script in _SCRIPT.findall(template.read_text(encoding="utf-8")):
            found.update(
                _hash(_VARYING.sub(word, script)) for word in ("true", "false") if "{%" not in script
            )
    return tuple(sorted(found))


def _hash(script: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
