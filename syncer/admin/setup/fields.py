"""The fifth step: our object's values beside those of a record of theirs, and which goes where."""

from copy import copy

from django.http import HttpResponse, HttpResponseRedirect

from syncer.admin.setup.mapping import COLUMNS, FieldsForm, Sides
from syncer.admin.setup.steps import At, Step, address
from syncer.models import Route
from syncer.models.mapping import unroutable


def show(at: At) -> HttpResponse:
    """Show the form (GET); show the request that it makes, or save it (POST)."""
    route = at.routed
    sampled = at.guide.sample(copy(route), [route.path])
    example = at.guide.example(route)
    sides = Sides(
        theirs=sampled.values,
        example=example,
        unroutable=unroutable(route.declaration, {route.model, *route.models_beside()}),
    )
    form = FieldsForm(route, at.guide, sides, at.request.POST if at.request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        example = at.guide.example(route)
        if "preview" not in at.request.POST:
            return _saved(at, route)
    return at.page(form=form, sides=sides, sampled=sampled, example=example, has_errors=bool(form.errors))


def _saved(at: At, route: Route) -> HttpResponse:
    route.save(update_fields=COLUMNS)
    at.admin.log_change(at.request, at.target, f"Set up: the fields of {route.model}.")
    return HttpResponseRedirect(address(Step.FINISH, at.target, route))
