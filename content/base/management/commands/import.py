# ruff: noqa: N999 - the command's name
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from django.contrib import admin
from django.core.management.base import CommandError
from django.utils.translation import gettext as _
from import_export.command_utils import get_resource_class

from backoffice.kit.audit.actions import Action
from backoffice.kit.audit.record import record
from content.base.files import FORMATS
from content.base.imports.result import ContentResult
from content.base.management.refusal import refuse_bookkeeping
from content.base.models import ContentModel
from content.base.resource import ContentResource
from content.base.tables import FileError, Table

Replaced: Any = import_module("import_export.management.commands.import").Command  # `import` is a keyword
SUFFIXES = {"csv": "CSV", "txt": "CSV", "tsv": "CSV", "xlsx": "XLSX", "json": "JSON", "ndjson": "JSON", "jsonl": "JSON"}


class Command(Replaced):  # type: ignore[misc]
    """django-import-export's command. It reads content as the admin does, and refuses the program's own bookkeeping."""

    def handle(self, *args: Any, **options: Any) -> None:
        rules = get_resource_class(options["resource"])
        model = rules._meta.model
        refuse_bookkeeping(model)
        if issubclass(model, ContentModel) and not issubclass(rules, ContentResource):  # the model itself was named
            pages: Any = admin.site.get_model_admin(model)
            rules = pages.resource_classes[0]
        if not issubclass(rules, ContentResource):
            super().handle(*args, **options)
            return
        if options["interactive"] and input(_("Are you sure you want to import the data? [yes/no]: ")) != "yes":
            raise CommandError(_("Import cancelled."))
        try:
            table = _opened(options["import_file_name"], options["format"], options["encoding"])
            self._import(rules(), table, options)
        except FileError as error:
            raise CommandError(str(error)) from error

    def _import(self, resource: ContentResource, table: Table, options: dict[str, Any]) -> None:
        """Import the rows, and report what came of them; the exit code is 1 if one is wrong."""
        result = resource.import_data(table, dry_run=options["dry_run"], raise_errors=options["raise_errors"])
        self.stderr.write(str(table.found))
        if options["dry_run"]:
            self.stderr.write(self.style.NOTICE(_("This was a dry run: nothing was written.")))
        if result.has_errors():
            self._report(result)
            sys.exit(1)
        counts = {word: result.totals[kind] for word, kind in ContentResult.WORDS.items()}
        if not options["dry_run"]:
            record(Action.IMPORT_CONFIRMED, model=resource.model._meta.label, **counts)
        counts["objects"] = resource.model._meta.verbose_name_plural
        message = _("Import finished: %(new)s new, %(changed)s updated and %(unchanged)s unchanged %(objects)s.")
        self.stderr.write(self.style.NOTICE(message % counts))

    def _report(self, result: ContentResult) -> None:
        self.stderr.write(self.style.ERROR("Import errors!"))
        for error in result.base_errors:
            self.stderr.write(repr(error.error), self.style.ERROR)
        for line, errors in result.row_errors():
            for error in errors:
                self.stderr.write(self.style.ERROR(f"Line number: {line} - {error.error!r}"))


def _opened(name: str | Path, chosen: str | None, encoding: str | None) -> Table:
    """Open the file, or what is piped in if its name is `-`.

    Raises:
        CommandError: the format is not known, or there is no such file.
        FileError: the file can't be read.
    """
    path = Path(name)
    title = (chosen or SUFFIXES.get(path.suffix.removeprefix(".").lower(), "")).upper()
    if title not in FORMATS:
        words = {"file": name, "formats": ", ".join(sorted(set(SUFFIXES.values())))}
        raise CommandError(_("The format of %(file)s is not known. Give --format: %(formats)s.") % words)
    piped = str(name) == "-"
    if not piped and not path.is_file():
        raise CommandError(_("There is no file %(file)s.") % {"file": name})
    return FORMATS[title](encoding).create_dataset(sys.stdin.buffer.read() if piped else path)
