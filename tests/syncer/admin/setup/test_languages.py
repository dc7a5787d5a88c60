"""The guided setup is whole in each language."""

import pytest

from content.news.models import Post
from tests.languages import LANGUAGES, left_in_english
from tests.syncer.admin.setup.walk import url

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_of_a_step_is_left_in_english(remote, draft, language):
    remote.store.create("posts", {"userId": 1, "title": "T", "body": "B"})
    Post.objects.create(title="A", body="B")
    target = draft.target.pk
    pages = [url(step, target) for step in ("address", "sign_in", "try", "records")]
    assert (
        left_in_english([url(""), *pages, *(url(step, target, draft.pk) for step in ("fields", "finish"))], language)
        == {}
    )
