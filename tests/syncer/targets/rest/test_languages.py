"""The page on which a person decides about a record is whole in each language."""

import pytest
from django.urls import reverse

from tests.languages import LANGUAGES, left_in_english
from tests.syncer.support import binding_of
from tests.syncer.targets.rest.doubts import page_of, resolve_url

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_about_a_doubt_is_left_in_english(target, several, language):
    binding = binding_of(several)
    assert left_in_english([page_of(binding), reverse("admin:syncer_binding_changelist")], language) == {}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("way", [{"encoded": "2"}, {"way": "not_arrived"}])
def test_what_follows_a_decision_is_said_in_the_readers_language(target, several, language, way):
    binding = binding_of(several)
    assert left_in_english([resolve_url(binding)], language, data=way | {"seen": str(binding.token)}) == {}
