"""What deploys is what its linters expect."""

import json

import pytest

from tests.deploy.tools import DEPLOYMENTS, ROOT, compose, run

MANIFESTS = sorted(file for file in (ROOT / "deploy/kubernetes").glob("*.yaml") if file.stem != "kustomization")


def test_the_dockerfile():
    done = run("hadolint", "Dockerfile")
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("deployment", DEPLOYMENTS)
def test_the_compose_files(deployment, tmp_path):
    merged = tmp_path / "docker-compose.yml"
    merged.write_text(json.dumps(compose(deployment)))  # which is YAML too
    done = run("compose-lint", merged)
    assert done.returncode == 0, done.stdout


def test_the_manifests_of_kubernetes():
    """By the schemas of the newest Kubernetes that the package has, without properties that they don't know."""
    done = run("kubernetes-validate", "--strict", *MANIFESTS)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("tls", ["automatic", "files", "internal"])
def test_the_proxy(tls, tmp_path):
    given = {
        "SITE": "backoffice.example",
        "TLS": tls,
        "UPSTREAM": "web",
        "BODY_BYTES": "510MB",
        "ANSWER_SECONDS": "320",
    }
    done = run("caddy", "adapt", "--config", "deploy/proxy/Caddyfile", "--adapter", "caddyfile", **given)
    assert done.returncode == 0, done.stderr
    assert "caddy fmt" not in done.stderr
