"""What the tables of a configuration file share: the keys of every target, and the TOML type of each.

What a value may be is for the models to say (`clean`), so that the file and the admin's forms refuse the same things.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Required

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict  # before Python 3.12 pydantic can't read typing's own

Text = Annotated[str, Field(pattern=r"^[^\x00]*$")]  # PostgreSQL keeps no NUL
strict = with_config(ConfigDict(strict=True, extra="forbid"))


@strict
class Auth(TypedDict, total=False):
    type: Required[Text]
    user: Text
    secret: Text
    header: Text
    url: Text


class CommonKeys(TypedDict, total=False):
    title: Text
    kind: Text
    url: Required[Text]
    enabled: bool
    concurrency: int
    timeout: int
    allow_private: bool
    auth: Auth


COLUMNS = {  # of the keys whose column has another name
    "auth.type": "auth",
    "auth.user": "auth_user",
    "auth.secret": "auth_secret",
    "auth.header": "auth_header",
    "auth.url": "auth_url",
}


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """What the file says of a kind of target.

    Attributes:
        table: the keys of `[targets.NAME]`, a TypedDict.
        columns: `{"peer.node": "peer_node"}`, the columns of keys that have another name, beside COLUMNS.
    """

    table: type
    columns: Mapping[str, str] = field(default_factory=dict)
