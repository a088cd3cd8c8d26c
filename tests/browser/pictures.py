"""`make pictures`: both tabs as the demonstration fills them, for the README; more of them beside, to be looked at."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser

from ops.rendering.files import ROOT
from tests.browser.watched import chromium, sign_in

MANUAL: Final = ROOT / "ops" / "manual"
OTHERS: Final = ROOT / ".cache" / "pictures"
"""On a phone, on a wall, dark, in French: nobody keeps these."""
SETTLED_MS: Final = 3000
"""For the last accounts to be counted, and the chart to have drawn them."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture: which page, how it is read, and in which window."""

    file: Path
    path: str
    width: int
    height: int
    language: str = "en"
    theme: str = "light"


SHOTS: Final = (
    Shot(MANUAL / "console-overview.png", "/", 1280, 900),
    Shot(MANUAL / "console-reasons.png", "/reasons", 1280, 900),
    Shot(OTHERS / "overview-wall.png", "/", 1920, 1080, theme="dark"),
    Shot(OTHERS / "reasons-wall.png", "/reasons", 1920, 1080, "fr", "dark"),
    Shot(OTHERS / "overview-phone.png", "/", 390, 844, "fr"),
    Shot(OTHERS / "reasons-phone.png", "/reasons", 390, 844),
)


def main(arguments: Sequence[str]) -> None:
    """Run the demonstration with its page, and take the pictures once it has told all."""
    OTHERS.mkdir(parents=True, exist_ok=True)
    with demonstration(arguments) as (url, password), chromium() as browser:
        for shot in SHOTS:
            take(browser, url, password, shot)
            sys.stdout.write(f"{shot.file.relative_to(ROOT)}: {shot.file.stat().st_size:,} bytes\n")


@contextmanager
def demonstration(arguments: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Where its page is, and the password; entered once everything was published and judged."""
    # The third invented school is a lycée.
    command = [
        sys.executable,
        "-u",
        "-m",
        "ops.cli",
        "demo",
        "--console",
        *(arguments or ("--schools", "3", "--pupils", "200")),
    ]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as demo:
        try:
            said = ""
            for line in demo.stdout or ():
                sys.stdout.write(line)
                said += line
                if "Ctrl-C ends it." in line:
                    break
            found = re.search(r"console +(http://\S+?)/?\s+account \w+, password (\S+) ", said)
            if found is None:
                raise SystemExit("the demonstration did not say where its page is")
            yield found[1], found[2]
        finally:
            demo.send_signal(signal.SIGINT)
            demo.communicate(timeout=60)


def take(browser: Browser, url: str, password: str, shot: Shot) -> None:
    context = browser.new_context(locale="en-GB", viewport={"width": shot.width, "height": shot.height})
    page = context.new_page()
    sign_in(page, url, password)
    page.goto(f"{url}{shot.path}?lang={shot.language}&theme={shot.theme}")
    page.locator("#link.live").wait_for()
    if shot.path == "/":
        page.locator(".uplot canvas").wait_for()
    page.wait_for_timeout(SETTLED_MS)
    page.screenshot(path=shot.file, full_page=True, animations="disabled")
    context.close()


if __name__ == "__main__":
    main(sys.argv[1:])
