"""SQL that fills a store with many waivers at once; their chain is not sound, for no hash is computed."""

from __future__ import annotations

SUBJECTS = 40_000

FILL = """
insert into _waiver_event (id, seq, time, waiver, step, turn, username, via, comment, subject_type, subject,
    testcase, product_version, lenient, waived, expires_at, hash)
select n, n, 1780000000000000 + n, n, case n % 10 when 0 then 'request' else 'grant' end,
    case n % 10 when 0 then null else 'opens' end, 'dev' || (n % 500), 'cli', 'infra', 'koji_build',
    'pkg-1-' || (n % {subjects}), 'dist.t' || (n % 97), 'fedora-40', 0, 1,
    case n % 4 when 0 then 1790000000000000 + n else null end, ''
from ({numbers}) numbers
"""

CLOSE = """
insert into _waiver_event (id, seq, time, waiver, step, turn, username, via, comment, hash)
select {count} + n, {count} + n, 1790000000000000 + n, n, 'withdraw', 'closes', 'rm1', 'cli', 'enough', ''
from ({numbers}) numbers where n % 5 = 1
"""

SQLITE = "with recursive c (n) as (select 1 union all select n + 1 from c where n < {count}) select n from c"
POSTGRES = "select generate_series(1, {count}) as n"


def fill(numbers: str, count: int) -> tuple[str, str]:
    """Return the statements that fill a store with `count` waivers, a fifth of them withdrawn."""
    listed = numbers.format(count=count)
    return FILL.format(numbers=listed, subjects=SUBJECTS), CLOSE.format(numbers=listed, count=count)
