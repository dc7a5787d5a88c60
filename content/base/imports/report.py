"""An import in words and numbers, for its page."""

from collections.abc import Iterator
from contextlib import closing
from functools import cached_property
from typing import Any

from django.apps import apps
from django.core.exceptions import NON_FIELD_ERRORS
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.kit.numbers import grouped
from content.base.differences import as_html
from content.base.imports.mapping import added_headings
from content.base.imports.model import Import
from content.base.imports.sentences import sentence
from content.base.imports.source import problems_of, rules_of
from content.base.tables import FileError

SHOWN = 500  # problems that the page names; the file of the failed rows has all
State = Import.State


class Report:
    """The texts and figures that a page shows of an import."""

    def __init__(self, record: Import) -> None:
        self.record = record
        self.model: Any = apps.get_model(record.model)

    # --- what was found ----------------------------------------------------------------------------------------------
    @property
    def figures(self) -> list[tuple[str, int, str]]:
        """The numbers of rows with their words, and how they are marked: `("new", 3, "some")`."""
        record = self.record
        if record.state in (State.CANCELLED, State.FAILED) and not record.has_written:
            return []  # what was counted, if anything was, did not come
        counts = record.written if record.written_to or record.written else record.counts
        words = {
            "new": _("new"),
            "changed": _("changed"),
            "unchanged": _("unchanged"),
            "deleted": _("deleted again"),
            "kept": _("left alone"),
        }
        figures = [(text, counts[name], "") for name, text in words.items() if name in counts]
        conflicts, wrong = record.counts.get("conflict", 0), record.counts.get("wrong", 0)
        failed = record.written.get("failed", 0)
        bad = [(_("conflicts"), conflicts), (_("wrong"), wrong), (_("failed"), failed)]
        return figures + [(text, count, "bad" if count else "") for text, count in bad if count or text != _("failed")]

    @property
    def right(self) -> int:
        """The number of rows that would be written."""
        return sum(self.record.counts.get(name, 0) for name in ("new", "changed"))

    @property
    def message(self) -> str:
        """The state in one sentence."""
        return sentence(self.record, right=self.right)

    @property
    def consequences(self) -> list[str]:
        """What the targets will be sent, one sentence each."""
        sentences = []
        for one in self.record.requests:
            updates = ngettext("%(number)s update", "%(number)s updates", one["updates"])
            creates = ngettext("%(number)s create", "%(number)s creates", one["creates"])
            parts = [(updates, one["updates"]), (creates, one["creates"])]
            what = _(" and ").join(text % {"number": grouped(number)} for text, number in parts if number)
            sentences.append(_("At most %(what)s will go to %(target)s.") % {"what": what, "target": one["target"]})
        return sentences

    @cached_property
    def earlier(self) -> Import | None:
        """The newest import of the same file into the same model."""
        if not self.record.sha256 or self.record.is_edit:
            return None
        same = Import.objects.filter(model=self.record.model, sha256=self.record.sha256).exclude(written={})
        same = same.exclude(state=State.UNDONE)
        return same.filter(created_at__lt=self.record.created_at).first()

    # --- rows --------------------------------------------------------------------------------------------------------
    @cached_property
    def columns(self) -> dict[str, str]:
        """The columns that a file may have, with the pages' words for them."""
        return {name: labels[1] for name, labels in rules_of(self.record, None).labels().items()}

    @property
    def headers(self) -> list[str]:
        return [name for name in self.columns if name != "version"]

    @property
    def mapping(self) -> list[tuple[str, str]]:
        """The headings of the file in their order, each with its column, which is empty if it is left out."""
        return [(heading, self.record.columns.get(heading, "")) for heading in self.record.headings]

    @property
    def left_out(self) -> list[str]:
        """The headings of the file that are left out; not those that the file of the failed rows adds."""
        added = added_headings()
        return [heading for heading, column in self.mapping if not column and heading not in added]

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield the first rows, with the columns and the differences of their cells as HTML."""
        for row in self.record.rows:
            cells = zip(self.headers, row["cells"], strict=False)  # columns may have come since
            yield row | {"cells": [(name, as_html(old, new)) for name, (old, new) in cells]}

    @property
    def hidden(self) -> int:
        """The number of right rows that the page does not show."""
        counts = self.record.counts
        right: int = sum(counts.get(name, 0) for name in ("new", "changed", "unchanged"))
        return max(0, right - len(self.record.rows))

    @cached_property
    def problems(self) -> list[tuple[int, str, str]]:
        """What is wrong with the first rows: `(row, column or "", message)`; nothing while the file is being read."""
        if self.record.state == State.READING:
            return []
        try:
            with closing(problems_of(self.record)) as problems:
                found = problems.first(SHOWN)
        except FileError:
            return []
        return [(number, "" if name == NON_FIELD_ERRORS else name, message) for number, name, message in found]

    @property
    def has_more_problems(self) -> bool:
        return len(self.problems) == SHOWN
