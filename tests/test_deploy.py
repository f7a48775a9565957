"""What is in ``deploy/`` is in order, and says what the service says."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from flask import Flask

from service.server import LIMITS
from service.settings import PREFIX, Settings
from tests.calls import SAMPLE
from tests.conftest import ROOT
from tests.serving import CALL, HOST, START, STOP, free_port, serving
from tests.trust.ehr import self_signed

DEPLOY = ROOT / "deploy"
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
VERSIONS = ("1.31", "1.36")
"""The oldest and the newest release of Kubernetes that the manifests are checked for."""


def documents() -> dict[str, Any]:
    """Every manifest by its kind and name."""
    found = [doc for path in MANIFESTS for doc in yaml.safe_load_all(path.read_text(encoding="utf-8"))]
    return {f"{doc['kind']}/{doc['metadata']['name']}": doc for doc in found}


def pod() -> Any:
    return documents()["Deployment/tolami"]["spec"]["template"]["spec"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", sorted(documents()))
def test_a_manifest_is_valid_for_kubernetes(name: str, version: str) -> None:
    from kubernetes_validate import validate  # type: ignore[import-untyped]  # it takes a while to import

    validate(documents()[name], version, strict=True)


def test_a_manifest_that_is_wrong_would_be_found() -> None:
    from kubernetes_validate import ValidationError, validate

    wrong = documents()["Service/tolami"]
    wrong["spec"]["prots"] = []
    with pytest.raises(ValidationError):
        validate(wrong, VERSIONS[0], strict=True)


def test_the_dockerfile_has_no_fault_that_a_linter_knows() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    ended = subprocess.run([hadolint, DEPLOY / "Dockerfile"], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout) == (0, "")


def test_every_setting_that_is_named_exists() -> None:
    files = [path for path in DEPLOY.rglob("*") if path.is_file() and "secrets" not in path.parts]
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields} | {f"{PREFIX}CONFIG"}
    named = {name for path in files for name in re.findall(rf"{PREFIX}[A-Z_]+", path.read_text(encoding="utf-8"))}
    assert named
    assert named <= known


def test_the_settings_of_the_config_map_are_valid() -> None:
    data = documents()["ConfigMap/tolami"]["data"]
    Settings(**{name.removeprefix(PREFIX).lower(): value for name, value in data.items()})


def test_the_trust_file_of_the_config_map_is_valid(tmp_path: Path) -> None:
    from service.trust.clients import clients_of

    file = tmp_path / "trust.toml"
    file.write_text(documents()["ConfigMap/tolami-trust"]["data"]["trust.toml"], encoding="utf-8")
    (client,) = clients_of(file).all
    assert client.issuer


def test_probes_ask_addresses_that_exist(app: Flask) -> None:
    addresses = {str(rule) for rule in app.url_map.iter_rules()}
    (container,) = pod()["containers"]
    probed = {container[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "liveness", "readiness")}
    assert probed == {"/healthz", "/readyz"}
    assert probed <= addresses
    assert "'/healthz'" in (DEPLOY / "Dockerfile").read_text(encoding="utf-8")


def test_what_is_for_operators_is_not_reached_from_outside(app: Flask) -> None:
    (rule,) = documents()["Ingress/tolami"]["spec"]["rules"]
    open_paths = tuple(path["path"] for path in rule["http"]["paths"])
    inside = {str(rule) for rule in app.url_map.iter_rules() if rule.endpoint.startswith("operations.")}
    assert inside == {"/healthz", "/readyz", "/metrics"}
    assert not any(address.startswith(open_paths) for address in inside)


def test_containers_have_neither_root_nor_a_disk_to_write_on() -> None:
    (container,) = pod()["containers"]
    assert pod()["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert f"USER {pod()['securityContext']['runAsUser']}" in (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    services = compose()["services"]
    assert all(services[name]["read_only"] for name in ("tolami", "nginx"))


def test_no_container_may_become_more_than_it_is_or_take_the_machine() -> None:
    for name, service in compose()["services"].items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert {"memory", "pids"} <= service["deploy"]["resources"]["limits"].keys(), name


def test_a_call_that_was_sent_is_not_sent_again() -> None:
    text = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    (conditions,) = re.findall(r"proxy_next_upstream ([a-z_0-9 ]+);", text)
    assert conditions.split() == ["error", "timeout"]
    (kept,) = re.findall(r"keepalive 32;.*?keepalive_timeout (\d+)s;", text, re.DOTALL)
    assert int(kept) < LIMITS["keepalive"]


def test_the_bill_of_materials_names_every_package_that_is_needed(tmp_path: Path) -> None:
    file = tmp_path / "sbom.json"
    tool = ROOT / ".venv" / "tools" / "bin" / "cyclonedx-py"
    if not tool.exists():
        pytest.skip("`make .venv/tools` installs what writes the bill of materials")
    command: list[str | Path] = [
        tool,
        "environment",
        "--no-validate",
        "--pyproject",
        ROOT / "pyproject.toml",
        "--output-file",
        file,
        sys.prefix,
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    found = {part["name"].lower().replace("_", "-") for part in json.loads(file.read_bytes())["components"]}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = {re.split(r"[\[<>=]", entry)[0].lower() for entry in project["dependencies"]}
    assert needed <= found
    assert "cyclonedx-py environment" in (ROOT / "Makefile").read_text(encoding="utf-8")


def test_what_builds_the_package_is_pinned() -> None:
    assert re.search(r"^setuptools==", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE)
    assert "--no-build-isolation" in (DEPLOY / "Dockerfile").read_text(encoding="utf-8")


def test_running_calls_are_given_the_time_they_may_take() -> None:
    needed = LIMITS["graceful_timeout"] + 5
    assert pod()["terminationGracePeriodSeconds"] > needed
    assert int(compose()["services"]["tolami"]["stop_grace_period"].removesuffix("s")) > needed


def compose() -> Any:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))


def test_no_secret_stands_in_a_file_of_the_project() -> None:
    for service in compose()["services"].values():
        for name, value in service.get("environment", {}).items():
            assert "PASSWORD" not in name or value.startswith("/run/secrets/"), name
            assert "://" not in str(value), name
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").split()
    assert {"deploy/secrets/", "deploy/trust/"} <= set(ignored)


def test_images_are_named_with_their_version_and_those_of_others_by_their_digest() -> None:
    bases = re.findall(r"^FROM (\S+:\S+)", (DEPLOY / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    images = [*bases, *(service["image"] for service in compose()["services"].values())]
    images += [container["image"] for container in pod()["containers"]]
    assert len(bases) == 1
    for image in images:
        own = "tolami:" in image
        assert re.search(r":\d[\w.-]*$" if own else r":\d[\w.-]*@sha256:[0-9a-f]{64}$", image), image


# nginx, where it is installed, with two servers behind it.

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
needs_nginx = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")


def configuration(folder: Path, port: int, servers: list[int]) -> Path:
    """The configuration with addresses of this machine in place of the containers'."""
    self_signed(folder)
    text = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    own = "".join(f"server {HOST}:{server} max_fails=2 fail_timeout=5s;" for server in servers)
    for there, here in {
        "/tmp/": f"{folder}/",
        "server tolami:8000 max_fails=2 fail_timeout=5s;": own,
        "listen 8443": f"listen {HOST}:{port}",
        "/run/secrets/tls.crt": str(folder / "server.pem"),
        "/run/secrets/tls.key": str(folder / "server.pem"),
        "/dev/stdout": str(folder / "access.log"),
        "/dev/stderr": str(folder / "error.log"),
    }.items():
        assert there in text
        text = text.replace(there, here)
    file = folder / "nginx.conf"
    file.write_text(text, encoding="utf-8")
    return file


@contextmanager
def proxied(folder: Path, servers: list[int]) -> Iterator[str]:
    """nginx in front of servers, ended at the end."""
    port = free_port()
    file = configuration(folder, port, servers)
    # Started by root, nginx would give that up, and could not reach the folder.
    user = "user root;" if os.geteuid() == 0 else ""
    command = [str(NGINX), "-c", str(file), "-p", str(folder), "-g", f"daemon off; {user}"]
    with (folder / "output").open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + START
        while time.monotonic() < deadline:
            assert process.poll() is None, (folder / "output").read_text(encoding="utf-8")
            with closing(socket.socket()) as probe:
                if probe.connect_ex((HOST, port)) == 0:
                    break
            time.sleep(0.05)
        yield f"https://{HOST}:{port}"
    finally:
        process.send_signal(signal.SIGQUIT)
        process.wait(STOP)


@needs_nginx
def test_the_proxy_serves_over_tls_hides_what_is_inside_and_survives_the_loss_of_a_server(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("one", "two", "nginx")]
    for folder in folders:
        folder.mkdir()
    with ExitStack() as stack:
        one, two = (stack.enter_context(serving(folder, "--workers", "1")) for folder in folders[:2])
        url = stack.enter_context(proxied(folders[2], [one.port, two.port]))
        client = stack.enter_context(requests.Session())
        client.trust_env = False
        client.verify = str(folders[2] / "ca.pem")

        def call(**headers: str) -> requests.Response:
            sent = {"Content-Type": "application/json", **headers}
            return client.post(f"{url}/cds-services/order-select", SAMPLE.read_bytes(), headers=sent, timeout=CALL)

        identity = "0af7651916cd43dd8448eb211c80319c"
        answer = call(**{"X-Request-ID": identity})
        assert answer.json()["cards"]
        assert answer.headers["X-Request-ID"] == identity
        assert "max-age" in answer.headers["Strict-Transport-Security"]
        assert not re.search(r"\d", answer.headers["Server"])
        for hidden in ("/metrics", "/readyz", "//metrics", "/%6detrics", "/x/../readyz"):
            assert client.get(url + hidden, timeout=CALL).status_code == 404, hidden
        assert client.get(f"{url}/healthz", timeout=CALL).ok
        large = client.post(f"{url}/cds-services/order-select", b" " * 5_000_000, timeout=CALL)
        assert (large.status_code, large.json()["issue"][0]["code"]) == (413, "too-long")
        assert {call().status_code for _ in range(6)} == {200}
        for pid in (one.process.pid, *one.workers(1)):
            os.kill(pid, signal.SIGKILL)
        one.process.wait(STOP)
        assert {call().status_code for _ in range(6)} == {200}
        two.process.send_signal(signal.SIGTERM)
        two.process.wait(STOP)
        away = call()
        assert (away.status_code, json.loads(away.text)["resourceType"]) == (503, "OperationOutcome")
        client.get(f"{url}/guidance?patient=Ilona", timeout=CALL)
    logs = "".join((folders[2] / name).read_text(encoding="utf-8") for name in ("access.log", "error.log"))
    assert identity in logs
    assert "Ilona" not in logs
