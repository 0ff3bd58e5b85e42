"""What was answered before, for servers that can say "not modified"."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

import requests

MAX_ENTRIES = 64
MAX_BYTES = 262_144


class Remembered:
    """The last few small answers that carried an ETag or Last-Modified, by address. Threads may share it."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[dict[str, str], requests.Response]] = OrderedDict()
        self._lock = Lock()

    def conditions(self, url: str) -> dict[str, str]:
        """Return the headers that ask for news only, {} where nothing is remembered."""
        with self._lock:
            return dict(self._kept[url][0]) if url in self._kept else {}

    def keep(self, url: str, response: requests.Response) -> None:
        """Remember a good answer that can be asked for conditionally."""
        etag, modified = response.headers.get("ETag"), response.headers.get("Last-Modified")
        if response.status_code != 200 or not (etag or modified) or len(response.content) > MAX_BYTES:
            return
        conditions = {"If-None-Match": etag} if etag else {"If-Modified-Since": modified or ""}
        with self._lock:
            self._kept[url] = conditions, response
            self._kept.move_to_end(url)
            while len(self._kept) > MAX_ENTRIES:
                self._kept.popitem(last=False)

    def answer(self, url: str, response: requests.Response) -> requests.Response:
        """Return what a 304 stands for; any other answer as it is."""
        with self._lock:
            if response.status_code == 304 and url in self._kept:
                return self._kept[url][1]
        return response
