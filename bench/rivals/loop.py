"""A script that sends changes one after the other, and signals that do so inside each save."""

from collections.abc import Iterable, Mapping
from typing import Any

import requests

TIMEOUT = 10  # seconds


def body_of(post: Mapping[str, Any]) -> dict[str, Any]:
    return {"userId": post["user_id"], "title": post["title"], "body": post["body"]}


def push(url: str, posts: Iterable[Mapping[str, Any]]) -> int:
    """Send each post by a PUT; return how many were sent."""
    number = 0
    with requests.Session() as session:
        for post in posts:
            session.put(f"{url}/posts/{post['id']}", json=body_of(post), timeout=TIMEOUT).raise_for_status()
            number += 1
    return number


def send_when_saved(url: str, instance: Any) -> None:
    """Send a post that was just saved: what a receiver of `post_save` does."""
    post = {"user_id": instance.user_id, "title": instance.title, "body": instance.body}
    requests.put(f"{url}/posts/{instance.pk}", json=body_of(post), timeout=TIMEOUT).raise_for_status()
