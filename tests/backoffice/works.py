"""Work for the jobs of the tests; a worker in a process of its own finds it here too."""

import threading
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError

from backoffice.kit.api.problems import ProblemError
from backoffice.kit.jobs.models import Job
from backoffice.kit.jobs.progress import Progress
from backoffice.kit.jobs.service import AGAIN, Again
from content.news.models import Post

HERE = "tests.backoffice.works."
SECRET = "swordfish-7"


def posts(progress: Progress, *, titles: list[str]) -> dict[str, Any]:
    """One post for each title; an empty title fails."""
    for title in titles:
        try:
            post = Post(title=title, body="B")
            post.full_clean()
            post.save()
        except ValidationError as error:
            progress.fail(f"title {title!r}", " ".join(error.messages))
        else:
            progress.advance()
    return {"written": progress_of(progress).done}


def one_post_a_turn(progress: Progress, *, titles: list[str]) -> dict[str, Any] | Again:
    """The next title's post, and the others in later turns."""
    done = progress_of(progress).done
    posts(progress, titles=titles[done : done + 1])
    return AGAIN if done + 1 < len(titles) else {"written": done + 1}


def progress_of(progress: Progress) -> Job:
    return Job.objects.get(pk=progress.job_id)


def writes_a_file(progress: Progress, *, text: str) -> None:
    with progress.file("words.txt", "text/plain; charset=utf-8") as out:
        out.write(text.encode())


def says_who(progress: Progress) -> dict[str, Any]:
    return {"user": str(progress.user)}


def says_what_it_may(progress: Progress) -> dict[str, Any]:
    return {"may": sorted(progress.user.get_all_permissions())}


def many_fail(progress: Progress, *, number: int) -> None:
    progress.fail_all((f"item {n}", "no") for n in range(number))


def holds_a_nul(progress: Progress) -> None:
    progress.fail("a\0b", "c\0d")
    raise ValidationError("e\0f")


def breaks_a_rule(progress: Progress) -> None:
    raise ValidationError({"title": "The sea is too wide."})


def has_a_problem(progress: Progress) -> None:
    raise ProblemError(502, "The service does not answer.")


def is_refused(progress: Progress) -> None:
    raise PermissionDenied


def crashes(progress: Progress) -> None:
    raise RuntimeError(SECRET)


def gives_no_json(progress: Progress) -> dict[str, Any]:
    return {"thread": threading.current_thread()}


def is_given_up(progress: Progress) -> None:
    Job.objects.filter(pk=progress.job_id).delete()
    progress.advance()


def never_ends(progress: Progress) -> None:
    progress.advance()
    threading.Event().wait()
