# ruff: noqa: N999 - the command's name
from importlib import import_module
from pathlib import Path
from typing import Any

from django.contrib import admin
from django.core.management.base import CommandError
from import_export.command_utils import get_resource_class

from content.base.files import FORMATS
from content.base.management.refusal import refuse_bookkeeping
from content.base.models import ContentModel
from content.base.resource import ContentResource
from content.base.tables import FileError

Replaced: Any = import_module("import_export.management.commands.import").Command  # `import` is a keyword


class Command(Replaced):  # type: ignore[misc]
    """django-import-export's command. It reads content as the admin does, and refuses the program's own bookkeeping."""

    def handle(self, *args: Any, **options: Any) -> None:
        rules = get_resource_class(options["resource"])
        model = rules._meta.model
        refuse_bookkeeping(model)
        if issubclass(model, ContentModel) and not issubclass(rules, ContentResource):  # the model itself was named
            pages: Any = admin.site.get_model_admin(model)
            rules = pages.resource_classes[0]
            options["resource"] = f"{rules.__module__}.{rules.__qualname__}"
        kind = FORMATS.get(Path(options["import_file_name"]).suffix.removeprefix(".").upper())
        if issubclass(rules, ContentResource) and kind and not (options["format"] or options["encoding"]):
            options["format"] = f"{kind.__module__}.{kind.__qualname__}"
        try:
            super().handle(*args, **options)
        except FileError as error:
            raise CommandError(str(error)) from error
