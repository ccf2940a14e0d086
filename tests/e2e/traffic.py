"""Visitors who never stop asking while something is changed underneath them."""

from __future__ import annotations

import threading
import time
from collections import Counter
from types import TracebackType
from typing import Self

import httpx


class Traffic:
    """Requests one after another on several connections; everything that is not a 200 is a failure with its reason."""

    def __init__(self, port: int, hostname: str, visitors: int = 3, pause: float = 0.01) -> None:
        self._address = f"http://127.0.0.1:{port}/"
        self._hostname = hostname
        self._pause = pause
        self._ending = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._visit, daemon=True) for _ in range(visitors)]
        self.answers: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join(20)

    def _visit(self) -> None:
        with httpx.Client(timeout=15, trust_env=False, headers={"Host": self._hostname}) as client:
            while not self._ending.is_set():
                try:
                    answer = client.get(self._address)
                    found, said = answer.status_code == 200, answer.text.strip()
                except httpx.HTTPError as error:
                    found, said = False, repr(error)
                with self._lock:
                    if found:
                        self.answers[said] += 1
                    else:
                        self.failures[said[:200]] += 1
                time.sleep(self._pause)
