"""The deployment's files against their schemas and against each other."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from leeward.runtime.topologies import variable_of
from leeward.runtime.workspace import ACCOUNTS, HAVE_DATA_KEYS, READERS, SERVICES

DEPLOY = Path(__file__).parent.parent.parent / "deploy"
each_service = pytest.mark.parametrize("service", SERVICES)


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return content


def test_the_compose_file_fits_the_published_schema() -> None:
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run([*check, str(DEPLOY / "compose.yaml")], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_every_service_is_a_container_of_its_own(compose: dict[str, Any]) -> None:
    containers = {name for name in compose["services"] if not name.endswith("-migrate")}
    assert containers == {*SERVICES, "site", "staff", "rabbitmq", "postgres"}


@each_service
def test_a_service_is_built_from_the_one_dockerfile(compose: dict[str, Any], service: str) -> None:
    build = compose["services"][f"{service}-migrate"]["build"]
    assert build == {"context": "..", "dockerfile": "deploy/Dockerfile", "args": {"SERVICE": service}}
    assert compose["services"][service]["image"] == compose["services"][f"{service}-migrate"]["image"]


@each_service
def test_a_service_waits_for_its_own_migration_and_for_no_other_service(compose: dict[str, Any], service: str) -> None:
    assert set(compose["services"][service]["depends_on"]) == {"rabbitmq", f"{service}-migrate"}


def test_the_site_can_seal_and_open_nothing_and_has_no_database(compose: dict[str, Any]) -> None:
    given = str(compose["services"]["site"])
    assert "private" not in given
    assert "MASTER_KEY" not in given
    assert "DATABASE" not in given
    assert "env_file': ['site.env']" in given


def test_the_staffs_pages_can_open_nothing_that_is_sealed(compose: dict[str, Any]) -> None:
    given = str(compose["services"]["staff"])
    assert "private" not in given
    assert "console.signing.json" in given
    assert [service for service in SERVICES if f"{service.upper()}_DATABASE" in given] == []


@each_service
def test_a_service_is_given_nothing_of_another(compose: dict[str, Any], service: str) -> None:
    container = compose["services"][service]
    given = str(container["environment"]) + str(container.get("volumes", ""))
    for other in set(SERVICES) - {service}:
        assert f"{other}.private" not in given
        assert f"{other.upper()}_DATABASE" not in given
        assert f"{other.upper()}_MASTER_KEY" not in given


@each_service
def test_a_service_has_the_secrets_that_it_needs(compose: dict[str, Any], service: str) -> None:
    container = compose["services"][service]
    assert f"{service.upper()}_DATABASE_URL" in container["environment"]
    assert (f"{service.upper()}_MASTER_KEY" in container["environment"]) == (service in HAVE_DATA_KEYS)
    private_key = f"./keys/{service}.private.json:/keys/{service}.private.json:ro"
    assert (private_key in container.get("volumes", [])) == (service in READERS)


@each_service
def test_a_service_logs_in_on_the_broker_as_itself(compose: dict[str, Any], service: str) -> None:
    for container in (service, f"{service}-migrate"):
        uri = compose["services"][container]["environment"]["AMQP_URI"]
        assert uri.startswith(f"amqp://{service}:${{{variable_of(service)}:")


def test_the_broker_starts_with_the_generated_users(compose: dict[str, Any]) -> None:
    broker = compose["services"]["rabbitmq"]
    assert "./definitions.json:/etc/rabbitmq/definitions.json:ro" in broker["volumes"]
    assert "load_definitions = /etc/rabbitmq/definitions.json" in (DEPLOY / "rabbitmq.conf").read_text()
    assert "definitions.json" in (DEPLOY / ".gitignore").read_text().splitlines()
    assert "environment" not in broker, "there is no default user"


def test_every_variable_of_the_compose_file_is_explained() -> None:
    used = set(re.findall(r"\$\{(\w+)", (DEPLOY / "compose.yaml").read_text()))
    explained = set(re.findall(r"^(\w+)=", (DEPLOY / "env.example").read_text(), re.MULTILINE))
    assert used == explained


def test_each_service_has_a_database_made_for_it(compose: dict[str, Any]) -> None:
    script = (DEPLOY / "postgres-init.sh").read_text()
    assert f"for service in {' '.join((*SERVICES, ACCOUNTS))}; do" in script
    passwords = {f"{service.upper()}_PASSWORD" for service in (*SERVICES, ACCOUNTS)}
    assert passwords < set(compose["services"]["postgres"]["environment"])


def test_the_systemd_units_are_valid() -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd is not installed")
    units = [str(path) for path in sorted((DEPLOY / "systemd").iterdir())]
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True)
    # The services themselves are not installed here, which is all that may be amiss.
    complaints = [line for line in done.stderr.splitlines() if "is not executable" not in line]
    assert complaints == []
