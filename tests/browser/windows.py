"""Windows of a real Chromium, and everything in them that must not happen.

A page must not: open a dialog, write an error or a warning to its console, throw, break its content security policy,
or ask anything of another origin. A window notes all of it; at its end there must be nothing, but for what a test said
would be there (browsers write every answer of 400 and above to the console).
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, BrowserContext, Page, Playwright

from tests.e2e.harness import ROOT

REBOUND: Final = "rebound.test"
"""A name of somebody else that leads to this machine."""
QUIET: Final = (
    "--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run",
    "--disable-default-apps", "--disable-domain-reliability", "--disable-client-side-phishing-detection",
    "--no-default-browser-check", "--disable-dev-shm-usage", f"--host-resolver-rules=MAP {REBOUND} 127.0.0.1",
)  # fmt: skip
NAMES: Final = ("chromium", "google-chrome")
DESKTOP: Final = {"width": 1280, "height": 800}
PHONE: Final = {"width": 390, "height": 844}
_REPORTING: Final = """
addEventListener("securitypolicyviolation", (event) => {
  console.error(`broke the policy: ${event.violatedDirective} ${event.blockedURI}`);
});
"""
WAIT: Final = 30_000
"""Milliseconds in which something must appear."""


def launch(playwright: Playwright, path: str) -> Browser:
    """A Chromium that talks to nobody by itself."""
    return playwright.chromium.launch(executable_path=path, args=list(QUIET))


def pictures() -> Path:
    """Where screenshots are kept: ``GATEHOLD_ARTIFACTS``, or a directory that git ignores."""
    directory = Path(os.environ.get("GATEHOLD_ARTIFACTS") or ROOT / ".artifacts" / "screenshots")
    directory.mkdir(parents=True, exist_ok=True)
    return directory


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One person's browser with its own cookies, and what went wrong in it."""

    context: BrowserContext
    page: Page
    url: str
    wrong: list[str] = field(default_factory=list)
    _foreseen: list[str] = field(default_factory=list)

    @classmethod
    def open(cls, browser: Browser, url: str, *, cookie: str = "", **options: Any) -> "Window":
        """``cookie``: the session of somebody who has signed in. ``options`` as of ``new_context``."""
        context = browser.new_context(**({"base_url": url, "viewport": DESKTOP, "service_workers": "block"} | options))
        context.set_default_timeout(WAIT)
        context.add_init_script(_REPORTING)
        if cookie:
            context.add_cookies([{"name": "gatehold", "value": cookie, "url": url, "httpOnly": True}])
        made = cls(context=context, page=context.new_page(), url=url)
        made._watch()
        return made

    def foresee(self, pattern: str) -> None:
        """Say that the console will have a message like this one."""
        self._foreseen.append(pattern)

    def problems(self) -> list[str]:
        """What was noted and not foreseen; a script that an agent wrote and that ran is found as well."""
        found = [each for each in self.wrong if not any(re.search(pattern, each) for pattern in self._foreseen)]
        ran = [page.url for page in self.context.pages if page.evaluate("window.__pwned") is not None]
        return found + [f"a script ran at {url}" for url in ran]

    def close(self) -> None:
        """Close it."""
        self.context.close()

    def _watch(self) -> None:
        context = self.context
        context.on("console", lambda message: self._note(message.type, message.text))
        context.on("weberror", lambda error: self.wrong.append(f"threw: {error.error}"))
        context.on("request", lambda request: self._asked(request.url))
        self.page.on("dialog", lambda dialog: (self.wrong.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        self.page.on("popup", lambda page: self.wrong.append(f"opened: {page.url}"))

    def _note(self, kind: str, text: str) -> None:
        if kind in {"error", "warning", "assert"}:
            self.wrong.append(f"{kind}: {text}")

    def _asked(self, url: str) -> None:
        if not url.startswith((f"{self.url}/", "data:")):
            self.wrong.append(f"asked {url}")


def scrolls_sideways(page: Page) -> bool:
    """Is the page wider than its window?"""
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


def colours(page: Page) -> Mapping[str, str]:
    """Of the page's ground and text."""
    script = "() => { const s = getComputedStyle(document.documentElement); return {ground: s.backgroundColor, ink: s.color}; }"
    found: dict[str, str] = page.evaluate(script)
    return found
