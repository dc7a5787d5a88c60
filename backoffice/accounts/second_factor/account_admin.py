"""The second factor of others: taken away on their account's page, demanded on their group's."""

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.widgets import UnfoldBooleanSwitchWidget

from backoffice.accounts.models import User
from backoffice.accounts.second_factor import service
from backoffice.accounts.second_factor.demands import demand, is_demanded
from backoffice.kit.admin import BackofficeAdmin


class SecondFactorOfAccount(BackofficeAdmin):
    """A mixin of the accounts' admin. Whoever may change an account may take its second factor away, but their own."""

    change_form_outer_before_template = "second_factor/of_account.html"

    def get_urls(self) -> list[URLPattern]:
        remove = self.admin_site.admin_view(self.remove_second_factor)
        return [path("<int:pk>/second-factor/remove/", remove, name="second_factor_remove"), *super().get_urls()]

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], **options: Any) -> HttpResponse:
        account = options.get("obj")
        context["second_factor_of"] = account if account and self._may_remove(request, account) else None
        return cast(HttpResponse, super().render_change_form(request, context, **options))

    @method_decorator(require_POST)
    def remove_second_factor(self, request: HttpRequest, pk: int) -> HttpResponse:
        account = cast(User | None, self.get_object(request, str(pk)))
        if account is None:
            raise Http404
        if not self._may_remove(request, account):
            raise PermissionDenied
        service.remove(account)
        self.log_change(request, account, "Took the second factor away.")
        text = gettext("The second factor of %(account)s is taken away: a password is enough now.")
        messages.success(request, text % {"account": account})
        return HttpResponseRedirect(reverse("admin:accounts_user_change", args=[account.pk]))

    def _may_remove(self, request: HttpRequest, account: User) -> bool:
        is_other = account.pk != request.user.pk  # one's own is taken away with a code
        return account.second_factor_at is not None and is_other and self.has_change_permission(request, account)


class GroupForm(forms.ModelForm):  # type: ignore[type-arg]
    second_factor = forms.BooleanField(
        label=_("Second factor"),
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text=_(
            "Its members have to have one: whoever has none is led to its page before anything else. Superusers have "
            "to have one as soon as any group demands it."
        ),
    )

    class Meta:
        model = Group
        fields = ("name", "permissions")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.instance.pk and "second_factor" in self.fields:
            self.fields["second_factor"].initial = is_demanded(self.instance)


class SecondFactorOfGroup(BackofficeAdmin):
    """A mixin of the groups' admin."""

    form = GroupForm

    @admin.display(description=_("Second factor"), boolean=True)
    def second_factor(self, group: Group) -> bool:
        """Say it to whoever may see the group and not change it."""
        return is_demanded(group)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        super().save_related(request, form, formsets, change)
        demand(form.instance, demanded=form.cleaned_data["second_factor"])
