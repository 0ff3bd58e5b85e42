"""Intake: what the lines of one batch say, good or bad, in order."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...domain.page import Page
from ...domain.user import User
from ...errors import InvalidError
from ...normalise.submitted import Gathering, check_strictly
from ...wire.body import Unparsable, parse
from ...wire.resultsdb_post import ColonInKeyError, submission
from ...wire.validation import Field, RefusedBody
from ..idempotency import uuids


class Intake:
    """Takes the results of one batch.

    table  how a result is read
    key    the client's Idempotency-Key; under it each line number stands for one result
    user   who submits it

    refused  what is wrong with lines, in order:
             [{"line": 3, "validation_error": [...]}, {"line": 7, "message": "..."}]
    """

    def __init__(self, table: Mapping[str, Field], key: str, user: User) -> None:
        self._table = table
        self._key = key
        self._user = user
        self._stem = f"batch:{key}" if key else os.urandom(12).hex()
        self._gathered = Gathering(user.source)
        self._good: list[bool] = []
        self.refused: list[dict[str, Any]] = []

    def __len__(self) -> int:
        """How many results were taken, good or bad."""
        return len(self._good)

    def line(self, number: int, line: bytes) -> None:
        """Take a line of NDJSON."""
        try:
            value = parse(line)
        except Unparsable as err:
            self._refuse(number, message=f"no JSON: {err}")
        else:
            self.value(number, value)

    def value(self, number: int, value: Any) -> None:
        """Take the body of a result, as POST /api/v2.0/results takes it."""
        try:
            said = submission(value, self._table, uuids(self._key and f"{self._key}#{number}"))
            if self._user.strict:
                check_strictly(said)
        except RefusedBody as err:
            self._refuse(number, validation_error=err.problems)
        except (ColonInKeyError, InvalidError) as err:
            self._refuse(number, message=str(err))
        else:
            self._gathered.add(said, f"{self._stem}#{number}")
            self._good.append(True)

    def _refuse(self, number: int, **why: Any) -> None:
        self.refused.append({"line": number, **why})
        self._good.append(False)

    @property
    def good(self) -> int:
        """How many results can be stored."""
        return len(self._gathered)

    @property
    def testcases(self) -> set[str]:
        """What the results that can be stored are of."""
        return self._gathered.testcases

    def pages(self, most: int) -> Iterator[Page]:
        """Yield pages of at most so many results that store all that can be stored."""
        return self._gathered.pages(most)

    def placed(self, ids: Sequence[int]) -> list[int | None]:
        """Return an id for each result in order, None where it was refused; `ids` are of the good ones."""
        following = iter(ids)
        return [next(following) if good else None for good in self._good]
