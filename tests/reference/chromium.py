"""A headless Chromium that says what a page asked for and complained of, driven over its own pipe."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_OPTIONS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--remote-debugging-pipe",
)  # fmt: skip
_PATIENCE_S = 60.0


def find() -> str | None:
    """Return the browser of this machine, None where there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


# Gives the browser its ends of the pipes as the numbers that it expects; a process of its own, for forks upset JAX.
_LAUNCH = """
import fcntl, os, sys
held = [fcntl.fcntl(int(number), fcntl.F_DUPFD, 10) for number in sys.argv[1:3]]
os.dup2(held[0], 3), os.dup2(held[1], 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


class Browser:
    """One page of a browser with a profile of its own in ``folder``; use it as a context."""

    def __init__(self, program: str, folder: Path) -> None:
        hears, self._says = os.pipe()
        self._hears, says = os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-c", _LAUNCH, str(hears), str(says), program, *_OPTIONS, f"--user-data-dir={folder}",
             "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, pass_fds=(hears, says),
        )  # fmt: skip
        os.close(hears)
        os.close(says)
        self._number, self._unread, self.events = 0, b"", []
        targets = self._ask("Target.getTargets", {}, None)["targetInfos"]
        page = next(target["targetId"] for target in targets if target["type"] == "page")
        self._session = self._ask("Target.attachToTarget", {"targetId": page, "flatten": True}, None)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.ask(f"{domain}.enable")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_) -> None:
        os.close(self._says)
        self._process.kill()
        self._process.wait()
        os.close(self._hears)

    def ask(self, method: str, **parameters: Any) -> dict:
        """Return the answer to a command of the page's."""
        return self._ask(method, parameters, self._session)

    def show(self, path: Path, width: int, height: int = 800) -> None:
        """Show a file in a window of ``width``, and wait until it is loaded."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.events.clear()
        self.ask("Page.navigate", url=path.resolve().as_uri())
        while not self.named("Page.loadEventFired"):
            self._read()

    def value(self, expression: str) -> Any:
        """Return what an expression is on the page."""
        return self.ask("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def press(self, key: str) -> None:
        """Press and release a key."""
        codes = {"Tab": 9, "Enter": 13}
        for kind in ("keyDown", "keyUp"):
            text = {"text": "\r"} if key == "Enter" and kind == "keyDown" else {}
            self.ask("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=codes[key], **text)

    def named(self, method: str) -> list[dict]:
        """Return the events called ``method`` since the page was asked for."""
        return [event["params"] for event in self.events if event["method"] == method]

    def _ask(self, method: str, parameters: dict, session: str | None) -> dict:
        self._number += 1
        own = {"sessionId": session} if session else {}
        message = {"id": self._number, "method": method, "params": parameters, **own}
        os.write(self._says, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]

    def _read(self) -> dict:
        until = time.monotonic() + _PATIENCE_S
        while b"\0" not in self._unread:
            ready, _, _ = select.select([self._hears], [], [], max(0.0, until - time.monotonic()))
            part = os.read(self._hears, 1 << 20) if ready else b""
            assert part, "the browser says nothing"
            self._unread += part
        message, _, self._unread = self._unread.partition(b"\0")
        found = json.loads(message)
        if "method" in found:
            self.events.append(found)
        return found
