"""The keys of a configuration file that every kind of target shares, with their TOML types.

The models validate the values (`clean`), so that the file and the admin's forms refuse the same ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Required

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict  # before Python 3.12 pydantic can't read typing's own

Text = Annotated[str, Field(pattern=r"^[^\x00]*$")]  # PostgreSQL stores no NUL
strict = with_config(ConfigDict(strict=True, extra="forbid"))


@strict
class Auth(TypedDict, total=False):
    type: Required[Text]
    user: Text
    secret: Text
    header: Text
    url: Text
    token: Text
    names: Text
    scope: Text


class CommonKeys(TypedDict, total=False):
    title: Text
    kind: Text
    url: Required[Text]
    enabled: bool
    concurrency: int
    timeout: int
    auth: Auth


COLUMNS = {  # {"key": "column"}, where the column has another name
    "auth.type": "auth",
    "auth.user": "auth_user",
    "auth.secret": "auth_secret",
    "auth.header": "auth_header",
    "auth.url": "auth_url",
    "auth.token": "auth_token",
    "auth.names": "auth_names",
    "auth.scope": "auth_scope",
}


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """The part of the file's format that belongs to one kind of target.

    Attributes:
        table: a TypedDict with the keys of `[targets.NAME]`.
        columns: `{"peer.node": "peer_node"}`, the columns with another name than their key, in addition to COLUMNS.
    """

    table: type
    columns: Mapping[str, str] = field(default_factory=dict)
