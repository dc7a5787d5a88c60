"""Items, which records of an external API enrich."""

import re

from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from content.base.fields import (
    FieldCheck,
    json_object_constraint,
    length_constraint,
    optional_text_field,
    order_indexes,
    text_constraint,
    text_field,
)
from content.base.models import ContentModel
from content.tasks.records import check_record

# A segment of a URL's path: no slash, and neither "." nor "..". Both databases read `\A` and `\Z` as Python does.
EXTERNAL_ID = r"\A([A-Za-z0-9][A-Za-z0-9._~:-]*)?\Z"


class ExternalIdValidator(RegexValidator):
    """The validator of an external id; `json_schema` goes into the description of the API."""

    json_schema = {"pattern": "^([A-Za-z0-9][A-Za-z0-9._~:-]*)?$"}

    def __init__(self) -> None:
        message = _("Use letters, digits and . _ ~ : - only, a letter or a digit first.")
        super().__init__(re.compile(EXTERNAL_ID, re.ASCII), message)

    def deconstruct(self) -> tuple[str, list[object], dict[str, object]]:
        return "content.tasks.models.ExternalIdValidator", [], {}


class Item(ContentModel):
    """One task. The external API's data has a field of its own, so that neither overwrites the other."""

    searched = ("title", "description")

    title = text_field(256, help_text="One line, at most 256 characters.")
    description = optional_text_field(4096, help_text="What is to be done, at most 4096 characters.")
    external_id = optional_text_field(
        64,
        ExternalIdValidator(),
        verbose_name="external id",
        help_text="The record's id at the external API. Empty: the item's own number.",
    )
    external_data = models.JSONField(
        "external data",
        default=dict,
        blank=True,
        editable=False,
        validators=[check_record],
        help_text="What the external API sent, field by field.",
    )
    external_fetched_at = models.DateTimeField(
        "fetched at", null=True, editable=False, help_text="When it last sent something."
    )
    summary = optional_text_field(2048, editable=False, help_text="A short summary of the item and its external data.")
    summary_source = optional_text_field(
        256, verbose_name="summary made by", editable=False, help_text="What made the summary."
    )
    # Not `auto_now_add`: an item that comes back from its history was not created again.
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta(ContentModel.Meta):
        abstract = False
        indexes = order_indexes("tasks_item", "title", "created_at", "updated_at")
        constraints = [
            text_constraint("title", 256),
            length_constraint("description", 4096),
            length_constraint("external_id", 64),
            FieldCheck(
                field="external_id",
                holds=lambda value: isinstance(value, str) and bool(re.search(EXTERNAL_ID, value)),
                name="%(app_label)s_%(class)s_external_id_form",
                condition=models.Q(external_id__regex=EXTERNAL_ID),
                violation_error_message=_("external_id may hold letters, digits and . _ ~ : - only."),
            ),
            json_object_constraint("external_data"),
            length_constraint("summary", 2048),
            length_constraint("summary_source", 256),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def record_id(self) -> str:
        """The id of the item's record at the external API."""
        return self.external_id or str(self.pk)
