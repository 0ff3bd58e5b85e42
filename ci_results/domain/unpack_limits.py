"""UnpackLimits: how much a packed report may unfold to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class UnpackLimits:
    """Limits of one file that is given as a report, over all that is packed in it.

    max_bytes    unpacked, in all
    max_ratio    unpacked bytes to one packed; the first 64 MiB may unfold from anything
    max_members  files in archives
    max_depth    archives and compressions inside each other: a .tar.gz has two
    """

    max_bytes: int = 4 * 1024**3
    max_ratio: int = 200
    max_members: int = 20_000
    max_depth: int = 6

    def __post_init__(self) -> None:
        for name in ("max_bytes", "max_ratio", "max_members", "max_depth"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be positive, got {getattr(self, name)}")
