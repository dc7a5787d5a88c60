"""What pages make of bad input."""

import html
import re

import pytest

from tests.content.pages import administrator
from tests.hostile.cases import nothing_written, table
from tests.hostile.pages import ADDRESSES, FORMS

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("case", [*table("admin: addresses", ADDRESSES), *table("admin: forms", FORMS)])
def test_bad_input_is_refused_on_its_page_and_writes_nothing(case):
    client = administrator()
    client.raise_request_exception = False
    with nothing_written():
        # `post` would encode the body once more.
        answer = client.generic("GET" if case.body is None else "POST", case.path, case.body or b"", case.kind)
    assert answer.status_code == case.status
    assert "Set-Cookie" not in answer.headers
    is_said = bool(re.search(case.says, shown(answer, client)))
    assert is_said, case.says


def shown(answer, client):
    """The text of the answer; of one that leads elsewhere, the address and the messages there."""
    if answer.status_code != 302:
        return html.unescape(answer.content.decode())
    messages = [str(message) for message in client.get(answer["Location"]).context["messages"]]
    return " ".join([answer["Location"], *messages])
