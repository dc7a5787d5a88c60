from typing import Any
from uuid import UUID, uuid4

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import action

from backoffice.kit.admin import ReadOnlyAdmin
from backoffice.kit.estimates import count
from backoffice.kit.filters import TimeRangeFilter
from content.base.admin import ContentAdmin
from content.base.deleted.asking import Deletion
from content.base.filters import VisibleSelectFilter
from content.messaging import admin_erasure  # noqa: F401 - registers its admin
from content.messaging.models import Bot, Message
from content.messaging.resources import BotResource, MessageResource

SHOWN = 80  # characters of a text on the list


@admin.register(Bot)
class BotAdmin(ContentAdmin):
    list_display = ("name", "id")
    search_fields = ("name",)
    ordering = ("name", "id")
    resource_classes = (BotResource,)

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return ("id", "name")

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return [*super().get_readonly_fields(request, obj), *(["id"] if obj else [])]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"id": uuid4()} | super().get_changeform_initial_data(request)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Deletion:
        """Report the number of messages that prevent the deletion, instead of naming each."""
        names, counts, needed, protected = super().get_deleted_objects(objs, request)
        if protected:
            needed.discard(Message._meta.verbose_name)  # no permission to delete a message exists
            counted = ((bot, count(Message.objects.filter(bot=bot))) for bot in objs)
            protected = [_with_messages(bot, number) for bot, number in counted if number]
        return names, counts, needed, protected


def _with_messages(bot: Bot, number: int) -> str:
    text = ngettext("%(bot)s: %(number)s message", "%(bot)s: %(number)s messages", number)
    return text % {"bot": bot, "number": number}


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin, ContentAdmin):
    """Read-only: messages come by API and import, and are erased with their client."""

    list_display = ("timestamp", "bot", "direction", "client", "beginning", "conversation")
    list_filter = (("bot", VisibleSelectFilter), ("timestamp", TimeRangeFilter))
    list_select_related = ("bot",)
    ordering = ("-timestamp", "-id")
    sortable_by = ("timestamp",)  # the only column with an index
    search_fields = ("client", "conversation")
    search_help_text = _("The whole id of a client or of a conversation.")
    fields = ("bot", "direction", "client", "conversation", "timestamp", "text")
    resource_classes = (MessageResource,)
    actions_list = ("erase",)
    actions_detail = ("erase_of",)

    @admin.display(description=_("text"))
    def beginning(self, message: Message) -> str:
        return Truncator(message.text).chars(SHOWN)

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[Any]", search_term: str
    ) -> "tuple[QuerySet[Any], bool]":
        """Search by equality only, which an index answers."""
        word = search_term.replace("\0", "").strip()
        if not word:
            return queryset, False
        of_client = queryset.filter(client=word)
        try:
            conversation = UUID(word)
        except ValueError:
            return of_client, False
        return (of_client if of_client.exists() else queryset.filter(conversation=conversation)), False

    # --- erasing -----------------------------------------------------------------------------------------------------
    def has_erase_permission(self, request: HttpRequest, *_args: object) -> bool:
        return request.user.has_perm("messaging.erase_client")

    @action(description=_("Erase a client"), permissions=["erase"], icon="ink_eraser")  # type: ignore[untyped-decorator]
    def erase(self, request: HttpRequest) -> HttpResponse:
        return redirect("admin:messaging_erasure_add")

    @action(description=_("Erase this client"), permissions=["erase"], icon="ink_eraser")  # type: ignore[untyped-decorator]
    def erase_of(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return redirect(f"{reverse('admin:messaging_erasure_add')}?message={int(object_id)}")
