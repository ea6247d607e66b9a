"""The machine's own browser, for pictures of the page and for its tests."""

import os
import shutil
from pathlib import Path

from common import files
from common.files import ROOT, Problem

SIZES = ((1280, 800), (360, 740))  # pixels, wide and high
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def browser() -> str | None:
    """The path of a Chromium or Chrome on this machine, None where there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def launch(playwright):
    """Start the machine's own browser, headless; raises Problem where there is none."""
    path = browser()
    if path is None:
        raise Problem(
            "no Chromium or Chrome found; on Debian or Ubuntu: apt-get install chromium"
        )
    # As root, which containers are, Chromium starts only without its own sandbox.
    sandbox = not hasattr(os, "geteuid") or os.geteuid() != 0
    return playwright.chromium.launch(executable_path=path, chromium_sandbox=sandbox)


def screenshots(started, report: Path, folder: Path = ROOT / "docs") -> list[Path]:
    """Pictures of the page's first screen, wide and on a phone; returns their paths.

    started: a browser, as `launch` gives it.
    """
    taken = []
    for width, height in SIZES:
        size = {"width": width, "height": height}
        tab = started.new_page(viewport=size, locale="en", color_scheme="light")
        tab.goto(report.resolve().as_uri())
        taken.append(folder / f"report-{width}.png")
        files.write_whole(taken[-1], tab.screenshot())
        tab.close()
    return taken


def take_screenshots(report: Path) -> list[Path]:
    """Start a browser, take README's pictures of a page, return their paths."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        return screenshots(launch(playwright), report)
