"""Erasing a client, and all that is held on one.

Erasing. Files are searched first, for that takes long and SQLite has one writer. Then, in one transaction:
1. The client's texts are read, so that copies of them are found in other stores.
2. Messages and history get one name that says nothing, the same for all of this client's, and the text `[erased]`;
   each message a new version by who erases. Set-based: two updates, however many messages.
3. What the engine sent of them is erased by the same rows, those of deleted messages included.
4. Every store that `settings.ERASERS` names is searched for the client's id and texts.
5. The routes that follow changes are woken, so the targets are sent what is left.

What comes after the commit, such as a message that was being sent here meanwhile, is not covered: erase again.
"""

import secrets
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, Max, Min
from django.utils.crypto import salted_hmac

from backoffice.kit.api.pagination import pages, stream
from backoffice.kit.api.responses import dumps
from backoffice.kit.context import cause, caused_by
from backoffice.kit.erasers import files
from backoffice.kit.erasure import Words, erase_everywhere
from content.messaging import wire
from content.messaging.models import CLIENT_LENGTH, ERASED, ERASED_CLIENT, Erasure, Message
from syncer import public as sync

TIME = ("timestamp", "id")
History: Any = Message.history.model


def client_digest(client: str) -> str:
    """Tells in the record of erasures whether it was this client; without the secret key nothing can be learned."""
    return salted_hmac("messaging.client", client, algorithm="sha256").hexdigest()


def erase_client(*, client: str, user: Any, reason: str) -> Erasure:
    """Erase a client, wherever the house holds their id or texts. Can be repeated.

    Args:
        user: who does it; None: a command.
        reason: why, without the client's id in it.

    Raises:
        ValidationError: by field, of `client` and `reason`.
    """
    check(client=client, reason=reason)
    before = Words(names=[client], texts=_texts(client))
    gone = files(before)
    with transaction.atomic():
        words = Words(names=[client], texts=_texts(client), clean=before.clean)
        record = Erasure(client_digest=client_digest(client), user=user, reason=reason)
        record.messages, counts = _erase_messages(client, record)
        record.counts = dict(Counter(counts) + Counter(erase_everywhere(words)) + Counter(files=gone))  # no zeros
        record.save()
    return record


def check(*, client: str, reason: str) -> None:
    """Refuse an erasure that could not be recorded.

    Raises:
        ValidationError: by field.
    """
    if not client.strip() or len(client) > CLIENT_LENGTH or "\0" in client:
        raise ValidationError({"client": f"Give the client's id, 1 to {CLIENT_LENGTH} characters."})
    named = Words(names=[client], texts=())
    if named.are_in(reason) or named.are_in(cause().reason):
        raise ValidationError({"reason": "The reason is kept, so it may not name the client."})
    Erasure(client_digest=client_digest(client), reason=reason).full_clean()


def _texts(client: str) -> Iterator[str]:
    models: tuple[Any, ...] = (Message, History)
    rows = (model.objects.filter(client=client).order_by() for model in models)
    return chain.from_iterable(found.values_list("text", flat=True).distinct() for found in rows)


def _erase_messages(client: str, record: Erasure) -> tuple[int, dict[str, int]]:
    name = f"{ERASED_CLIENT}{secrets.token_hex(8)}"
    rows, past = Message.objects.filter(client=client), History.objects.filter(client=client)
    messages = versions = 0
    # A message that is committed between the two statements would keep one half of itself.
    while rows.exists() or past.exists():
        with caused_by(replace(cause(), user=lambda: record.user, reason=record.reason)):
            messages += rows.update(client=name, text=ERASED)
        versions += past.update(client=name, text=ERASED)
    keys = History.objects.filter(client=name).values("id")
    sent = sync.erase_objects(sync.Erased(model=Message, keys=keys, fields={"client", "text"}))
    counts = {"versions": versions, "sent records": sent}
    return messages, counts


# --- all that is held on a client ------------------------------------------------------------------------------------


def held_on(client: str) -> dict[str, Any]:
    """How much that is: `{"messages", "conversations", "first", "last"}`."""
    rows = Message.objects.filter(client=client)
    return rows.aggregate(
        messages=Count("pk"),
        conversations=Count("conversation", distinct=True),
        first=Min("timestamp"),
        last=Max("timestamp"),
    )


def export_client(client: str) -> Iterator[bytes]:
    """All that is held on a client, as one JSON object, in constant memory.

    `{"client": "…", "messages": […], "history": […], "sent": […]}`: messages as the API gives them, history as
    `{"version", "at", "change", "message"}`, `sent` as what the targets are known to hold of the messages.
    """
    yield b'{"client":' + dumps(client)
    versions = History.objects.filter(client=client)
    parts = {
        "messages": map(wire.messages, pages(Message.objects.filter(client=client).values(*wire.COLUMNS), order=TIME)),
        "history": map(wire.versions, pages(versions.values(*wire.VERSION_COLUMNS), order=("id",))),
        "sent": sync.sent(Message, versions.values("id")),
    }
    for name, found in parts.items():
        yield b',"' + name.encode() + b'":'
        yield from stream(found)
    yield b"}"
