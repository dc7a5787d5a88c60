"""Erase a client, and export all data about a client.

Erasing searches files first, because that takes long and SQLite has one writer. Then, in one transaction:
1. Read the client's texts, to find copies of them in other stores.
2. In messages and history, replace the client by a random id, the same in all rows, and the text by `[erased]`. Each
   message gets a new version by the user who erases. Two set-based updates, however many messages.
3. Erase the records that the engine sent of these messages, including those of deleted messages.
4. Search every store in `settings.ERASERS` for the client's id and texts.
5. Wake the routes that follow changes, so that the targets receive the erased messages.

Data that arrives after the commit, such as a message in flight, is not covered: erase the client again.
"""

import secrets
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, Max, Min
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from backoffice.kit.api.pagination import pages, stream
from backoffice.kit.api.responses import dumps
from backoffice.kit.audit.actions import Action
from backoffice.kit.audit.record import record as audit
from backoffice.kit.context import cause, caused_by
from backoffice.kit.erasers import files
from backoffice.kit.erasure import Words, erase_everywhere
from content.messaging import wire
from content.messaging.models import CLIENT_LENGTH, ERASED, ERASED_CLIENT, Erasure, Message
from syncer import public as sync

TIME = ("timestamp", "id")
History: Any = Message.history.model


def client_digest(client: str) -> str:
    """Return the digest by which an erasure's record can be matched to a client.

    It is keyed with the secret key, so that nobody else can test which client was erased.
    """
    return salted_hmac("messaging.client", client, algorithm="sha256").hexdigest()


def erase_client(*, client: str, user: Any, reason: str) -> Erasure:
    """Erase a client's id and texts from every store of this node, and return the record of it. Can be repeated.

    The `user` is None for a command; the reason may not hold the client's id.

    Raises:
        ValidationError: `client` or `reason` is not valid; the errors are by field.
    """
    check(client=client, reason=reason)
    before = Words(names=[client], texts=_texts(client))
    file_count = files(before)
    with transaction.atomic():
        words = Words(names=[client], texts=_texts(client), clean=before.clean)
        name = user.get_username() if user else ""
        record = Erasure(client_digest=client_digest(client), user=user, user_name=name, reason=reason)
        record.messages, counts = _erase_messages(client, record)
        # Adding counters drops their zeros.
        record.counts = dict(Counter(counts) + Counter(erase_everywhere(words)) + Counter(files=file_count))
        record.save()
        audit(Action.ERASED, record, actor=user)
    return record


def check(*, client: str, reason: str) -> None:
    """Refuse an erasure that could not be recorded.

    Raises:
        ValidationError: `client` or `reason` is not valid; the errors are by field.
    """
    if not client.strip() or len(client) > CLIENT_LENGTH or "\0" in client:
        raise ValidationError(
            {"client": _("Give the client's id, 1 to %(most)s characters.") % {"most": CLIENT_LENGTH}}
        )
    name = Words(names=[client], texts=())
    if name.are_in(reason) or name.are_in(cause().reason):
        raise ValidationError({"reason": _("The reason is kept, so it may not name the client.")})
    Erasure(client_digest=client_digest(client), reason=reason).full_clean()


def _texts(client: str) -> Iterator[str]:
    """Yield the distinct texts of the client's messages and their history."""
    models: tuple[Any, ...] = (Message, History)
    for model in models:
        yield from model.objects.filter(client=client).order_by().values_list("text", flat=True).distinct()


def _erase_messages(client: str, record: Erasure) -> tuple[int, dict[str, int]]:
    """Erase messages, history and sent records; return the number of messages, and the numbers of the others."""
    name = f"{ERASED_CLIENT}{secrets.token_hex(8)}"
    rows, past = Message.objects.filter(client=client), History.objects.filter(client=client)
    messages = versions = 0
    # A message that is committed between the two statements would be erased in one of the two tables only.
    while rows.exists() or past.exists():
        with caused_by(replace(cause(), user=lambda: record.user, reason=record.reason)):
            messages += rows.update(client=name, text=ERASED)
        versions += past.update(client=name, text=ERASED)
    keys = History.objects.filter(client=name).values("id")
    sent = sync.erase_objects(sync.Erased(model=Message, keys=keys, fields={"client", "text"}))
    return messages, {"versions": versions, "sent records": sent}


# --- all data about a client -----------------------------------------------------------------------------------------
def held_on(client: str) -> dict[str, Any]:
    """Return how much data about a client there is: `{"messages", "conversations", "first", "last"}`."""
    conversations, first, last = Count("conversation", distinct=True), Min("timestamp"), Max("timestamp")
    rows = Message.objects.filter(client=client)
    return rows.aggregate(messages=Count("pk"), conversations=conversations, first=first, last=last)


def export_client(client: str) -> Iterator[bytes]:
    """Return all data about a client as the parts of one JSON object, in constant memory.

    `{"client": "…", "messages": […], "history": […], "sent": […]}`: messages as the API returns them, history as
    `{"version", "at", "change", "message"}`, and `sent` with the records that the targets are known to hold.
    """
    audit(Action.EXPORTED, kind="client")
    return _parts(client)


def _parts(client: str) -> Iterator[bytes]:
    yield b'{"client":' + dumps(client)
    versions = History.objects.filter(client=client)
    parts = {
        "messages": map(wire.messages, pages(Message.objects.filter(client=client).values(*wire.COLUMNS), order=TIME)),
        "history": map(wire.versions, pages(versions.values(*wire.VERSION_COLUMNS), order=("id",))),
        "sent": sync.sent(Message, versions.values("id")),
    }
    for name, part in parts.items():
        yield b',"' + name.encode() + b'":'
        yield from stream(part)
    yield b"}"
