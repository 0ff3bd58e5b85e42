"""The echo guard: what a store of results announces is no input, ours or another's.

A message of a new result has the shape of a result. Who listens to a whole bus and stores it anew
announces it anew, and so on for ever.
"""

from __future__ import annotations

import re

from ..domain.envelope import Envelope

ORIGIN = "ci_results_origin"
"""Header of all that we send: the name of the installation."""

_ANNOUNCED = re.compile(
    r"(?:.*\.)?(?:resultsdb\.result\.new|taskotron\.result\.new|waiverdb\.waiver\.new|greenwave\.decision\.update)"
)


def is_echo(envelope: Envelope, origin: str | None = None, announced: bool = False) -> bool:
    """Say whether a message is what a store announces.

    origin     our own name: what we sent is never taken, whatever else is
    announced  take what other stores announce, for one who copies a ResultsDB by its bus
    """
    sender = envelope.headers.get(ORIGIN)
    if sender is not None and (origin is None or sender == origin):
        return True
    return not announced and _ANNOUNCED.fullmatch(envelope.topic) is not None
