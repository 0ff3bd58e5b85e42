"""RuleType: a kind of rule that policies may use; ours are registered as strangers' are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, cast

if TYPE_CHECKING:
    from .asked import Asked, Question
    from .decision import Requirement
    from .weighing import Weighing

O = TypeVar("O")  # noqa: E741


class RuleType(ABC, Generic[O]):
    """Judges one kind of rule: a pure function of its options and of the facts that it asked for.

    name      the tag in policies, without its `!`: "AtLeastRule"
    options   a frozen dataclass: its fields are the keys of the rule
    lenient   an unknown key is a warning of `lint` (Greenwave's own rules) instead of an error
    trusted   it may stand in the installation's own files only, not in remote ones or in requests

    One instance serves all policies and threads: keep no state on self, do no I/O, read no clock.
    """

    name: ClassVar[str]
    options: ClassVar[type[Any]]
    lenient: ClassVar[bool] = False
    trusted: ClassVar[bool] = False

    def questions(self, options: O, asked: Asked) -> Iterable[Question]:
        """Yield what must be read from the store before `judge` can tell; the default asks nothing."""
        return ()

    @abstractmethod
    def judge(self, options: O, weighing: Weighing) -> Iterable[Requirement]:
        """Yield what is required and how it stands, made by the methods of `weighing`."""

    def testcases(self, options: O) -> Iterable[str]:
        """Yield the testcases, names or globs, that this rule looks at: for lint, and to follow events."""
        return ()

    def plain(self, options: O) -> bool:
        """Say whether `questions` asks for the subject's latest results of `testcases`, and nothing else.

        The questions of such rules are known when policies are read, and need not be asked again.
        """
        return False

    def identity(self, options: O) -> Hashable:
        """Return what makes two rules of this type the same: for one subject, the second is passed over."""
        return cast(Hashable, options)

    def monotonic(self, options: O) -> bool:
        """Say whether one more passed result can never close the gate."""
        return True

    def check(self, options: O) -> Iterable[str]:
        """Yield what is wrong with options of the right types: "at_least: more than there are testcases"."""
        return ()
