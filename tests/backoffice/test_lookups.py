import pytest
from django.contrib.auth.models import Group

from content.news.models import Post

pytestmark = pytest.mark.django_db
BEYOND = [10**30, -(10**30), 2**63]


def test_a_number_that_no_column_holds_is_in_no_row():
    group, post = Group.objects.create(name="A"), Post.objects.create(title="T", body="B", user_id=7)
    assert list(Group.objects.filter(pk__in=[*BEYOND, group.pk])) == [group]
    assert list(Post.objects.filter(user_id__in=[*BEYOND, 2**31, 7])) == [post]
    assert not Group.objects.filter(pk__in=BEYOND).exists()
    assert list(Group.objects.exclude(pk__in=BEYOND).filter(pk=group.pk)) == [group]


def test_what_is_no_number_is_looked_up_as_before():
    group = Group.objects.create(name="A")
    assert list(Group.objects.filter(pk__in=Group.objects.values("pk"), name="A")) == [group]
    assert list(Group.objects.filter(pk__in=[str(group.pk)])) == [group]
