"""Plain cases: those of which a look at the text tells as much as a parser would.

A case with the three usual attributes, in ASCII and without references, that holds nothing but output:
nearly every case of a report that passed. Where a parser stands between two elements such a case means
what its letters say, and is well-formed: so the parser need not see it.
"""

from __future__ import annotations

import re

BEGIN = "<testcase"

_VALUE = r"""[ !#-%'-;=-~]++"""
"""Of an attribute: neither quote, reference nor tag, and no blank that a parser makes a space of."""

_OUTPUT = r"""[\t\n -%'-;=-\\^-~]*+"""
"""Text that is no markup, but for `]`, of which two before a `>` would be."""

PLAIN = re.compile(
    rf'<testcase classname="({_VALUE})" name="({_VALUE})" time="(\d{{1,8}}(?:\.\d{{1,9}})?)"[ \t\n]*+'
    rf"(?:/>|>[ \t\n]*+(?:<system-out>{_OUTPUT}(?:\](?!\]){_OUTPUT})*+</system-out>[ \t\n]*+)?</testcase>)"
    r"[ \t\n]*+",
    re.ASCII,
)
"""One plain case and the blanks after it; groups: classname, name, seconds."""
