"""The Compose files: what reaches which container, and what it may take."""

import re
from pathlib import Path

import pytest

from tests.backoffice.test_settings import listed
from tests.deploy.tools import DEPLOYMENTS, ROOT, compose, services

PROGRAM = ["keys", "migrate", "web", "worker", "backup"]
OURS = {"BACKOFFICE_VAR", "BACKOFFICE_DOTENV"}  # where things are in the image


@pytest.fixture
def folder(tmp_path):
    """A folder beside whose Compose file is an .env that gives each setting of the sample file a value."""
    (tmp_path / ".env").write_text("".join(f"{name}=given-{name}\n" for name in sorted(listed())))
    return tmp_path


@pytest.mark.parametrize("service", PROGRAM)
def test_every_setting_of_the_sample_file_reaches_the_program(folder, service):
    environment = services("one node", folder)[service]["environment"]
    assert {name for name in listed() - OURS if environment.get(name) != f"given-{name}"} == set()


def test_what_the_sample_file_says_of_compose_is_what_the_files_read():
    sample = (ROOT / ".env.example").read_text().partition("# --- containers")[2]
    named = set(re.findall(r"^#([A-Z][A-Z0-9_]*)=", sample, re.MULTILINE))
    files = ["docker-compose.yml", *(file for files in DEPLOYMENTS.values() for file in files)]
    read = {name for file in files for name in re.findall(r"\$\{([A-Z0-9_]+)", (ROOT / file).read_text())}
    assert {name for name in read if name.removesuffix("_FILE") not in listed()} | {"POSTGRES_PASSWORD"} == named


@pytest.mark.parametrize("deployment", DEPLOYMENTS)
def test_no_container_may_take_more_than_it_needs(deployment):
    for name, service in services(deployment).items():
        assert (service["cap_drop"], service["read_only"], service["init"]) == (["ALL"], True, True), name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert set(service.get("cap_add", [])) <= {"NET_BIND_SERVICE"}, name
        assert service["logging"]["options"]["max-size"], name
        assert min(int(service["mem_limit"]), service["cpus"], service["pids_limit"]) > 0, name
        assert all("size=" in mount for mount in service["tmpfs"]), name


@pytest.mark.parametrize("deployment", DEPLOYMENTS)
def test_what_is_open_to_clients_is_far_from_the_database(deployment):
    networks = {name: set(service.get("networks") or {}) for name, service in services(deployment).items()}
    databases = set().union(*(networks[name] for name in networks if name.endswith(("db", "replica", "pool"))))
    assert all(compose(deployment)["networks"][network]["internal"] for network in databases)
    open_ones = [name for name, service in services(deployment).items() if service.get("ports")]
    assert [name for name in open_ones if not name.endswith("proxy") or networks[name] & databases] == []


@pytest.mark.parametrize("deployment", DEPLOYMENTS)
def test_only_this_machine_reaches_it_unless_an_address_is_given(deployment):
    published = [port for service in services(deployment).values() for port in service.get("ports", [])]
    assert {port["host_ip"] for port in published} == {"127.0.0.1"}


@pytest.mark.parametrize("deployment", DEPLOYMENTS)
def test_each_node_trusts_its_own_proxy_alone(deployment):
    for name, service in services(deployment).items():
        if name.endswith("proxy"):
            web = services(deployment)[service["environment"]["UPSTREAM"]]
            assert web["environment"]["TRUSTED_PROXIES"] == service["networks"]["front"]["ipv4_address"]


@pytest.mark.parametrize("deployment", DEPLOYMENTS)
def test_a_backup_is_of_the_node_beside_it(deployment):
    def of(name):
        service = services(deployment)[name]
        mounts = {mount["target"]: mount["source"] for mount in service["volumes"]}
        node = service["environment"].get("BACKOFFICE_NODE")
        return node, mounts["/run/keys"], mounts["/srv/var/uploads"], "back" in " ".join(service["networks"])

    webs = [name for name in services(deployment) if name.endswith("web")]
    assert {web: of(web.removesuffix("web") + "backup") for web in webs} == {web: of(web) for web in webs}


@pytest.mark.parametrize("deployment", DEPLOYMENTS)
def test_no_secret_is_in_the_environment_of_a_container(deployment):
    for service in services(deployment).values():
        assert [name for name in service.get("environment", {}) if re.search("SECRET_KEY$|PASSWORD$|_URL$", name)] == []


def test_what_is_behind_the_pool_knows_it():
    for name in ("web", "worker"):
        environment = services("scale")[name]["environment"]
        assert environment["DATABASE_POOLED"] == "true"
        assert Path(environment["DATABASE_URL_FILE"]).name == f"pool_{name}_url"
        assert ("DATABASE_REPLICA_URL_FILE" in environment) == (name == "web")
