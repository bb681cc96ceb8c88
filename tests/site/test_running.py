"""The site's process: what it says when it can't start, and how it ends."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from leeward.runtime.free_ports import free_ports
from leeward.runtime.supervisor import wait_until_it_is_ready
from tests.support.processes import run_module
from web.shared.forms.loader import SHIPPED

SITE = [sys.executable, "-m", "web.site"]


def environment(**settings: str) -> dict[str, str]:
    ours = ("AMQP_URI", "LEEWARD_", "SITE_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)} | settings


def refused(**settings: str) -> str:
    """What it says before it ends because a person must change something."""
    done = subprocess.run(SITE, env=environment(**settings), capture_output=True, text=True, timeout=60)
    assert done.returncode == 78, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


def given(keys: Path, folder: Path, **settings: str) -> dict[str, str]:
    (port,) = free_ports(1)
    listen = {"LEEWARD_SITE": f"127.0.0.1:{port}", "AMQP_URI": "amqp://web:drama@127.0.0.1:1/"}
    return {**listen, "LEEWARD_KEYS": str(keys), "SITE_SPOOL": str(folder / "spool"), **settings}


def test_every_setting_that_is_missing_or_wrong_is_named() -> None:
    wrong = {
        "SITE_SESSION_MINUTES": "long",
        "LEEWARD_SITE": "8000",
        "SITE_EXIT_URL": "weather",
        "SITE_HOSTS": "https://help.example.org",
        "SITE_MOST_SESSIONS": "many",
        "SITE_MOST_SESSIONS_PER_ADDRESS": "0",
        "SITE_REQUEST_SECONDS": "0",
    }
    said = refused(**wrong)
    for name in ("AMQP_URI", "LEEWARD_KEYS", "SITE_SPOOL", *wrong):
        assert name in said


def test_a_form_with_a_mistake_is_named_at_the_start(keys: Path, tmp_path: Path) -> None:
    own = tmp_path / "forms"
    own.mkdir()
    shutil.copy(SHIPPED / "self.v2.yaml", own)
    (own / "self.v2.yaml").write_text((own / "self.v2.yaml").read_text().replace("fills: hopes", "fills: wishes"))
    said = refused(**given(keys, tmp_path, SITE_FORMS=str(own)))
    assert "self.v2.yaml, page hopes, question hopes: There is no field 'wishes'" in said


def test_without_a_key_to_seal_with_it_does_not_start(tmp_path: Path) -> None:
    assert "intake.public.json" in refused(**given(tmp_path, tmp_path))


def test_it_ends_when_it_is_asked_to(keys: Path, tmp_path: Path) -> None:
    settings = given(keys, tmp_path)
    with (
        (tmp_path / "log").open("wb") as log,
        run_module("web.site", env=environment(**settings), stdout=log, stderr=log) as process,
    ):
        try:
            assert wait_until_it_is_ready(f"http://{settings['LEEWARD_SITE']}", process)
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
        finally:
            process.kill()
