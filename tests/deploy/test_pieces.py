"""Each service starts alone, from exactly what its image holds: its locked packages and the folders that are copied."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from dockerfile_parse import DockerfileParser

from chassis.privacy.sealing import make_keys
from leeward.runtime.free_ports import free_ports
from leeward.runtime.local_broker import Node
from leeward.runtime.supervisor import wait_until_it_is_ready
from leeward.runtime.workspace import SERVICES, Workspace
from tests.support.processes import run_module
from tests.support.system import virtual_host

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def environments(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Clean environments by the content of the lock file; services with the same lock share one."""
    return {}


@pytest.mark.timeout(400)
@pytest.mark.parametrize("service", SERVICES)
def test_a_service_starts_from_its_own_pieces(
    service: str, node: Node, environments: dict[str, Path], tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    app = image_content(service, tmp_path / "app")
    python = python_with(app / "requirements.txt", environments, tmp_path_factory)
    workspace = Workspace(tmp_path / "var")
    workspace.prepare()
    amqp_uri = virtual_host(node, f"alone_{service}")
    http = f"127.0.0.1:{free_ports(1)[0]}"
    own = {"PYTHONPATH": str(app), "SERVICE": service, "LEEWARD_HTTP": http}
    environment = {**workspace.links_to(None), **workspace.environment(amqp_uri), **own}

    migrate = [str(python), "-m", "chassis.store.migrate", service]
    subprocess.run(migrate, env=environment, cwd=app, check=True)
    run, where = ("chassis.host.run", service), {"python": python, "env": environment, "cwd": app}
    with (tmp_path / "log").open("wb") as log, run_module(*run, **where, stdout=log, stderr=log) as process:
        try:
            assert wait_until_it_is_ready(f"http://{http}", process), (tmp_path / "log").read_text()
        finally:
            process.terminate()
            process.wait(30)
    assert process.returncode == 0


@pytest.mark.timeout(400)
def test_the_site_starts_from_its_own_pieces(
    node: Node, environments: dict[str, Path], tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    app = copied_image("site.Dockerfile", "", tmp_path / "app")
    assert sorted(path.name for path in app.iterdir()) == ["chassis", "contracts", "requirements.txt", "web"]
    python = python_with(app / "requirements.txt", environments, tmp_path_factory)
    make_keys(tmp_path / "keys", "intake")
    listen = f"127.0.0.1:{free_ports(1)[0]}"
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(app),
        "AMQP_URI": node.amqp_uri,
        "LEEWARD_KEYS": str(tmp_path / "keys"),
        "LEEWARD_SITE": listen,
        "SITE_SPOOL": str(tmp_path / "spool"),
    }
    where = {"python": python, "env": environment, "cwd": app}
    with (tmp_path / "log").open("wb") as log, run_module("web.site", **where, stdout=log, stderr=log) as process:
        try:
            assert wait_until_it_is_ready(f"http://{listen}", process), (tmp_path / "log").read_text()
        finally:
            process.terminate()
            process.wait(30)
    assert process.returncode == 0


@pytest.mark.timeout(400)
def test_the_staffs_console_starts_from_its_own_pieces(
    node: Node, environments: dict[str, Path], tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    app = copied_image("staff.Dockerfile", "", tmp_path / "app")
    python = python_with(app / "requirements.txt", environments, tmp_path_factory)
    workspace = Workspace(tmp_path / "var")
    workspace.prepare()
    listen = f"localhost:{free_ports(1)[0]}"
    environment = {**workspace.environment(node.amqp_uri), "PYTHONPATH": str(app), "LEEWARD_CONSOLE": listen}
    where = {"python": python, "env": environment, "cwd": app}
    subprocess.run([str(python), "-m", "chassis.store.migrate", "accounts"], env=environment, cwd=app, check=True)
    with (tmp_path / "log").open("wb") as log, run_module("web.console", **where, stdout=log, stderr=log) as process:
        try:
            assert wait_until_it_is_ready(f"http://{listen}", process), (tmp_path / "log").read_text()
        finally:
            process.terminate()
            process.wait(30)
    assert process.returncode == 0


def image_content(service: str, app: Path) -> Path:
    """What a service's image holds under /app."""
    copied_image("Dockerfile", service, app)
    assert sorted(path.name for path in app.iterdir()) == ["chassis", "contracts", "requirements.txt", "services"]
    assert [path.name for path in (app / "services").iterdir()] == [service]
    return app


def copied_image(dockerfile: str, service: str, app: Path) -> Path:
    """Copies into `app` what the Dockerfile's last stage copies into /app, and the lock file it installs."""
    commands = DockerfileParser(fileobj=(ROOT / "deploy" / dockerfile).open("rb")).structure
    copies = [one["value"].replace("${SERVICE}", service).split() for one in commands if one["instruction"] == "COPY"]
    for source, target in (copy for copy in copies if not copy[0].startswith("--from")):
        if target.startswith("/app/"):
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / source, app / target.removeprefix("/app/"), ignore=ignored)
        else:
            lock = source
    shutil.copy(ROOT / lock, app / "requirements.txt")
    return app


def python_with(lock: Path, environments: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a clean environment that holds what the lock file says."""
    content = lock.read_text()
    if content not in environments:
        folder = tmp_path_factory.mktemp("venv")
        # As clean as with a pip of its own, which would take longer to put in than all that is locked; and few of the
        # modules are ever loaded, so that those are compiled when they are.
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
        python = folder / "bin" / "python"
        install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-compile", "--quiet"]
        install += ["--disable-pip-version-check", "--require-hashes", "-r", str(lock)]
        subprocess.run(install, check=True, env={**os.environ, "PYTHONPATH": ""})
        environments[content] = python
    return environments[content]
