"""Laws 1 to 3 while the worker's whole process group is killed, again and again."""

import random
import sys
from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise

import pytest

from content.news.models import Comment, Post
from syncer.models import backlog
from tests.flows.wait import SECONDS, until
from tests.flows.worker import Worker
from tests.syncer.conftest import target  # noqa: F401

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]

SEEDS = (20260101, 20260102)


@dataclass(frozen=True)
class Scale:
    """How much there is to write, how often the worker is killed meanwhile, and how often of these in flight."""

    posts: int
    comments: int
    kills: int
    in_flight: int

    def fill(self):
        posts = Post.objects.bulk_create(Post(title=f"T{number}", body="B") for number in range(self.posts))
        Comment.objects.bulk_create(
            Comment(post=posts[number % self.posts], name=f"N{number}", email="n@example.com", body="B")
            for number in range(self.comments)
        )

    def kill_points(self, seed):
        """`[(number of writes, whether one is between send and settle then), …]`, in order."""
        choice = random.Random(seed)
        points = sorted(choice.sample(range(20, self.posts + self.comments - 60, 10), self.kills))
        in_flight = set(choice.sample(points, self.in_flight))
        return [(point, point in in_flight) for point in points]


SMALL = Scale(posts=20, comments=100, kills=2, in_flight=1)
LARGE = Scale(posts=60, comments=300, kills=5, in_flight=2)
CASES = [
    pytest.param(SMALL, SEEDS[0], id="small"),
    *(pytest.param(LARGE, seed, marks=pytest.mark.slow, id=f"large, {seed}") for seed in SEEDS),
]


def kill_at(remote, worker, point, *, in_flight):
    remote.wait_for(lambda: len(remote.writes()) >= point, SECONDS)
    if not in_flight:
        worker.kill()
        return
    with remote.hold("POST", "*", act=True) as held:
        held.wait_arrived(SECONDS)
        worker.kill()


@pytest.mark.parametrize(("scale", "seed"), CASES)
def test_a_worker_killed_at_any_point_loses_nothing_and_repeats_no_create(remote, target, scale, seed):  # noqa: F811
    target.routes.update(trigger="change")
    target.timeout = 1
    target.save()
    scale.fill()
    points = scale.kill_points(seed)
    sys.stdout.write(f"kills at (writes, between send and settle): {points}\n")
    with Worker(SYNC_LEASE_SECONDS="1") as worker:
        for point, in_flight in points:
            kill_at(remote, worker, point, in_flight=in_flight)
            worker.start()
        until(lambda: sum(one.undone for one in backlog.of_target(target)) == 0)
    assert_equal(remote, scale)
    assert_no_create_repeated_without_a_lookup(remote)


def assert_equal(remote, scale):
    posts = {record["title"]: key for key, record in remote.posts.items()}
    assert sorted(posts) == sorted(Post.objects.values_list("title", flat=True))
    assert len(remote.posts) == scale.posts
    ours = {(name, posts[title]) for name, title in Comment.objects.values_list("name", "post__title")}
    theirs = [(record["name"], record["postId"]) for record in remote.comments.values()]
    assert sorted(theirs) == sorted(ours)


def assert_no_create_repeated_without_a_lookup(remote):
    """Between two POSTs of one object there is a GET that asks for it."""
    asked = defaultdict(list)
    for entry in remote.journal:
        fields = entry.body or entry.query
        if fields:  # a worker that was killed while it wrote sent no body
            asked[fields.get("title") or fields["name"]].append(entry.method)
    blind = {name: methods for name, methods in asked.items() if ("POST", "POST") in pairwise(methods)}
    assert not blind
