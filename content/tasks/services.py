"""Enrich and summarize items with the help of external services.

The services are called outside of any transaction. Their answer is written in a transaction with the row locked, and
only to its own columns, so an edit that was made meanwhile stays.
"""

from django.db import transaction
from django.utils import timezone

from backoffice.kit import context
from backoffice.kit.api.problems import ProblemError
from content.tasks import external, summaries
from content.tasks.models import Item


def enrich(item: Item) -> Item:
    """Merge the item's external record into `external_data`, by the names of its fields, and return the stored item.

    Raises:
        InvalidError: the external API has no such record.
        UpstreamError: the external API did not return the record.
        ProblemError: 404: the item was deleted meanwhile. 409: it names another record now.
    """
    name = item.record_id
    fetched = external.record(name)
    with transaction.atomic():
        stored = _locked(item)
        if stored.record_id != name:
            raise ProblemError(409, f"The item names the record {stored.record_id} now, not {name}; ask again.")
        stored.external_data = {**stored.external_data, **fetched}
        external.check(stored.external_data)
        stored.external_fetched_at = timezone.now()
        _save(stored, "Enriched from the external API", "external_data", "external_fetched_at")
    return stored


def summarize(item: Item) -> Item:
    """Write a summary of the item, and what made it, and return the stored item.

    Raises:
        UpstreamError: the configured summarizer did not return a summary.
        ProblemError: 404: the item was deleted meanwhile.
    """
    summary = summaries.summarize(item)
    with transaction.atomic():
        stored = _locked(item)
        stored.summary, stored.summary_source = summary.text, summary.source
        _save(stored, f"Summarized by {summary.source}"[:100], "summary", "summary_source")
    return stored


def _locked(item: Item) -> Item:
    stored: Item | None = Item.objects.select_for_update(of=("self",)).filter(pk=item.pk).first()
    if stored is None:
        raise ProblemError(404, f"There is no item {item.pk}.")
    return stored


def _save(item: Item, reason: str, *fields: str) -> None:
    with context.because(context.cause().reason or reason):
        item.save_fields(fields)
