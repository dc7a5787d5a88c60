import pytest
from django.db import DataError, IntegrityError, transaction

from content.orders.models import Order
from syncer.models.mapping import declarations

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "values",
    [
        {"quantity": 0},
        {"quantity": -1},
        {"status": "LOST"},
        {"status": ""},
        {"product_name": " "},
        {"product_name": "x" * 256},
    ],
)
def test_the_database_refuses_an_invalid_order(values):
    """Longer than the column is an error of another kind on PostgreSQL, as is a number beyond its range."""
    with pytest.raises((IntegrityError, DataError)), transaction.atomic():
        Order.objects.bulk_create([Order(**{"product_name": "Desk lamp", "quantity": 1} | values)])


def test_the_store_decides_what_is_ordered_and_the_warehouse_how_far_it_got():
    assert declarations()["orders.Order"].authority == {
        "product_name": "store",
        "quantity": "store",
        "exists": "store",
        "status": "warehouse",
    }
