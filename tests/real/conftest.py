import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncer.configure import configure
from syncer.models import Target
from tests.real.proxy import Proxy
from tests.real.servers import Kinto, Server, running


@pytest.fixture(scope="session")
def started(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of the kind that the module names: `pytest.mark.parametrize("started", [Kinto], indirect=True)`."""
    with running(request.param, tmp_path_factory.mktemp(request.param.__name__)) as server:
        yield server


@pytest.fixture
def server(started: Server) -> Server:
    """The server, without posts."""
    started.empty()
    return started


@pytest.fixture
def proxy(server: Server) -> Iterator[Proxy]:
    """A proxy in front of the server."""
    with Proxy(server.address) as proxy:
        yield proxy


@pytest.fixture
def target(server: Server, proxy: Proxy, transactional_db: None, tmp_path: Path, monkeypatch) -> Target:
    """The server as a target, behind the proxy."""
    monkeypatch.setenv("SYNC_KINTO_PASSWORD", Kinto.password)
    file = tmp_path / "real.toml"
    file.write_text(textwrap.dedent(server.configuration).format(url=proxy.url))
    configure(file)
    return Target.objects.get(name="real")
