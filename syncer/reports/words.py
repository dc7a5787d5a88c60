"""The engine's words as pages show them, each with its meaning in one line."""

from collections.abc import Iterable
from datetime import timedelta

from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from backoffice.kit.labels import translated
from syncer.core.state import Health, Question, State
from syncer.models.route import CHANGE, EVERY, MANUAL

WORDS: dict[str, Promise] = {
    "target": _("A remote system that follows what is edited here."),
    "route": _("What carries one kind of content to one target: where to, which fields, and when."),
    "binding": _("What ties one object to its record at one target: what is wanted, and what the target accepted."),
    "mark": _("How far a route has read the history of changes."),
    "run": _("One sync of one target: who started it, how far it is, how it ended."),
    "attempt": _("One request to a target, and its answer."),
    "there": _("Objects that have a record at the target."),
    "requests": _("Requests to the target, including lookups."),
    "push": _("The peer is sent what was edited here."),
    "pushed": _("Objects whose latest edits the peer has received."),
    "failed": _("The last request for it was not a success."),
    "preview": _("What a sync would send now. Looking sends nothing."),
    "alert": _(
        "What operators are notified of: once when a target becomes unhealthy or deletes wait, once when it is "
        "healthy again."
    ),
    "unhealthy": _("The target was blocked or unreachable, or asked for a long wait."),
    "healthy again": _("The target answered as it should."),
    "deletes wait": _("A run would delete so many records that a person is asked first."),
    "to be sent": _("It has not lasted long enough yet, or the next try waits."),
    "looks wrong": _("It will not work so, or not as you may think."),
    "note": _("Worth knowing; nothing has to be done."),
    "fine": _("As it should be."),
    "differs": _("Both have the field, with different values."),
    "notified": _("Every channel that is set up took it: the mail server, the webhook, or both."),
    "cleared before anybody was notified": _("It was over so soon that nobody was notified."),
    "no channel is set up": _("Neither e-mail nor webhook is set up; the worker's log has it."),
    "given up": _("It was tried for half a day; its page says what failed."),
    MANUAL: _("Changes wait until somebody presses Sync now."),
    CHANGE: _("Each change is sent at once."),
    Health.HEALTHY: _("What is due is sent, and nothing waits for a person."),
    Health.NEEDS_PERSON: _("Objects were rejected, or wait for a person's decision."),
    Health.NO_WORKER: _("No worker is running that could send what is due: start “manage.py worker”."),
    Health.NOT_CONTACTED: _("Nothing was sent to it yet."),
    Health.BLOCKED: _("A setting is wrong, and nothing is sent until a person has put it right."),
    Health.UNREACHABLE: _("Several requests in a row failed. One at a time is tried, until one is answered."),
    Health.RATE_LIMITED: _("The target asked us to wait."),
    Health.PAUSED: _("A person paused it; changes are kept."),
    State.IN_SYNC: _("The target accepted what we hold."),
    State.PENDING: _("It changed, or waits for another object; the next sync handles it."),
    State.SENDING: _("A worker is sending it now."),
    State.RETRYING: _("The last try failed; it is still pending, and retried automatically."),
    State.REJECTED: _(
        "The target refused it for good, or its route can't write it. An edit, or a retry, sends it again."
    ),
    State.IN_DOUBT: _("The target may or may not have its record, and only a person can find out."),
    State.ON_HOLD: _("A person put it on hold."),
    State.CONFLICT: _("Both ends edited it, and a person has to decide which edit stays."),
    State.NOT_SYNCED: _("It should not be at this target, and is not there."),
}

# What a delivery does, what it did in the counts of a run, and which end is meant; none needs a meaning.
PLAIN = ("create", "replay", "update", "delete", "lookup", "created", "updated", "deleted", "here")
TRIGGERS: dict[str, Promise] = {MANUAL: _("by hand"), CHANGE: _("at each change")}
LABELS: dict[str, Promise] = {
    **{word: translated("syncer", str(word)) for word in (*WORDS, *PLAIN, *Question) if word not in TRIGGERS},
    **TRIGGERS,
}


def label(word: str) -> str:
    """Return one of the engine's words in the reader's language; an unknown word as it is."""
    return str(LABELS.get(word, word))


def meaning(word: str) -> str:
    """Return the word's meaning in one line; empty for an unknown word."""
    return str(WORDS.get(word, ""))


def legend(words: Iterable[str]) -> list[tuple[str, str]]:
    """Return `[(label, meaning), …]`, each word once."""
    return [(label(word), meaning(word)) for word in dict.fromkeys(map(str, words))]


def trigger(text: str) -> str:
    """Return when a route syncs, as people read it: `manual`, `change`, or an interval."""
    if not (interval := EVERY.fullmatch(text)):
        return label(text)
    number = int(interval[1] or 1)
    texts = {
        "second": ngettext("every second", "every %(number)d seconds", number),
        "minute": ngettext("every minute", "every %(number)d minutes", number),
        "hour": ngettext("every hour", "every %(number)d hours", number),
        "day": ngettext("every day", "every %(number)d days", number),
    }
    return texts[interval[2]] % {"number": number}


def spelled(length: timedelta) -> str:
    """Return a length of time in its two largest units: `4 s`, `3 min 20 s`, `2 h 5 min`."""
    minutes, seconds = divmod(round(length.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    values = {"hours": hours, "minutes": minutes, "seconds": seconds}
    if hours:
        return gettext("%(hours)s h %(minutes)s min") % values
    return gettext("%(minutes)s min %(seconds)s s") % values if minutes else gettext("%(seconds)s s") % values
