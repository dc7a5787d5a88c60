"""The ceiling on destruction: how many deletes of one route are too many for a run without a person's permission."""

from backoffice.kit.phrases import Value, phrase

FREE = 20  # deletes of a run that are never too many, unless the route says otherwise
PERCENT = 10  # of the records that the target holds


def is_too_many(deletes: int, *, held: int, limit: int | None) -> bool:
    """Return whether so many deletes wait for a person.

    Args:
        held: the records that the target held of the route before the first of them.
        limit: `Route.max_deletes`; without it more than 20 are too many that are also more than 10 % of `held`:
            21 of 209, but not 21 of 210.
    """
    if limit is not None:
        return deletes > limit
    return deletes > FREE and deletes * 100 > PERCENT * held


def reason(*, held: Value, limit: int | None) -> str:
    """Return why deletes are too many: "more than 20 and more than 10 % of the 500 records"."""
    if limit is not None:
        return phrase("more than the %(limit)s that the route allows in one run", limit=limit)
    return phrase(
        "more than %(free)s and more than %(percent)s %% of the %(held)s records", free=FREE, percent=PERCENT, held=held
    )
