"""What the API makes of bad input."""

import re
import time

import pytest

from content.news.models import Post
from tests.hostile.cases import nothing_written, others_are_answered, table
from tests.hostile.requests import ADDRESSES, BODIES, HEADERS, PARAMETERS

pytestmark = pytest.mark.django_db

ALL = [
    *table("API: bodies", BODIES),
    *table("API: parameters", PARAMETERS),
    *table("API: addresses", ADDRESSES),
    *table("API: headers", HEADERS),
]
REFUSALS = [one for one in ALL if one.values[0].says]
TAKEN = [one for one in ALL if not one.values[0].says]
LONGEST = 20_000  # bytes of an answer, whatever came
MOST_SECONDS = 3  # of CPU


def ask(api, case):
    headers = dict(case.headers)
    return api.generic(case.method, case.path, case.body, content_type=case.kind, headers=headers)


@pytest.mark.parametrize("case", REFUSALS)
def test_bad_input_is_refused_with_its_cure_and_writes_nothing(api, case):
    begun = time.process_time()
    with nothing_written():
        answer = ask(api, case)
    assert time.process_time() - begun < MOST_SECONDS
    assert answer.status_code == case.status or case.status == 0, answer.content
    assert 400 <= answer.status_code < 500
    assert answer["Content-Type"] == "application/problem+json"
    assert re.search(case.says, answer.json()["detail"])
    assert len(answer.content) < LONGEST
    assert not {"X", "Set-Cookie"} & set(answer.headers)


@pytest.mark.parametrize("case", TAKEN)
def test_what_is_harmless_is_taken_for_what_it_is(api, case):
    answer = ask(api, case)
    assert answer.status_code == case.status, answer.content
    if case.method == "POST":
        assert list(Post.objects.values_list("title", "body")) == [("T", "B")]
    others_are_answered()
