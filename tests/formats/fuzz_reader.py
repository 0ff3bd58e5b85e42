"""Fuzz a family of readers with atheris: `python -m tests.formats.fuzz_reader FAMILY [OPTION|FILE]...`

The first byte of an input says which reader takes the rest; for any bytes a reader must tell what it
read or could not read, see `told`. Options are libFuzzer's: `-max_total_time=60`; a file is run once.
"""

from __future__ import annotations

import sys

import atheris  # type: ignore[import-not-found]

with atheris.instrument_imports(include=["ci_results.formats"]):
    from .families import FAMILIES
    from .reading import FORMATS, read, told

MAX_BYTES = 16_384
LIMITS = (
    "-timeout=10",
    "-rss_limit_mb=1024",
    f"-max_len={MAX_BYTES}",
    "-verbosity=0",
    "-print_final_stats=1",
)


def main(program: str, family: str, *options: str) -> None:
    """Fuzz until an option says that it is enough, or an input is found that breaks a rule."""
    names = FAMILIES[family]

    def once(data: bytes) -> None:
        name = names[(data or b"\0")[0] % len(names)]
        told(name, read(name, data[1:]))
        FORMATS[name].recognises(data[1:])

    atheris.Setup([program, *LIMITS, *options], once)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv)
