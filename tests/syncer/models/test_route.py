from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError

from syncer.models import Route
from syncer.models.route import validate_trigger


@pytest.mark.parametrize(
    ("trigger", "seconds"),
    [
        ("change", None),
        ("manual", None),
        ("every minute", 60),
        ("every 1 second", 1),
        ("every 5 minutes", 300),
        ("every 2 hours", 7200),
        ("every 7 days", 604800),
    ],
)
def test_the_words_of_a_trigger(trigger, seconds):
    validate_trigger(trigger)
    assert Route(trigger=trigger).interval == (None if seconds is None else timedelta(seconds=seconds))


@pytest.mark.parametrize(
    "trigger", ["", "every", "every 0 minutes", "every -1 minutes", "5 minutes", "Change", "every 5 weeks"]
)
def test_other_words_are_not_a_trigger(trigger):
    with pytest.raises(ValidationError, match="is not a trigger"):
        validate_trigger(trigger)
