"""An import: a file, what was found in it, and how far it is. A row of the file is no row of the database."""

from typing import Any
from uuid import uuid4

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from backoffice.kit import clock
from backoffice.kit.context import REASON_LENGTH
from backoffice.kit.jobs.models import Job


class ImportQuerySet(models.QuerySet["Import"]):
    def visible_to(self, user: Any) -> "ImportQuerySet":
        """Return all imports if `user` may view imports, otherwise those that `user` made."""
        return self if user.has_perm("content.view_import") else self.filter(user=user)


class Import(models.Model):
    """An import of a file, or of rows that the program made.

    It is read and judged as a whole (`reading`), waits for a person (`ready`), and is then written in slices
    (`writing`). Each slice moves `written_to` in its own transaction, so that it goes on there after any end.
    """

    class State(models.TextChoices):
        READING = "reading", _("Being read")
        READY = "ready", _("Waits for you")
        WRITING = "writing", _("Being written")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")
        UNDONE = "undone", _("Undone")

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    file_name = models.CharField(max_length=256, help_text=_("What the person's file is called."))
    sha256 = models.CharField(
        max_length=64, blank=True, help_text=_("The digest of the file, by which it is known again.")
    )
    upload = models.CharField(max_length=32, blank=True, help_text=_("The name under which the file waits, for a day."))
    problems_file = models.CharField(max_length=32, help_text=_("The name of the file that lists all problems."))
    model = models.CharField(max_length=128, help_text=_("The model whose objects are imported, such as news.Post."))
    resource = models.PositiveSmallIntegerField(default=0, help_text=_("The index of the resource in the admin."))
    kind = models.CharField(max_length=16, help_text=_("The format of the file."))
    reason = models.CharField(max_length=REASON_LENGTH, help_text=_("The reason of its changes, in their history."))
    # Deleted with the account: without a user it would count as the program's, which may do everything.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
        help_text=_("Who imports; it may write what they may. Empty: the program itself."),
    )
    job = models.ForeignKey(
        Job, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", help_text=_("The job that does it.")
    )
    undoes = models.OneToOneField(
        "self",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="undone_by",
        help_text=_("The import that this one undoes."),
    )
    state = models.CharField(max_length=9, choices=State, default=State.READING, help_text=_("How far it is."))
    error = models.TextField(blank=True, help_text=_("Why all of it failed. Empty: it did not."))
    is_confirmed = models.BooleanField(default=False, help_text=_("It is written as soon as it was read."))
    is_strict = models.BooleanField(
        default=False, help_text=_("An object that somebody changed since is left alone, even in other fields.")
    )
    is_edit = models.BooleanField(
        default=False, help_text=_("The program made its rows, as of a bulk edit or an undo; there is no file.")
    )
    columns = models.JSONField(
        default=dict, help_text=_('The column of each heading: {"Title": "title"}. Empty: left out.')
    )
    headings = models.JSONField(default=list, help_text=_("The headings of the file."))
    found = models.CharField(max_length=512, blank=True, help_text=_("What was detected in the file."))
    moment = models.TextField(blank=True, help_text=_("When the file was judged, as the history tells it."))
    counts = models.JSONField(default=dict, help_text=_('The rows of each kind: {"new": 1, "wrong": 2}.'))
    rows = models.JSONField(default=list, encoder=DjangoJSONEncoder, help_text=_("The first rows, for the page."))
    requests = models.JSONField(default=list, help_text=_("The remote requests that it will cause."))
    exchanged = models.JSONField(
        default=list, help_text=_("The numbers of the rows that pass on unique values, which are written first.")
    )
    is_exchanged = models.BooleanField(default=False, help_text=_("The rows that pass on values are written."))
    written_to = models.PositiveIntegerField(default=0, help_text=_("The number of the last row that was dealt with."))
    written = models.JSONField(default=dict, help_text=_('What was written: {"new": 1, "changed": 2, "failed": 1}.'))
    history_from = models.BigIntegerField(null=True, help_text=_("The newest history row before it wrote."))
    history_to = models.BigIntegerField(null=True, help_text=_("The newest history row after its last slice."))
    undone_to = models.BigIntegerField(default=0, help_text=_("The last history row whose object was deleted again."))
    created_at = models.DateTimeField(default=clock.now, help_text=_("When the file was uploaded."))
    finished_at = models.DateTimeField(null=True, blank=True, help_text=_("When it ended."))

    objects = ImportQuerySet.as_manager()

    class Meta:
        app_label = "content"
        ordering = ["-created_at", "-pk"]
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["reading", "ready", "writing"], finished_at=None)
                | Q(state__in=["done", "failed", "cancelled", "undone"], finished_at__isnull=False),
                name="content_import_ended",
                violation_error_message=_("An import has a time of its end exactly when it ended."),
            ),
        ]
        indexes = [
            models.Index(F("user"), F("created_at").desc(), F("id").desc(), name="content_import_own"),
            models.Index(F("created_at").desc(), F("id").desc(), name="content_import_newest"),
            models.Index(fields=["model", "sha256"], name="content_import_same"),
            models.Index(fields=["finished_at"], name="content_import_finished"),
        ]

    def __str__(self) -> str:
        return self.file_name

    def get_absolute_url(self) -> str:
        return reverse("admin:content_import_change", args=[self.pk])

    @property
    def is_open(self) -> bool:
        """Whether a job is at work on it."""
        return self.state in (self.State.READING, self.State.WRITING)

    @property
    def is_stuck(self) -> bool:
        """Whether a job should be at work on it and none is."""
        if not self.is_open or (self.job and self.job.is_open):
            return False
        # The job may have ended well after this object was read.
        return Import.objects.filter(pk=self.pk, state=self.state, job=self.job_id).exists()

    @property
    def has_written(self) -> bool:
        """Whether it added or changed an object."""
        return any(self.written.get(kind) for kind in ("new", "changed"))

    @property
    def can_be_undone(self) -> bool:
        """Whether it wrote something, and may be undone now."""
        has_ended = self.state in (self.State.DONE, self.State.CANCELLED, self.State.FAILED)
        return self.has_written and has_ended and self.undoes_id is None and not hasattr(self, "undone_by")

    @property
    def failed(self) -> int:
        """The number of rows that were not written, or won't be."""
        judged: int = sum(self.counts.get(kind, 0) for kind in ("wrong", "conflict"))
        return judged + int(self.written.get("failed", 0))

    @property
    def request_id(self) -> str:
        """The request that its history rows name, by which an undo finds them."""
        return f"import-{self.pk.hex}"
