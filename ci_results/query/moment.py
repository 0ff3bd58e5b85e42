"""SQL of the moment that several questions read, the same on both stores."""

from __future__ import annotations

from typing import LiteralString

SEQ: LiteralString = "select coalesce(max(seq), 0) from _commit"

GLANCE: LiteralString = f"""
select ({SEQ}), exists (select 1 from _waiver_event where subject = :subject and waiver = id),
    exists (select 1 from _expectation where subject = :subject)
"""
"""The same, and whether anything is known of one :subject beside its results: mostly nothing is, and two
more statements need not be asked."""
