"""What a node has before it is used: `python -m tests.soak.prepare REMOTE_URL POSTS`, with the node's settings."""

import os
import sys
from datetime import timedelta

import django


def prepare(remote: str, posts: int) -> None:
    from django.utils import timezone

    from backoffice.accounts.models import ApiKey, User, digest
    from content.news.models import Post
    from syncer.models import Route, Target

    user = User.objects.create_superuser("soak", password=os.environ["SOAK_PASSWORD"])
    _, prefix, secret = os.environ["SOAK_KEY"].split("_")
    tomorrow = timezone.now() + timedelta(days=1)
    ApiKey(user=user, name="soak", full_access=True, prefix=prefix, digest=digest(secret), expires=tomorrow).save()
    Post.objects.bulk_create(Post(title=f"Post {number}", body="It is there.") for number in range(posts))
    target = Target.objects.create(name="remote", url=remote)
    fields = {"userId": "user_id", "title": "title", "body": "body"}
    Route.objects.create(target=target, model="news.Post", path="/posts", fields=fields, trigger="change")


if __name__ == "__main__":
    django.setup()
    prepare(sys.argv[1], int(sys.argv[2]))
