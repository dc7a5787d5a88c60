"""The Fake API: a JSONPlaceholder-like REST service on loopback that journals every request and fails as planned.

remote.fault(Fault.STATUS, method="POST", path="/posts", status=429, retry_after=1)   # refuses once
remote.fault(Fault.RESET, act=True)                                                   # done, the answer is lost
with remote.hold("POST", "/posts") as held: ...; held.wait_arrived()                  # done, not answered yet
"""

from tests.remote.api import Answer, Call, Paging
from tests.remote.auth import Basic, Bearer, ClientCredentials, Header, Tokens
from tests.remote.dialect import Created, Deleted, Dialect, Pages, Updated
from tests.remote.faults import Fault, Rule
from tests.remote.journal import Entry
from tests.remote.remote import Remote

__all__ = [
    "Answer",
    "Basic",
    "Bearer",
    "Call",
    "ClientCredentials",
    "Created",
    "Deleted",
    "Dialect",
    "Entry",
    "Fault",
    "Header",
    "Pages",
    "Paging",
    "Remote",
    "Rule",
    "Tokens",
    "Updated",
]
