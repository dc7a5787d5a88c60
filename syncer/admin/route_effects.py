"""The question of a route's form: what a change will cause at the target, to be confirmed before it is saved."""

import hashlib
from typing import Any

from django.utils.translation import gettext as _

from syncer.admin.rows import RowsForm
from syncer.reports.forecast import forecast

CONFIRMED = "confirmed"  # the name of the tick; its value is a digest of what the person was shown


class AsksBeforeSaving(RowsForm):
    """A form of a route that is saved only when a person has confirmed what the change will cause."""

    asks = ""  # what is to be confirmed; empty where the change causes nothing

    @property
    def confirmation(self) -> str:
        return hashlib.sha256(self.asks.encode()).hexdigest()[:16]

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        if self.errors or self.instance.pk is None:
            return
        if effects := forecast(self.instance):
            self.asks = effects.on_saving
            if self.data.get(CONFIRMED) != self.confirmation:
                self.add_error(None, _("This is not saved yet: read above what it will cause, and confirm it."))


def context(adminform: Any) -> dict[str, object]:
    """Return what the template `route_effects.html` shows of the form."""
    form: AsksBeforeSaving = adminform.form
    return {"asks": form.asks, "confirmation": form.confirmation}
