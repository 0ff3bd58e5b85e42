"""Rebuild packages in tiers, and nothing on what is not good: a bot on the public HTTP API alone.

    python rebuild_bot.py http://127.0.0.1:8001 graph.json --product-version fedora-40 --build ./build.sh

graph.json:  {"glibc": {"tier": 1, "needs": []}, "bash": {"tier": 2, "needs": ["glibc"]}}
build.sh:    is called with the name of a part, builds it, and prints what came of it: bash-5.2-1.fc40

Each round it asks of every part that is not built whether it may be, by the policies of --gate, builds
those that may, and notes their builds in graph.json, so that it can be stopped at any time. The server
decides and builds nothing; the bot builds and decides nothing. Whatever is not a clear yes is a no: an
answer that does not come, an error, or that no policy is for it.

Exit codes: 0 all is built and good, 1 something failed, 2 there is something to wait for, 3 it could
not be told.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import requests

TRIES = 5
TIMEOUT_S = 60


class UndecidedError(Exception):
    """The server gave no decision."""


class Decisions:
    """Questions to one server."""

    def __init__(self, url: str, product_version: str) -> None:
        self._url = f"{url.rstrip('/')}/api/v1.0/decision"
        self._product_version = product_version
        self._session = requests.Session()

    def verdict(self, context: str, build: str, graph: dict[str, Any]) -> tuple[str, str]:
        """Return "go", "no-go", "wait" or "error", and one sentence. Raises UndecidedError."""
        answer = self._ask(
            {
                "decision_context": context,
                "product_version": self._product_version,
                "subject": [{"type": "koji_build", "item": build}],
                "tiers": graph,
            }
        )
        if answer.get("policies_satisfied") is True:
            return "go", answer["summary"]
        return answer.get("verdict", "no-go"), answer["summary"]

    def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        for again in range(TRIES):
            try:
                answer = self._session.post(self._url, json=question, timeout=TIMEOUT_S)
            except requests.RequestException as err:
                problem, pause = str(err), 2.0**again
            else:
                if answer.ok:
                    found: dict[str, Any] = answer.json()
                    return found
                problem = f"HTTP {answer.status_code}: {answer.text[:200]}"
                if answer.status_code not in (429, 502, 503, 504):
                    break
                pause = _seconds(answer.headers.get("Retry-After"), 2.0**again)
            if again < TRIES - 1:
                time.sleep(min(pause, TIMEOUT_S))
        raise UndecidedError(f"{self._url}: {problem}")


def _seconds(text: str | None, otherwise: float) -> float:
    return float(text) if text is not None and text.isdecimal() else otherwise


class Bot:
    """One graph of parts, and what has been built of it."""

    def __init__(self, decisions: Decisions, file: Path, build: list[str], gate: str, good: str) -> None:
        self._decisions, self._file, self._build = decisions, file, build
        self._gate, self._good = gate, good
        self._graph: dict[str, dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))

    def round(self) -> bool:
        """Build whatever may be built now; say whether there was something."""
        built = False
        for part in self._unbuilt():
            verdict, why = self._decisions.verdict(self._gate, *self._as_if_built(part))
            print(f"{part}: {verdict}: {why}")
            if verdict == "go":
                self._note(part, self._make(part))
                built = True
        return built

    def state(self) -> int:
        """Return the exit code for how things stand."""
        verdicts = []
        for part, node in self._graph.items():
            if "subject" in node:
                verdict, why = self._decisions.verdict(self._good, node["subject"]["item"], self._graph)
                print(f"{part}: {node['subject']['item']} is {verdict}: {why}")
                verdicts.append(verdict)
        if any(verdict in ("no-go", "error") for verdict in verdicts):
            return 1
        return 2 if self._unbuilt() or "wait" in verdicts else 0

    def _unbuilt(self) -> list[str]:
        names = [name for name, node in self._graph.items() if "subject" not in node]
        return sorted(names, key=lambda name: self._graph[name]["tier"])

    def _as_if_built(self, part: str) -> tuple[str, dict[str, Any]]:
        """Return a name for the build to come, and the graph with it: the gate is about what is before it."""
        name = f"{part}-0-next"
        return name, {**self._graph, part: {**self._graph[part], "subject": _koji_build(name)}}

    def _make(self, part: str) -> str:
        done = subprocess.run([*self._build, part], stdout=subprocess.PIPE, text=True, check=True)
        return done.stdout.split()[-1]

    def _note(self, part: str, build: str) -> None:
        self._graph[part] = {**self._graph[part], "subject": _koji_build(build)}
        new = self._file.with_suffix(".new")
        new.write_text(json.dumps(self._graph, indent=1), encoding="utf-8")
        os.replace(new, self._file)
        print(f"{part}: built {build}")


def _koji_build(name: str) -> dict[str, str]:
    return {"type": "koji_build", "item": name}


def main() -> int:
    """Run the bot; return its exit code."""
    parser = argparse.ArgumentParser(description="Rebuild packages in tiers.")
    parser.add_argument("url", help="of the server")
    parser.add_argument("graph", type=Path)
    parser.add_argument("--product-version", required=True)
    parser.add_argument("--build", required=True, help="the program that builds a part")
    parser.add_argument("--gate", default="rebuild_next_tier", help="context: may a part be built?")
    parser.add_argument("--good", default="tier_good", help="context: is a build good?")
    parser.add_argument(
        "--every", type=float, metavar="SECONDS", help="go on until all is good or one failed"
    )
    given = parser.parse_args()
    decisions = Decisions(given.url, given.product_version)
    try:
        bot = Bot(decisions, given.graph, [given.build], given.gate, given.good)
        while True:
            while bot.round():
                pass
            code = bot.state()
            if code != 2 or given.every is None:
                return code
            time.sleep(given.every)
    except UndecidedError as err:
        print(f"not decided, so nothing is built: {err}", file=sys.stderr)
    except (OSError, ValueError, KeyError, IndexError, subprocess.CalledProcessError) as err:
        print(f"{type(err).__name__}: {err}", file=sys.stderr)
    return 3


if __name__ == "__main__":
    sys.exit(main())
