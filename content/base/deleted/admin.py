"""The pages of what was deleted: a list with *Restore*, and the question before it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin

from backoffice.kit.estimates import MOST
from backoffice.kit.history import history_of
from backoffice.kit.jobs.models import Job
from backoffice.kit.numbers import key_number
from backoffice.kit.pages import model_page
from backoffice.kit.permissions import Person, hides_rows
from backoffice.kit.urls import admin_url
from content.base.deleted.restore import begin, read
from content.base.deleted.rows import Ids, deleted, with_children
from content.base.models import ContentModel
from content.base.reasons import reason_context, reason_of
from syncer import public

PER_PAGE = 50
NAMED = 20  # objects that the question names of each kind
WORD = 100  # characters of a search


@dataclass(frozen=True, kw_only=True)
class Level:
    """The objects of one kind that come back."""

    model: type[Model]
    ids: Ids
    may_add: bool

    @property
    def words(self) -> str:
        return public.named_numbers({self.model: len(self.ids)})

    @cached_property
    def names(self) -> list[str]:
        rows = history_of(self.model)._default_manager.filter(history_id__in=self.ids[:NAMED]).order_by("-history_id")
        return [str(row.instance) for row in rows]  # type: ignore[attr-defined]

    @property
    def more(self) -> int:
        return len(self.ids) - NAMED if len(self.ids) > NAMED else 0

    def keys(self) -> list[Any]:
        rows = history_of(self.model)._default_manager
        key = self.model._meta.pk.attname
        parts = (self.ids[first : first + MOST] for first in range(0, len(self.ids), MOST))
        return [pk for some in parts for pk in rows.filter(history_id__in=some).values_list(key, flat=True)]


class DeletedAdmin(ModelAdmin):  # type: ignore[misc]
    """A way back from every delete."""

    model: type[ContentModel]

    @property
    def can_be_deleted(self) -> bool:
        return "delete" in self.opts.default_permissions

    def get_urls(self) -> list[URLPattern]:
        if not self.can_be_deleted:
            return list(super().get_urls())
        name = f"{self.opts.app_label}_{self.opts.model_name}"
        return [
            path("deleted/", self.admin_site.admin_view(self.deleted_view), name=f"{name}_deleted"),
            path("deleted/restore/", self.admin_site.admin_view(self.restore_view), name=f"{name}_restore"),
            *super().get_urls(),
        ]

    def deleted_view(self, request: HttpRequest) -> HttpResponse:
        """List the deleted objects, the latest first, with what a person needs to recognize them."""
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        search = request.GET.get("q", "").replace("\0", "").strip()[:WORD]
        before = key_number(request.GET.get("before", ""))
        rows = deleted(self.model).filter(self._found(search))
        page, following = self._page(request, rows, before)
        return self._deleted_page(
            request, "content/deleted.html", rows=page, next=following, search=search, is_first=before is None
        )

    def restore_view(self, request: HttpRequest) -> HttpResponse:
        """Ask before the chosen objects are restored (GET), or restore them (POST); `act` names all of one request."""
        if not self.has_add_permission(request):
            raise PermissionDenied(Person(request.user).refusal(self.model, "add"))
        rows = self._chosen(request)
        if not rows:
            messages.info(request, _("Nothing is restored: nothing was chosen, or it has been restored already."))
            return redirect(admin_url(self.model, "deleted"))
        if request.method == "POST":
            return self._restore(request, [row.history_id for row in rows], reason_of(request))
        levels = with_children(self.model, rows)
        person = Person(request.user)
        shown = [Level(model=model, ids=ids, may_add=person.may(model, "add")) for model, ids in levels]
        coming: dict[type[Model], list[Any]] = {}
        for level in shown:
            if level.may_add:
                coming.setdefault(level.model, []).extend(level.keys())
        numbers = {model: len(keys) for model, keys in coming.items()}
        return self._deleted_page(
            request,
            "content/restore.html",
            levels=shown,
            what=public.named_numbers(numbers),
            following=public.restoring(coming),
            kept=[level.words for level in shown if not level.may_add],
            query=request.GET.urlencode(),
            **reason_context(request),
        )

    def undo_message(self, request: HttpRequest, text: str) -> SafeString:
        """Return a message about deletes of this request, with the way back from them."""
        if not self.has_add_permission(request):
            return format_html("{}", text)
        address = f"{admin_url(self.model, 'restore')}?act={request.request_id}"  # type: ignore[attr-defined]
        return format_html('{} <a class="sync-link" href="{}">{}</a>', text, address, _("Undo"))

    # --- details -----------------------------------------------------------------------------------------------------
    def _deleted_page(self, request: HttpRequest, template: str, **context: object) -> HttpResponse:
        names = {"names": self.opts.verbose_name_plural}
        title = _("Restore %(names)s") if template == "content/restore.html" else _("Deleted %(names)s")
        may_restore = self.has_add_permission(request)
        return model_page(self, request, template, title=title % names, may_restore=may_restore, **context)

    def _found(self, search: str) -> Q:
        condition = Q()
        for name in self.model.searched if search else ():
            condition |= Q(**{f"{name}__icontains": search})
        return condition

    def _page(self, request: HttpRequest, rows: "QuerySet[Any]", before: int | None) -> tuple[list[Any], int | None]:
        """Return the rows of a page that the person may see, and where the next begins."""
        if before is not None:
            rows = rows.filter(history_id__lt=before)
        page = list(rows[: PER_PAGE + 1])
        following = page[PER_PAGE - 1].history_id if len(page) > PER_PAGE else None
        return self._visible(request, page[:PER_PAGE]), following

    def _visible(self, request: HttpRequest, rows: Iterable[Any]) -> list[Any]:
        if not hides_rows(self.model, Person(request.user)):
            return list(rows)
        return [row for row in rows if row.instance.is_visible_to(request.user)]

    def _chosen(self, request: HttpRequest) -> list[Any]:
        """Return the history rows that the address names, of objects that are still deleted.

        Raises:
            Http404: a row is not a number.
        """
        if act := request.GET.get("act", ""):
            return self._visible(request, deleted(self.model).filter(request_id=act.replace("\0", "")))
        ids = [key_number(text) for text in request.GET.getlist("row")]
        if None in ids:
            raise Http404
        return self._visible(request, read(self.model, [number for number in ids if number is not None]))

    def _restore(self, request: HttpRequest, rows: Ids, reason: str) -> HttpResponse:
        job = begin(self.model, rows, user=request.user, reason=reason)
        if job.state != Job.State.DONE or job.failed:
            return redirect("admin:jobs_job_change", job.pk)
        number = job.done
        text = ngettext("%(number)s object is restored.", "%(number)s objects are restored.", number)
        messages.success(request, text % {"number": number})
        return redirect(admin_url(self.model, "changelist"))
