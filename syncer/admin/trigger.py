"""The control for a route's trigger: by hand, at each change, or every so often, in place of the stored text."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.widgets import RADIO_CLASSES, UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget

from syncer.models.route import CHANGE, EVERY, MANUAL

INTERVAL = "every"
MOST = 99_999  # units between two syncs
WAYS = (
    (MANUAL, _("By hand: changes wait until somebody presses Sync now")),
    (CHANGE, _("At each change, within seconds")),
    (INTERVAL, _("Every so often:")),
)
UNITS = (("second", _("seconds")), ("minute", _("minutes")), ("hour", _("hours")), ("day", _("days")))


def parts_of(trigger: str | None) -> list[str]:
    """Return way, number and unit of a stored trigger: `every 5 minutes` is `["every", "5", "minute"]`."""
    match = EVERY.fullmatch(trigger or "")
    return [INTERVAL, match[1] or "1", match[2]] if match else [trigger or MANUAL, "5", "minute"]


class TriggerWidget(forms.MultiWidget):
    """Three choices; the third has a number and a unit."""

    template_name = "syncer/trigger.html"
    use_fieldset = True

    def __init__(self) -> None:
        number = UnfoldAdminIntegerFieldWidget(attrs={"aria-label": _("Number"), "min": 1, "max": MOST})
        unit = UnfoldAdminSelectWidget(choices=UNITS, attrs={"aria-label": _("Unit")})
        super().__init__(
            {
                "way": forms.RadioSelect(choices=WAYS, attrs={"class": " ".join(RADIO_CLASSES)}),
                "number": number,
                "unit": unit,
            }
        )

    def decompress(self, value: Any) -> list[str]:
        return parts_of(value)

    def id_for_label(self, id_: str) -> str:
        return f"{id_}_way_0"

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """Return the three controls, each with a value of its own: the theme would bind all to one variable."""
        self.attrs.pop("x-model.fill", None)
        context = super().get_context(name, value, attrs)
        way, *interval = context["widget"]["subwidgets"]
        options = [option for _, options, _ in way["optgroups"] for option in options]
        context["widget"] |= {"options": options, "interval": interval}
        return context


class TriggerField(forms.MultiValueField):
    """A trigger as `TriggerWidget` shows it; its value is the text that a route stores."""

    widget = TriggerWidget

    def __init__(self, **options: Any) -> None:
        parts = (
            forms.ChoiceField(choices=WAYS),
            forms.IntegerField(min_value=1, max_value=MOST, required=False),
            forms.ChoiceField(choices=UNITS, required=False),
        )
        super().__init__(parts, require_all_fields=False, **options)

    def clean(self, value: Any) -> Any:
        """Read number and unit only where they count, so that what is left in them is never refused."""
        way, *interval = value or [""]
        return super().clean([way, *interval] if way == INTERVAL else [way, "", ""])

    def compress(self, data_list: list[Any]) -> str:
        way, number, unit = [*data_list, None, None, None][:3]
        if way != INTERVAL:
            return str(way or "")
        if not number or not unit:
            raise ValidationError(_("Enter how often: a number and a unit, such as 5 minutes."))
        return f"every {unit}" if number == 1 else f"every {number} {unit}s"

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.clean(data) != self.clean(parts_of(initial)))
        except ValidationError:
            return True
