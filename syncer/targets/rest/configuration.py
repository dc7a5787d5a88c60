"""The keys of a REST service in a configuration file."""

from typing import Any, Required

from typing_extensions import TypedDict  # before Python 3.12 pydantic can't read typing's own

from syncer.targets.configuration import CommonKeys, Configuration, Text, strict


@strict
class RestRoute(TypedDict, total=False):
    model: Required[Text]
    path: Required[Text]
    fields: Required[dict[str, Any]]
    enabled: bool
    create_path: Text
    lookup: list[Any]
    filter: dict[str, Any]
    trigger: Text
    update: Text
    missing: Text
    key_hours: int
    id: Text
    items: Text
    next: Text


@strict
class RestTarget(CommonKeys, total=False):
    routes: list[RestRoute]


REST_CONFIGURATION = Configuration(
    table=RestTarget, columns={"id": "id_field", "items": "items_field", "next": "next_field"}
)
