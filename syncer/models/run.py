from datetime import timedelta

from django.db import models
from django.db.models import Count, Max, Q

from backoffice.kit import clock, lease
from backoffice.kit.phrase_field import PhraseField
from syncer.models.binding import Binding
from syncer.targets.base import kind_of


class Run(models.Model):
    """One sync of one target: its user and trigger, its progress and its outcome."""

    class Trigger(models.TextChoices):
        MANUAL = "manual", "Sync now"
        COMMAND = "command", "Command"
        CHANGE = "change", "Change"
        SCHEDULE = "schedule", "Schedule"
        RETRY = "retry", "Next try"

    class State(models.TextChoices):
        QUEUED = "queued", "Waiting for a worker"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Not all was delivered"
        CANCELLED = "cancelled", "Cancelled"

    OPEN = (State.QUEUED, State.RUNNING)
    REQUESTED = (Trigger.MANUAL, Trigger.COMMAND)  # by a person; the others are automatic

    target = models.ForeignKey(
        "syncer.Target", on_delete=models.CASCADE, related_name="runs", help_text="The remote system."
    )
    trigger = models.CharField(max_length=16, choices=Trigger, help_text="Why the run was started.")
    user = models.CharField(
        max_length=256,
        blank=True,
        help_text="The account that started the run, by its name: that stays when it is deleted. Empty: none did.",
    )
    scope = models.JSONField(
        null=True, blank=True, help_text='The chosen objects, {"news.Post": ["1", "2"]}. Empty: all pending objects.'
    )
    state = models.CharField(max_length=16, choices=State, default=State.QUEUED, help_text="The progress of the run.")
    total = models.PositiveIntegerField(default=0, help_text="Objects that were due when the run began.")
    counts = models.JSONField(
        default=dict, help_text="What became of the objects, counted from the attempts when the run ended."
    )
    message = PhraseField(blank=True, help_text="How the run ended, in one sentence.")
    created_at = models.DateTimeField(auto_now_add=True, help_text="When the run was requested.")
    cancelled_at = models.DateTimeField(
        null=True, blank=True, help_text="When a person cancelled the run: it ends once what is under way is answered."
    )
    cancelled_by = models.CharField(max_length=256, blank=True, help_text="The account that cancelled the run.")
    started_at = models.DateTimeField(null=True, blank=True, help_text="When a worker started the run.")
    lease_until = models.DateTimeField(
        default=lease.ends, help_text="The worker, or the queued task, holds the run until then."
    )
    finished_at = models.DateTimeField(null=True, blank=True, help_text="When the run ended.")

    class Meta:
        ordering = ["-pk"]
        constraints = [
            # However many objects are saved, one run per target waits.
            models.UniqueConstraint(
                fields=["target"], condition=Q(state="queued", scope__isnull=True), name="syncer_run_waiting"
            )
        ]
        indexes = [
            models.Index(
                fields=["state", "lease_until"], condition=Q(state__in=["queued", "running"]), name="syncer_run_open"
            )
        ]

    def __str__(self) -> str:
        return f"{self.target}, {self.created_at:%Y-%m-%d %H:%M:%S}"

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN

    @property
    def duration(self) -> timedelta | None:
        """The time since a worker started the run, until it ended; None: no worker has."""
        return None if self.started_at is None else (self.finished_at or clock.now()) - self.started_at

    def counts_now(self) -> dict[str, int]:
        """Count the attempts: `{"created": 1, "updated": 0, "deleted": 0, "requests": 2, "failed": 1, "left": 1}`.

        The target's kind names the first counts. `failed` counts the `failures`; `left` counts the objects that are
        still due, with or without an exchange.
        """
        kind = kind_of(self.target)
        done, has_failed = dict.fromkeys(kind.done.values(), 0), False
        for action, outcome, number in self.attempts.values_list("action", "outcome").annotate(Count("pk")).order_by():
            has_failed |= outcome not in Attempt.WELL
            if action in kind.done and outcome in Attempt.DELIVERED:
                done[kind.done[action]] += number
        failed = self.failures().count() if has_failed else 0
        left = Binding.objects.left(self.target, self.scope).count()
        return done | {"requests": kind.requests(self), "failed": failed, "left": left}

    def failures(self) -> "models.QuerySet[Attempt]":
        """Return each object's last exchange in this run, evidence apart, where it failed; newest first."""
        tried = self.attempts.exclude(action=Attempt.Action.EVIDENCE)
        last = tried.values("binding").annotate(last=Max("pk")).values("last")
        return self.attempts.filter(pk__in=last).exclude(outcome__in=Attempt.WELL).select_related("binding__route")


class Attempt(models.Model):
    """One HTTP exchange of a delivery. Attempts may be pruned; nothing depends on them."""

    class Action(models.TextChoices):
        CREATE = "create", "Create"
        UPDATE = "update", "Update"
        DELETE = "delete", "Delete"
        REPLAY = "replay", "Create, sent again under its key"
        LOOKUP = "lookup", "Look up"
        PUSH = "push", "Push to a peer"
        EVIDENCE = "evidence", "Ask for evidence"

    class Outcome(models.TextChoices):
        DONE = "done", "Done"
        MADE = "made", "Created, without an id"
        GONE = "gone", "No such record any more"
        RETRYABLE = "retryable", "Try again later"
        UNKNOWN = "unknown", "Answer not known"
        PERMANENT = "permanent", "Refused"
        TAKEN = "taken", "There already"
        FORBIDDEN = "forbidden", "Not allowed"
        CONFIGURATION = "configuration", "A setting is wrong"

    DELIVERED = (Outcome.DONE, Outcome.MADE)
    WELL = (Outcome.DONE, Outcome.MADE, Outcome.TAKEN)  # what remains to be done is another attempt or a decision

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="attempts", help_text="The run of the attempt.")
    binding = models.ForeignKey(
        "syncer.Binding", on_delete=models.CASCADE, related_name="attempts", help_text="The object's binding."
    )
    at = models.DateTimeField(help_text="When the request left.")
    milliseconds = models.PositiveIntegerField(help_text="Time from the request to the end of the answer.")
    action = models.CharField(max_length=8, choices=Action, help_text="The purpose of the request.")
    outcome = models.CharField(max_length=16, choices=Outcome, help_text="The meaning of the answer.")
    method = models.CharField(max_length=8, help_text="HTTP method.")
    url = models.CharField("address", max_length=1024, help_text="The address of the request.")
    request = models.JSONField(null=True, blank=True, help_text="The body of the request.")
    status = models.PositiveSmallIntegerField(null=True, blank=True, help_text="HTTP status. Empty: no answer.")
    answer = PhraseField(blank=True, help_text="The beginning of the answer, or the error.")

    class Meta:
        ordering = ["-pk"]
        # With the meaning of each, so that those of an hour are counted without reading them.
        indexes = [models.Index(fields=["at", "action", "outcome"], name="syncer_attempt_at")]

    def __str__(self) -> str:
        return f"{self.method}, {self.at:%Y-%m-%d %H:%M:%S}"  # an address may hold content
