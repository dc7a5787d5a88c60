"""The page that asks for confirmation before a person's word about an object's record is taken."""

from typing import Any

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from backoffice.kit.pages import model_page
from backoffice.kit.phrase_field import localized
from backoffice.kit.phrases import message_of
from syncer import public
from syncer.admin.parts import binding_title, to_runs
from syncer.core.errors import NotPossibleError, SyncError
from syncer.core.ids import encode_id
from syncer.models import Binding
from syncer.reports.doubt import follows
from syncer.targets.rest import doubt


def resolve(admin: "ModelAdmin[Any]", request: HttpRequest, binding: Binding) -> HttpResponse:
    """Record which record is an object's, or that there is none, from these fields of the POST:

    - `way`: `not_arrived` if there is no record;
    - `encoded`, or else `remote_id`: the record's id as JSON, or as a person wrote it;
    - `seen`: the binding's token when the person looked;
    - `sure`: without it nothing is changed, and a page shows what would follow.
    """
    try:
        remote_id, seen = _remote_id(request, binding), _seen(request)
        if "sure" not in request.POST:
            return _ask_again(admin, request, binding, remote_id, seen)
        doubt.link(binding=binding, remote_id=remote_id, user=request.user, seen=seen)
    except SyncError as error:
        messages.error(request, localized(message_of(error)))
        return HttpResponseRedirect(reverse("admin:syncer_binding_change", args=[binding.pk]))
    messages.success(request, _("Decided. Sync started."))
    return to_runs(request, public.sync_bindings([binding], user=request.user))


def _remote_id(request: HttpRequest, binding: Binding) -> int | str | None:
    """Return the given id; None if there is no record."""
    if request.POST.get("way") == "not_arrived":
        return None
    if encoded := request.POST.get("encoded"):
        return doubt.decoded(encoded)
    return doubt.as_id(route=binding.route, text=request.POST.get("remote_id", ""))


def _seen(request: HttpRequest) -> int:
    try:
        return int(request.POST.get("seen", ""))
    except ValueError as error:
        raise NotPossibleError(
            _("The form did not say what you saw. Look at the object again, then decide.")
        ) from error


def _ask_again(
    admin: "ModelAdmin[Any]", request: HttpRequest, binding: Binding, remote_id: int | str | None, seen: int
) -> HttpResponse:
    doubt.check(binding=binding, remote_id=remote_id, seen=seen)
    return model_page(
        admin,
        request,
        "syncer/resolve.html",
        title=_("Confirm the decision"),
        original=binding,
        parent_name=binding_title(binding),
        binding=binding,
        seen=seen,
        follows=follows(binding, remote_id),
        way="not_arrived" if remote_id is None else "arrived",
        remote_id="" if remote_id is None else encode_id(remote_id),
    )
