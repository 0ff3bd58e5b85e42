"""A project to test: widths of widgets, read from texts."""

from __future__ import annotations


def width_mm(text: str) -> int:
    """Read a width: "12 mm", "3 cm". Raises ValueError for anything else."""
    number, _, unit = text.partition(" ")
    if unit not in ("mm", "cm"):
        raise ValueError(f"no width: {text!r}")
    return int(number) * (10 if unit == "cm" else 1)
