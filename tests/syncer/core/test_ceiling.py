import pytest

from syncer.core.ceiling import is_too_many, reason


@pytest.mark.parametrize(
    ("deletes", "held", "limit", "too_many"),
    [
        (21, 209, None, True),
        (21, 210, None, False),  # 10 %, and not more
        (20, 20, None, False),
        (6, 1000, 5, True),
        (5, 5, 5, False),
        (1, 1000, 0, True),
        (0, 1000, 0, False),
    ],
)
def test_deletes_are_too_many_by_number_and_share_or_by_what_the_route_allows(deletes, held, limit, too_many):
    assert is_too_many(deletes, held=held, limit=limit) is too_many


def test_the_reason_names_the_rule():
    assert reason(held=500, limit=None) == "more than 20 and more than 10 % of the 500 records"
    assert reason(held=500, limit=3) == "more than the 3 that the route allows in one run"
