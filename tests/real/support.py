"""What the flows share: the faults of a proxy, both sides compared, and the steps from a lost answer to rest."""

from typing import Any

from content.news.models import Post
from syncer.engine.runs import run_here
from syncer.models import Binding, Target
from syncer.models.binding import UNBLOCKED
from tests.real.servers import Server
from tests.remote import Fault
from tests.syncer.support import let_time_pass

# Rules for `proxy.fault`: the request never arrives, or it is carried out and its answer is lost.
LOST: dict[str, dict[str, Any]] = {
    "reset before it arrives": {"kind": Fault.RESET, "act": False},
    "reset after it arrived": {"kind": Fault.RESET, "act": True},
    "time-out after it arrived": {"kind": Fault.HANG, "act": True, "most": 4},
    "502 after it arrived": {"kind": Fault.HTML, "status": 502, "act": True},
}
ROUNDS = 8  # of syncs, after which a target that answers again must be at rest


def write(number: int) -> list[Post]:
    """Write so many posts, titled "Post 1", "Post 2", …"""
    return [Post.objects.create(title=f"Post {n}", body=f"Text {n}") for n in range(1, number + 1)]


def sync_to_rest(target: Target) -> None:
    """Sync until nothing is left to send, or only what waits for a person."""
    for _ in range(ROUNDS):
        run_here(target)
        let_time_pass()
        left = Binding.objects.left(target).filter(UNBLOCKED)
        if not left.exists():
            return
    raise AssertionError(f"Not at rest after {ROUNDS} syncs: {list(left.values())}")


def ours() -> list[tuple[int, str, str]]:
    """Return our posts, sorted."""
    return sorted(Post.objects.values_list("user_id", "title", "body"))


def theirs(server: Server) -> list[tuple[int, str, str]]:
    """Return the server's posts, sorted."""
    return sorted((post[server.user_id], post["title"], post["body"]) for post in server.posts())
