"""The pages of content are whole in each language."""

import pytest
from django.urls import reverse

from content.news.models import Post
from content.palettes.models import Palette, Team
from tests.languages import LANGUAGES, left_in_english

pytestmark = pytest.mark.django_db(transaction=True)
MODELS = (
    "news_post",
    "news_comment",
    "orders_order",
    "tasks_item",
    "palettes_team",
    "palettes_palette",
    "messaging_bot",
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_of_the_lists_and_forms_is_left_in_english(language):
    pages = [
        reverse(f"admin:{model}_{page}") for model in MODELS for page in ("changelist", "add", "deleted", "import")
    ]
    assert left_in_english([*pages, reverse("admin:messaging_message_changelist")], language) == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_about_an_object_and_its_versions_is_left_in_english(language):
    post = Post.objects.create(title="A", body="B")
    post.title = "C"
    post.save()
    team = Team.objects.create(name="T")
    palette = Palette.objects.create(team=team, name="P", colors=["#112233"])
    first = post.history.earliest()
    pages = [
        *(reverse(f"admin:news_post_{page}", args=[post.pk]) for page in ("change", "history", "delete")),
        reverse("admin:news_post_simple_history", args=[post.pk, first.pk]),
        reverse("admin:palettes_team_change", args=[team.pk]),
        reverse("admin:palettes_palette_change", args=[palette.pk]),
        reverse("admin:content_changes"),
        reverse("admin:content_import_changelist"),
        reverse("admin:jobs_job_changelist"),
    ]
    assert left_in_english(pages, language) == {}
