"""The pages of a pair and of its conflicts are whole in each language."""

import pytest
from django.urls import reverse

from backoffice.accounts.models import User
from tests.content.pages import browser
from tests.languages import LANGUAGES, left_in_english
from tests.syncer.targets.peer.conflicts.support import replica

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_of_a_conflict_or_its_pair_is_left_in_english(warehouse, contested, language):
    pages = [
        reverse("admin:syncer_replica_changelist"),
        reverse("admin:syncer_replica_change", args=[replica(contested).pk]),
        reverse("admin:syncer_target_change", args=[warehouse.pk]),
        reverse("admin:syncer_route_change", args=[warehouse.routes.get().pk]),
        reverse("admin:orders_order_change", args=[contested]),
    ]
    assert left_in_english(pages, language) == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_question_whether_an_object_should_exist_is_in_the_readers_language(deleted_here, language):
    assert left_in_english([reverse("admin:syncer_replica_change", args=[replica(deleted_here).pk])], language) == {}


@pytest.mark.parametrize(("language", "why"), [("de", "größer oder gleich 1"), ("fr", "supérieure ou égale à 1")])
def test_why_an_object_is_not_valid_is_in_the_readers_language(invalid, language, why):
    page = reverse("admin:syncer_replica_change", args=[replica(invalid).pk])
    assert left_in_english([page], language) == {}
    person = User.objects.get(language=language)
    assert why in browser(person).get(page).content.decode()
