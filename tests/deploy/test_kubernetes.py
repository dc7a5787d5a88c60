"""The manifests of Kubernetes fit the program, and the restricted profile."""

from typing import Any

import pytest
import yaml

from tests.backoffice.test_settings import listed
from tests.deploy.test_linters import MANIFESTS

DOCUMENTS = [document for file in MANIFESTS for document in yaml.safe_load_all(file.read_text())]
PODS = {
    one["metadata"]["name"]: one["spec"]["template"]["spec"] for one in DOCUMENTS if "template" in one.get("spec", {})
}


def test_the_settings_are_settings():
    given = next(one["data"] for one in DOCUMENTS if one["kind"] == "ConfigMap")
    assert {name.removesuffix("_FILE") for name in given} - listed() == set()


def test_all_that_is_applied_is_listed():
    kustomization = yaml.safe_load((MANIFESTS[0].parent / "kustomization.yaml").read_text())
    assert sorted(kustomization["resources"]) == [file.name for file in MANIFESTS]


@pytest.mark.parametrize("name", PODS)
def test_a_pod_is_restricted_and_limited(name):
    pod: dict[str, Any] = PODS[name]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault"
    for container in pod["containers"]:
        context = container["securityContext"]
        assert (context["allowPrivilegeEscalation"], context["readOnlyRootFilesystem"]) == (False, True)
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert {"cpu", "memory"} <= container["resources"]["limits"].keys()


def test_probes_ask_what_the_program_answers():
    web = PODS["web"]["containers"][0]
    paths = {probe: web[probe]["httpGet"]["path"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert paths == dict.fromkeys(("startupProbe", "livenessProbe"), "/health/live/") | {
        "readinessProbe": "/health/ready/"
    }
