from django.http import HttpRequest

from backoffice.kit.clients import client_address
from backoffice.kit.sessions.models import AGENT_LENGTH


def client_of(request: HttpRequest) -> dict[str, str | None]:
    """Return the columns of a session that say where `request` came from and what sent it."""
    agent = request.headers.get("User-Agent", "").replace("\0", "")
    return {"address": client_address(request), "agent": agent[:AGENT_LENGTH]}
