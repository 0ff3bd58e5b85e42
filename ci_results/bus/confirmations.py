"""How far a broker has confirmed what was sent ahead. Pure."""

from __future__ import annotations


class Confirmations:
    """Of messages numbered from 0 on, which a broker confirms in any order."""

    def __init__(self) -> None:
        self._beyond: set[int] = set()
        self.count = 0
        """How many from the first on the broker has."""

    def add(self, number: int) -> None:
        """Note that the broker has one.

        >>> seen = Confirmations()
        >>> for number in (1, 0, 3):
        ...     seen.add(number)
        >>> seen.count
        2
        """
        self._beyond.add(number)
        while self.count in self._beyond:
            self._beyond.remove(self.count)
            self.count += 1
