"""What unpacking may still spend, and what it says where something is wrong."""

from __future__ import annotations

from dataclasses import dataclass

from ...domain.unpack_limits import UnpackLimits

SMALL = 64 * 1024**2
"""So many bytes may unfold from however few: logs that repeat themselves pack a thousand to one."""


class TooMuch(Exception):  # noqa: N818
    """The limits are reached: nothing more of this file is unpacked."""


class Broken(Exception):  # noqa: N818
    """What is packed cannot be read on.

    cut  it ends too early, and what came before is good; else no byte of it can be trusted
    """

    def __init__(self, reason: str, *, cut: bool) -> None:
        super().__init__(reason)
        self.cut = cut


@dataclass(frozen=True, slots=True)
class Damage:
    """What could not be unpacked, by the name that a person finds it under, and why."""

    name: str
    reason: str


class Budget:
    """Counts what one file of `packed` bytes unfolds to."""

    def __init__(self, limits: UnpackLimits, packed: int) -> None:
        self.limits = limits
        self._packed = packed
        self._bytes = 0
        self._members = 0

    def anew(self) -> Budget:
        """Return a whole budget of its own for the same file."""
        return Budget(self.limits, self._packed)

    def take(self, size: int) -> None:
        """Count bytes that were unpacked. Raises TooMuch."""
        self._bytes += size
        limits = self.limits
        if self._bytes > limits.max_bytes:
            raise TooMuch(f"unpacks to more than {limits.max_bytes:,} bytes")
        if self._bytes > SMALL and self._bytes > limits.max_ratio * self._packed:
            raise TooMuch(f"unpacks to more than {limits.max_ratio} times its size")

    def member(self) -> None:
        """Count a file in an archive. Raises TooMuch."""
        self._members += 1
        if self._members > self.limits.max_members:
            raise TooMuch(f"holds more than {self.limits.max_members:,} files")

    def deeper(self, depth: int) -> int:
        """Go one archive or compression deeper. Raises TooMuch."""
        if depth >= self.limits.max_depth:
            raise TooMuch(f"is packed more than {self.limits.max_depth} times over")
        return depth + 1
