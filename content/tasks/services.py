"""What is done to an item with the help of others. They are asked outside of every transaction; what comes is written
in one, with the row locked, and only the columns that it is about: an edit that was made meanwhile stays."""

from django.db import transaction
from django.utils import timezone

from backoffice.kit import context
from backoffice.kit.api.problems import ProblemError
from content.tasks import external, summaries
from content.tasks.models import Item


def enrich(item: Item) -> Item:
    """Fetch the item's external record and merge it into `external_data`: its fields replace those of the same name.

    Returns the item as it is stored then.

    Raises:
        InvalidError: the external API has no such record.
        UpstreamError: it did not give the record.
        ProblemError: 404 or 409, the item was deleted, or names another record, since.
    """
    name = item.record_id
    found = external.record(name)
    with transaction.atomic():
        stored = _locked(item)
        if stored.record_id != name:
            raise ProblemError(409, f"The item names the record {stored.record_id} now, not {name}; ask again.")
        stored.external_data = {**stored.external_data, **found}
        external.check(stored.external_data)
        stored.external_fetched_at = timezone.now()
        _save(stored, "Enriched from the external API", "external_data", "external_fetched_at")
    return stored


def summarize(item: Item) -> Item:
    """Give the item a summary; says what made it. Returns the item as it is stored then.

    Raises:
        UpstreamError: the summarizer that is set up did not give one.
        ProblemError: 404, the item was deleted since.
    """
    made = summaries.summarize(item)
    with transaction.atomic():
        stored = _locked(item)
        stored.summary, stored.summary_source = made.text, made.source
        _save(stored, f"Summarized by {made.source}"[:100], "summary", "summary_source")
    return stored


def _locked(item: Item) -> Item:
    stored: Item | None = Item.objects.select_for_update(of=("self",)).filter(pk=item.pk).first()
    if stored is None:
        raise ProblemError(404, f"There is no item {item.pk}.")
    return stored


def _save(item: Item, reason: str, *fields: str) -> None:
    with context.because(context.cause().reason or reason):
        item.save_fields(fields)
