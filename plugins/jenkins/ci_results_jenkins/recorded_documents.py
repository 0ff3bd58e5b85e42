"""What a recording of a Jenkins master holds, and what of it can be seen now."""

from __future__ import annotations

import json
import lzma
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

ROOT = "http://jenkins.example.com"
"""The root that the recorded master believes to have; its addresses begin with it."""

NEWEST = 100

_ENDED = ("SUCCESS", "UNSTABLE", "FAILURE", "ABORTED", "NOT_BUILT")
_PERMALINKS: Mapping[str, tuple[str, ...]] = {
    "lastCompletedBuild": _ENDED, "lastStableBuild": _ENDED[:1], "lastSuccessfulBuild": _ENDED[:2],
    "lastUnstableBuild": _ENDED[1:2], "lastFailedBuild": _ENDED[2:3], "lastUnsuccessfulBuild": _ENDED[1:],
}  # fmt: skip
"""Which results a finished build must have for a permalink to name the newest such build."""

_COLOURS = dict(zip(_ENDED, ("blue", "yellow", "red", "aborted", "notbuilt"), strict=True))
_BUILDS = frozenset({"builds", "allBuilds", "lastBuild", "firstBuild", *_PERMALINKS})


def entries(recording: Path) -> Iterator[dict[str, Any]]:
    """Yield the exchanges of a recording: NDJSON, compressed with xz or not."""
    packed = recording.read_bytes()
    lines = lzma.decompress(packed) if recording.suffix == ".xz" else packed
    for line in lines.splitlines():
        yield json.loads(line)


class Documents:
    """The documents of a recording by path, with builds held back.

    until      per full name, the highest build number that is visible; may be changed at any time
    held_back  hides so many of the newest builds of every job that `until` does not name
    """

    def __init__(
        self, recording: Path | Iterable[dict[str, Any]], until: Mapping[str, int] | None = None
    ) -> None:
        self.until = dict(until or {})
        self.held_back = 0
        self._documents: dict[str, dict[str, Any]] = {}
        self._numbers: dict[str, list[int]] = defaultdict(list)
        for entry in entries(recording) if isinstance(recording, Path) else recording:
            self._documents[entry["path"]] = entry
        self._places = {_parts(path): path for path in self._documents}
        for path in self._documents:
            parts = path.removesuffix("/api/json").rsplit("/", 1)
            if path.endswith("/api/json") and parts[-1].isdigit():
                self._numbers[parts[0]].append(int(parts[-1]))
        for numbers in self._numbers.values():
            numbers.sort(reverse=True)

    def _place(self, path: str) -> str | None:
        """Return the recorded path of a document that can be seen now, however `path` is quoted.

        A branch "feature/x" is found as feature%252Fx and as feature%2Fx; a folder's "%2F" is not.
        """
        parts = _parts(path)
        for at, part in enumerate(parts[1:], 1):
            if (part in _PERMALINKS or part in ("lastBuild", "firstBuild")) and parts[at - 1] != "job":
                job = self._places.get((*parts[:at], "api", "json"), "").removesuffix("/api/json")
                build = (
                    self._filled(job, self._documents[f"{job}/api/json"]["json"]).get(part) if job else None
                )
                if not build:
                    return None
                parts = (*parts[:at], str(build["number"]), *parts[at + 1 :])
                break
        place = self._places.get(parts) or self._places.get(tuple(part.replace("/", "%2F") for part in parts))
        entry = self._documents.get(place or "")
        return None if entry is None or entry["status"] != 200 or self._hidden(place or "") else place

    def _hidden(self, path: str) -> bool:
        """Say whether a build's document is held back for now."""
        at = path.find("/", 1)
        while at > 0:
            end = path.find("/", at + 1)
            number = path[at + 1 : end]
            if number.isdigit() and path[:at] in self._numbers:
                return int(number) > self._limit(path[:at])
            at = end
        return False

    def _limit(self, job: str) -> float:
        """Return the highest number of a job's builds that can be seen."""
        if not self.until and not self.held_back:
            return float("inf")
        document = self._documents.get(f"{job}/api/json")
        name = document["json"].get("fullName", "") if document else ""
        if name in self.until or not self.held_back:
            return self.until.get(name, float("inf"))
        return next(iter(self._numbers.get(job, ())[self.held_back :]), 0)

    def _filled(self, path: str, body: Any) -> Any:
        """Return a document with what the recording left out: its path, all builds, builds held back."""
        if not isinstance(body, dict):
            return body
        body = {**body, "_path": path}
        if "nextBuildNumber" in body:
            limit = self._limit(path)
            listed = {build["number"]: build for build in body.get("builds") or ()}
            for number in self._numbers.get(path, ()):
                listed.setdefault(
                    number, {"_class": body["_class"], "number": number, "url": f"{ROOT}{path}/{number}/"}
                )
            visible = [listed[number] for number in sorted(listed, reverse=True) if number <= limit]
            body["allBuilds"] = visible
            body["builds"] = visible[:NEWEST]
            if limit != float("inf"):
                body |= self._as_of(path, body, visible) | {
                    "nextBuildNumber": min(body["nextBuildNumber"], int(limit) + 1)
                }
        return body

    def _as_of(self, path: str, body: dict[str, Any], visible: list[dict[str, Any]]) -> dict[str, Any]:
        """Return what a job says of its builds when its newest is visible[0]."""
        found: dict[str, Any] = dict.fromkeys(_PERMALINKS)
        found |= {
            "lastBuild": visible[0] if visible else None,
            "firstBuild": visible[-1] if visible else None,
        }
        for build in reversed(visible):
            told = self._build(path, build["number"])
            if not told.get("building"):
                found |= {
                    name: build for name, results in _PERMALINKS.items() if told.get("result") in results
                }
        if body.get("color") not in (None, "disabled"):
            newest = self._build(path, visible[0]["number"]) if visible else {}
            colour = _COLOURS.get(newest.get("result") or "", "notbuilt")
            found["color"] = f"{colour}_anime" if newest.get("building") else colour
        return found

    def _build(self, path: str, number: int) -> dict[str, Any]:
        document = self._documents.get(f"{path}/{number}/api/json")
        return document["json"] if document and isinstance(document.get("json"), dict) else {}

    def _follow(self, name: str, entry: Any, holder: Any) -> Any:
        """Return an entry of a list with all the fields that its own document has."""
        path = holder.get("_path")
        if path is None:
            return entry
        if name == "jobs":
            child = f"{path}/job/{quote(entry['name'], safe='')}"
            document = self._documents.get(f"{child}/api/json")
            return self._filled(child, document["json"]) if document and document["status"] == 200 else entry
        if name in _BUILDS:
            return entry | self._build(path, entry["number"])
        if name == "runs" and str(entry.get("url")).startswith(ROOT):
            run = self._documents.get(f"{entry['url'].removeprefix(ROOT)}api/json")
            return entry | run["json"] if run and run["status"] == 200 else entry
        return entry


def _parts(path: str) -> tuple[str, ...]:
    """Return the segments of a path, unquoted once; those of none are passed over, as Jenkins does."""
    parts = tuple(unquote(part) for part in path.split("/") if part)
    return ("whoAmI", *parts[1:]) if parts[:1] == ("me",) else parts
