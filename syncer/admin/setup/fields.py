"""The fifth step: our object's values beside those of a record of theirs, and which goes where."""

from copy import copy

from django.http import HttpResponse, HttpResponseRedirect

from syncer.admin.setup.mapping import COLUMNS, FieldsForm, Sides
from syncer.admin.setup.steps import At, Step, address
from syncer.models import Route
from syncer.models.mapping import unroutable
from syncer.reports.reading import unseen, unseen_objects
from syncer.targets.guide import Example


def show(at: At) -> HttpResponse:
    """Show the form (GET); show the request that it makes, or save it (POST)."""
    route = at.routed
    sampled = at.guide.sample(copy(route), [route.path])
    example = at.guide.example(route)
    sides = Sides(
        theirs=sampled.values,
        example=example,
        hides_theirs=unseen(at.request, route.model),
        hides_ours=_hidden(at, example),
        unroutable=unroutable(route.declaration, {route.model, *route.models_beside()}),
    )
    form = FieldsForm(route, at.guide, sides, at.request.POST if at.request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        example = at.guide.example(route)
        if "preview" not in at.request.POST:
            return _saved(at, route)
    return at.page(form=form, sides=sides, sampled=sampled, example=example, shows_request=_shows(form, sides))


def _hidden(at: At, example: Example) -> str:
    """Return why this person may not read our object; empty where they may, or where there is none."""
    return unseen_objects(at.request, at.routed.model, [example.key]).get(example.key, "") if example.name else ""


def _shows(form: FieldsForm, sides: Sides) -> bool:
    return not sides.hides_ours and not (form.is_bound and form.errors)


def _saved(at: At, route: Route) -> HttpResponse:
    route.save(update_fields=COLUMNS)
    at.admin.log_change(at.request, at.target, f"Set up: the fields of {route.model}.")
    return HttpResponseRedirect(address(Step.FINISH, at.target, route))
