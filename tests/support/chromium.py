"""Debian's Chromium, installed by the system's package manager where it is missing, as RabbitMQ is."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run",
]  # fmt: skip


def ensure_installed() -> str:
    """Chromium's path. Skips the test where it can't be installed, unless CI says it must be."""
    found = find()
    if found is None and shutil.which("apt-get"):
        print("Chromium is not installed. Installing the system's package: apt-get install chromium", flush=True)  # noqa: T201
        sudo = [] if os.geteuid() == 0 else ["sudo"]
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", "chromium"]):
            subprocess.run([*sudo, "apt-get", *command], env=environment, check=True, capture_output=True)
        found = find()
    if found is None:
        message = "Chromium is not installed, so nothing is tried in a browser"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return found


def find() -> str | None:
    return shutil.which("chromium") or shutil.which("google-chrome")
