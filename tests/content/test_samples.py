from random import Random

import pytest
from django.core.management import CommandError, call_command

from content.news import samples
from content.news.models import Comment, Post
from tests.content.doors import content_models
from tests.content.pages import administrator

pytestmark = pytest.mark.django_db


def test_samples_are_valid_and_have_history(capsys):
    administrator()  # a domain may give to the administrators what it makes
    before = sum(model.objects.count() for model in content_models())
    call_command("sample_content")
    counts = [model.objects.count() for model in content_models()]
    assert all(counts)
    assert capsys.readouterr().out == f"Wrote {sum(counts) - before} samples.\n"
    assert [model.history.count() for model in content_models()] == counts
    for obj in (obj for model in content_models() for obj in model.objects.all()):
        obj.full_clean()


def test_samples_do_nothing_when_there_is_content(capsys):
    Post.objects.create(title="Mine", body="Body")
    call_command("sample_content")
    assert "There is content already" in capsys.readouterr().out
    assert Post.objects.count() == 1


def test_the_samples_of_one_domain_are_those_that_it_has_among_all(capsys):
    call_command("sample_content", "news")
    alone = list(Post.objects.order_by("pk").values_list("title", "body"))
    assert capsys.readouterr().out == "Wrote 600 samples.\n"
    assert [model._meta.app_label for model in content_models() if model.objects.exists()] == ["news", "news"]
    Post.objects.all().delete()
    call_command("sample_content")
    assert list(Post.objects.order_by("pk").values_list("title", "body")) == alone


def test_a_domain_that_is_not_there_is_named():
    with pytest.raises(CommandError, match=r"There is no domain shelves; there are news, "):
        call_command("sample_content", "news", "shelves")
    assert not Post.objects.exists()


def test_the_same_seed_gives_the_same_samples():
    def texts() -> list[tuple[str, str]]:
        Post.objects.all().delete()
        samples.create(Random(1))
        return list(Post.objects.order_by("pk").values_list("title", "body"))

    assert texts() == texts()


def test_samples_vary_and_name_no_real_address():
    samples.create(Random(1))
    assert Post.objects.values("title", "body").distinct().count() > 90
    hosts = {email.partition("@")[2] for email in Comment.objects.values_list("email", flat=True)}
    assert hosts == {"example.com", "example.org"}
