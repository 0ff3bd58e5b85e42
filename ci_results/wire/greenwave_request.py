"""Read a decision request as Greenwave takes it; what is wrong is told in its words. Obeys COMPAT 3.2."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from ..domain.asked import Request
from ..domain.policy import Policy
from ..domain.purpose import Purpose
from ..domain.subject import Subject, SubjectTypes
from ..errors import InvalidError
from .tier_graph import read_tiers

NO_PAYLOAD = "No JSON payload in request"
UNREADABLE = "The browser (or proxy) sent a request that this server could not understand."
MOST_SUBJECTS = 5_000
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


class RefusedRequest(Exception):  # noqa: N818 (told to the client, never an error of ours)
    """A request that is not answered: `{"message": ...}` with this status."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.message, self.status = message, status


class Reader(NamedTuple):
    """Reads the bodies of decision requests.

    subject_types  those that are known, for old-style subject objects
    on_demand      makes the policy of a request that brings rules; raises ValueError with the peer's words
    most_subjects  a request for more of them is refused with 413
    known_purpose  returns a purpose of a known kind; raises InvalidError for another
    """

    subject_types: SubjectTypes
    on_demand: Callable[[Mapping[str, Any]], Policy]
    most_subjects: int = MOST_SUBJECTS
    known_purpose: Callable[[Purpose], Purpose] = lambda purpose: purpose

    def read(self, body: Any) -> Request:
        """Return the request of a JSON body. Raises RefusedRequest for the first thing that is wrong."""
        if body is None or body in ({}, []):
            raise RefusedRequest(NO_PAYLOAD, 415)
        if not isinstance(body, dict):
            raise RefusedRequest(UNREADABLE)
        version = body.get("product_version")
        if not version:
            raise RefusedRequest("Missing required product version")
        contexts, rules = body.get("decision_context"), body.get("rules")
        if not contexts and not rules:
            raise RefusedRequest("Either decision_context or rules is required.")
        if contexts and rules:
            raise RefusedRequest("Cannot have both decision_context and rules")
        policy = None
        if rules:
            subjects = self._subjects(body)
            policy = self._policy(body)
        verbose, when = _verbose(body), _when(body)
        if not rules:
            subjects = self._subjects(body)
        try:
            return Request(
                subjects=subjects,
                product_version=_text(version, "product_version"),
                contexts=_contexts(contexts) if contexts else (),
                policy=policy,
                purposes=frozenset(map(self.known_purpose, _purposes(body.get("purpose")))),
                ignore_results=_ids(body, "ignore_result"),
                ignore_waivers=_ids(body, "ignore_waiver"),
                verbose=verbose,
                when=when,
                tiers=None if body.get("tiers") is None else read_tiers(body["tiers"], self._detected),
                baseline=_text(body["baseline"], "baseline") if body.get("baseline") else None,
            )
        except InvalidError as err:
            raise RefusedRequest(str(err)) from err

    def _policy(self, body: Mapping[str, Any]) -> Policy:
        try:
            return self.on_demand(body)
        except ValueError as err:
            raise RefusedRequest(f"Failed to parse on demand policy: {err}") from err

    def _subjects(self, body: Mapping[str, Any]) -> tuple[Subject, ...]:
        if "subject" not in body:
            return (self._named(body),)
        given = body["subject"]
        if not isinstance(given, list) or not given or not all(isinstance(each, dict) for each in given):
            raise RefusedRequest("Invalid subject, must be a list of dicts")
        if len(given) > self.most_subjects:
            told = f"More than {self.most_subjects} subjects in one request; ask in several requests"
            raise RefusedRequest(told, 413)
        return tuple(map(self._detected, given))

    def _named(self, body: Mapping[str, Any]) -> Subject:
        kind, identifier = body.get("subject_type"), body.get("subject_identifier")
        if not kind:
            raise RefusedRequest('Missing required "subject_type" parameter')
        if not identifier:
            raise RefusedRequest('Missing required "subject_identifier" parameter')
        if not isinstance(identifier, str):
            raise RefusedRequest("Subject item/identificator must be a string")
        return self.subject_types.subject(
            _text(kind, "subject_type"), _text(identifier, "subject_identifier")
        )

    def _detected(self, given: Mapping[str, Any]) -> Subject:
        try:
            found = self.subject_types.detect(given)
        except TypeError as err:
            raise RefusedRequest("Subject item/identificator must be a string") from err
        if found is None:
            raise RefusedRequest("Could not detect subject_identifier")
        return Subject(_text(found.type, "subject"), _text(found.identifier, "subject"))


def _contexts(given: Any) -> tuple[str, ...]:
    several = given if isinstance(given, list) else [given]
    return tuple(dict.fromkeys(_text(each, "decision_context") for each in several))


def _verbose(body: Mapping[str, Any]) -> bool:
    verbose = body.get("verbose", False)
    if not isinstance(verbose, bool):
        raise RefusedRequest("Invalid verbose flag, must be a bool")
    return verbose


def _when(body: Mapping[str, Any]) -> datetime | None:
    given = body.get("when")
    if given in (None, ""):
        return None
    try:
        return datetime.strptime(given, "%Y-%m-%dT%H:%M:%S.%f").replace(tzinfo=UTC)
    except (TypeError, ValueError) as err:
        raise RefusedRequest('Invalid "when" parameter, must be in ISO8601 format') from err


def _ids(body: Mapping[str, Any], key: str) -> frozenset[int]:
    given = body.get(key)
    if given is None:
        return frozenset()
    if not isinstance(given, list) or not all(type(each) is int for each in given):
        raise RefusedRequest(f"Invalid {key}, must be a list of integers")
    return frozenset(given)


def _purposes(given: Any) -> frozenset[Purpose]:
    if given in (None, "", []):
        return frozenset()
    several = given if isinstance(given, list) else [given]
    return frozenset(Purpose.parse(_text(each, "purpose")) for each in several)


def _text(value: Any, key: str) -> str:
    """Return a text that a store can be asked for."""
    if not isinstance(value, str):
        raise RefusedRequest(f"Invalid {key}, must be a string")
    if _UNSTORABLE.search(value):
        raise RefusedRequest(f"Invalid {key}, must not contain NUL or lone surrogates")
    return value
