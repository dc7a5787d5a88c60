"""The first step: where the target is. The address is asked at once, without a credential."""

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.kit.phrase_field import localized
from syncer.admin.moving import MovingForm
from syncer.admin.setup.forms import StepForm, taken
from syncer.admin.setup.steps import At, Step, address
from syncer.models import Target

NAME_MOST = 64  # characters of a short name


class AddressForm(StepForm, MovingForm):
    class Meta:
        model = Target
        fields = ("url", "title", "name")
        labels = {
            "url": gettext_lazy("Address"),
            "title": gettext_lazy("Name"),
            "name": gettext_lazy("Short name"),
        }
        help_texts = {
            "url": gettext_lazy(
                "Where its API begins, without the path of any records: https://api.example.com/v1. Without user name "
                "and password; the sign-in comes next."
            ),
            "title": gettext_lazy("What people call it here: Web shop."),
            "name": gettext_lazy("For commands and configuration files: web-shop. Empty: made from the name."),
        }

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)
        self.fields["name"].required = False
        self.fields["title"].required = True

    def clean_url(self) -> str:
        return str(self.cleaned_data["url"]).strip()

    def clean(self) -> dict[str, object]:
        cleaned = super().clean() or {}
        if not cleaned.get("name") and "name" not in self.errors and cleaned.get("title"):
            cleaned["name"] = free_name(str(cleaned["title"]))
        return cleaned


def free_name(title: str) -> str:
    """Return a short name that no target has yet, `web-shop` or `web-shop-2`."""
    begin = slugify(title)[: NAME_MOST - 4] or "target"
    names = {*Target.objects.filter(name__startswith=begin).values_list("name", flat=True)}
    numbered = (f"{begin}-{number}" for number in range(2, len(names) + 3))
    return begin if begin not in names else next(name for name in numbered if name not in names)


def show(at: At) -> HttpResponse:
    """Show the form (GET); ask for the address, and save it if somebody is there, or the person insists (POST)."""
    form_of = AddressForm.of(at.request)
    if at.request.method != "POST":
        return at.page(form=form_of(instance=at.target))
    form = form_of(taken(at.request), instance=at.target)
    if not form.is_valid():
        return at.page(form=form)
    target, is_new = form.save(commit=False), at.target.pk is None
    reached = at.guide.reach(target)
    if reached.looks_wrong and "anyway" not in at.request.POST:
        return at.page(form=form, reached=reached)
    if is_new:
        target.save()
        at.admin.log_addition(at.request, target, "Set up: address.")
    else:
        _save(form, target)
        at.admin.log_change(at.request, target, "Set up: address.")
    for finding in reached.findings:
        messages.info(at.request, localized(finding.text))
    messages.success(at.request, _("%(target)s is saved, and paused until the setup is done.") % {"target": target})
    return HttpResponseRedirect(address(Step.SIGN_IN, target))


def _save(form: AddressForm, target: Target) -> None:
    """Save the address; the secret is forgotten if another host would get it, and the target then waits for a person.

    The next step asks for the secret again.
    """
    if not (form.stored.auth_secret and form.new_hosts):
        target.save(update_fields=form.Meta.fields)
        return
    target.auth_secret, target.enabled = "", False
    target.save(update_fields=[*form.Meta.fields, "auth_secret", "enabled"])
    text = _("Enter again where the secret is stored: %(hosts)s did not get it so far.")
    messages.warning(form.request, text % {"hosts": ", ".join(form.new_hosts)})
