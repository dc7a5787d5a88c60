"""The fourth step: what is sent, and the path of its records at the target."""

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse, HttpResponseRedirect
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget

from syncer.admin.forms import NOT_CARRIED
from syncer.admin.setup.forms import StepForm, taken
from syncer.admin.setup.steps import At, Step, address, unsent
from syncer.models import Route, Target
from syncer.models.mapping import declarations
from syncer.models.route import PATH
from syncer.reports.reading import carried, headline
from syncer.targets.guide import Sampled
from syncer.targets.previews import Severity


class RecordsForm(StepForm, forms.Form):
    model = forms.ChoiceField(
        label=gettext_lazy("What is sent"),
        widget=UnfoldAdminSelectWidget,
        help_text=gettext_lazy("One kind of content. Others can follow when this one is set up."),
        error_messages={"invalid_choice": NOT_CARRIED},
    )
    path = forms.CharField(
        label=gettext_lazy("Path of its records"),
        required=False,
        max_length=256,
        help_text=gettext_lazy(
            "Where the target lists them, behind its address: /posts. Empty: likely ones are tried."
        ),
        widget=forms.TextInput(attrs={"placeholder": "/posts", "list": "paths"}),
    )

    def __init__(self, at: At, *args: object, **options: object) -> None:
        super().__init__(*args, **options)
        self.target = at.target
        self.fields["model"].choices = [("", ""), *models_of(at)]  # type: ignore[attr-defined]

    def clean_path(self) -> str:
        path = str(self.cleaned_data["path"]).strip()
        path = f"/{path}" if path and not path.startswith("/") else path
        if path:
            PATH(path)
        return path

    def clean_model(self) -> str:
        """Refuse a child whose parent has no route: its records would have nothing to hang on."""
        label = str(self.cleaned_data["model"])
        declaration = declarations()[label]
        if declaration.parent is None:
            return label
        parent = declaration.model._meta.get_field(declaration.parent).related_model
        above = parent._meta.label if parent and not isinstance(parent, str) else label
        if above != label and not self.target.routes.filter(model=above).exists():
            text = _("Each %(model)s belongs to a %(parent)s. Set up %(parent)s first.")
            raise ValidationError(text % {"model": label, "parent": above})
        return label


def models_of(at: At) -> list[tuple[str, str]]:
    """Return the models that this person can set up, with what people call them; those sent already are left out."""
    unsent_models = {*unsent(at.target).values_list("model", flat=True)}
    sent = {*at.target.routes.values_list("model", flat=True)} - unsent_models
    models = [declarations()[label] for label in carried(at.request) if label not in sent]
    names = [str(capfirst(one.model._meta.verbose_name_plural)) for one in models]
    return [(one.label, f"{name} ({one.label})") for one, name in zip(models, names, strict=True)]


def show(at: At) -> HttpResponse:
    """Show the form (GET); look for the records, and make a route that is off (POST)."""
    chosen = unsent(at.target).filter(enabled=False).first()
    initial = {"model": chosen.model, "path": chosen.path} if chosen else {}
    paths = at.guide.sign_in(at.target).paths
    form = RecordsForm(at, taken(at.request) if at.request.method == "POST" else None, initial=initial)
    if at.request.method != "POST" or not form.is_valid():
        return at.page(form=form, paths=paths)
    route, path = _route(at.target, form.cleaned_data["model"]), form.cleaned_data["path"]
    likely = at.guide.likely_paths(route)
    sampled = at.guide.sample(route, _spellings(path) if path else [*_named(paths, likely), *likely])
    if not sampled.is_listed and "anyway" not in at.request.POST:
        return at.page(form=form, paths=likely, sampled=sampled, can_insist=bool(path))
    if not sampled.is_listed:
        sampled.route.path = path
    try:
        saved = _save(at, sampled)
    except ValidationError as error:
        form.add_error(None, error.messages)
        return at.page(form=form, sampled=sampled)
    if sampled.is_listed:
        messages.success(at.request, _("Its records are at %(path)s.") % {"path": saved.path})
    for finding in sampled.findings:
        if finding.severity is not Severity.FINE:
            messages.info(at.request, headline(at.request, finding.text))
    return HttpResponseRedirect(address(Step.FIELDS, at.target, saved))


def _route(target: Target, label: str) -> Route:
    """Return the route of the model that is being set up, or a new one, which is off."""
    route = unsent(target).filter(model=label).first() or Route(target=target, model=label, enabled=False)
    route.target = target
    return route


def _spellings(path: str) -> list[str]:
    """Return the path, and the same one with the other ending: some services answer only one of the two."""
    return [path, path.rstrip("/") if path.endswith("/") else f"{path}/"]


def _named(paths: "tuple[str, ...]", likely: list[str]) -> list[str]:
    return [path for path in paths if path.rstrip("/").rpartition("/")[2] in {one.strip("/") for one in likely}]


def _save(at: At, sampled: Sampled) -> Route:
    """Save the route with the mapping that fits best, unless it has one already.

    Raises:
        ValidationError: the route can't work.
    """
    route, is_new = sampled.route, sampled.route.pk is None
    stored = Route.objects.filter(pk=route.pk).values_list("path", flat=True).first()
    if stored != route.path:
        route = at.guide.suggest(route, sampled.values, at.guide.example(route))
    route.full_clean()
    route.save()
    if is_new:
        at.admin.log_change(at.request, at.target, f"Set up: a route for {route.model}.")
    return route
