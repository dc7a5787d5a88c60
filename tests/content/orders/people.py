"""People who may do some things with orders."""

from tests.content.api_client import ApiClient
from tests.content.pages import person

EDIT = ("orders.view_order", "orders.add_order", "orders.change_order", "orders.delete_order")
REOPEN = "orders.reopen_order"


def api(*permissions: str) -> ApiClient:
    """A client of somebody with these permissions; without any, those of an editor."""
    return ApiClient(person("packer", *(permissions or EDIT)))
