"""The third step: a real request, signed in, and what came back in words."""

from django.http import HttpResponse

from syncer.admin.setup.steps import At, Step, address
from syncer.reports.reading import may_read_all


def show(at: At) -> HttpResponse:
    """Ask for the target's address. This is a GET there and writes nothing, so that coming to the page is enough."""
    reached = at.guide.sign_in(at.target)
    following = address(Step.RECORDS, at.target)
    return at.page(reached=reached, following=following, may_read=may_read_all(at.request))
