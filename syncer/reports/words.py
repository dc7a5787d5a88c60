"""The engine's words as pages show them, each with its meaning in one line."""

from collections.abc import Iterable
from datetime import timedelta

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from syncer.core.state import Health, State
from syncer.models.route import CHANGE, MANUAL

WORDS: dict[str, str | Promise] = {
    "target": "A remote system that follows what is edited here.",
    "route": "What carries one kind of content to one target: where to, which fields, and when.",
    "binding": "What ties one object to its record at one target: what is wanted, and what the target accepted.",
    "mark": "How far a route has read the history of changes.",
    "run": "One sync of one target: who started it, how far it is, how it ended.",
    "attempt": "One request to a target, and its answer.",
    "there": "Objects that have a record at the target.",
    "requests": "Requests to the target, including lookups.",
    "push": "The peer is sent what was edited here.",
    "pushed": "Objects whose latest edits the peer has received.",
    "failed": "The last request for it was not a success.",
    "preview": "What a sync would send now. Looking sends nothing.",
    "alert": "What operators are notified of: once when a target becomes unhealthy or deletes wait, once when it is "
    "healthy again.",
    "unhealthy": "The target was blocked or unreachable, or asked for a long wait.",
    "healthy again": "The target answered as it should.",
    "deletes wait": "A run would delete so many records that a person is asked first.",
    "to be sent": "It has not lasted long enough yet, or the next try waits.",
    "looks wrong": "It will not work so, or not as you may think.",
    "note": "Worth knowing; nothing has to be done.",
    "fine": "As it should be.",
    "differs": "Both have the field, with different values.",
    "notified": "Every channel that is set up took it: the mail server, the webhook, or both.",
    "cleared before anybody was notified": "It was over so soon that nobody was notified.",
    "no channel is set up": "Neither e-mail nor webhook is set up; the worker's log has it.",
    "given up": "It was tried for half a day; its page says what failed.",
    MANUAL: "Changes wait until somebody presses Sync now.",
    CHANGE: "Each change is sent at once.",
    Health.HEALTHY: "What is due is sent, and nothing waits for a person.",
    Health.NEEDS_PERSON: _("Objects were rejected or put on hold, or wait for a person's decision."),
    Health.NO_WORKER: _("No worker is running that could send what is due: start “manage.py worker”."),
    Health.NOT_CONTACTED: _("Nothing was sent to it yet."),
    Health.BLOCKED: "A setting is wrong, and nothing is sent until a person has put it right.",
    Health.UNREACHABLE: "Several requests in a row failed. One at a time is tried, until one is answered.",
    Health.RATE_LIMITED: "The target asked us to wait.",
    Health.PAUSED: "A person paused it; changes are kept.",
    State.IN_SYNC: "The target accepted what we hold.",
    State.PENDING: "It changed, or waits for another object; the next sync handles it.",
    State.SENDING: "A worker is sending it now.",
    State.RETRYING: "The last try failed; it is still pending, and retried automatically.",
    State.REJECTED: "The target refused it for good, or its route can't write it. An edit, or a retry, sends it again.",
    State.IN_DOUBT: "The target may or may not have its record, and only a person can find out.",
    State.ON_HOLD: "A person put it on hold.",
    State.CONFLICT: "Both ends edited it, and a person has to decide which edit stays.",
    State.NOT_SYNCED: "It should not be at this target, and is not there.",
}


def meaning(word: str) -> str:
    """Return the word's meaning in one line; empty for an unknown word."""
    return str(WORDS.get(word, ""))


def legend(words: Iterable[str]) -> list[tuple[str, str]]:
    """Return `[(word, meaning), …]`, each word once."""
    return [(word, meaning(word)) for word in dict.fromkeys(map(str, words))]


def spelled(length: timedelta) -> str:
    """Return a length of time in its two largest units: `4 s`, `3 min 20 s`, `2 h 5 min`."""
    minutes, seconds = divmod(round(length.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    values = {"hours": hours, "minutes": minutes, "seconds": seconds}
    if hours:
        return gettext("%(hours)s h %(minutes)s min") % values
    return gettext("%(minutes)s min %(seconds)s s") % values if minutes else gettext("%(seconds)s s") % values
