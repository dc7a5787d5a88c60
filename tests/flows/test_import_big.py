"""A big file beside people at work: 100,000 rows, 1 % of them wrong, with a real worker."""

import csv
import io
import re
import time
from pathlib import Path

import pytest
from django.urls import reverse

from content.base.imports.model import Import
from content.news.models import Post
from tests.content.files import act, preview
from tests.content.pages import administrator
from tests.flows.wait import until
from tests.flows.worker import Worker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.law]

ROWS, BAD = 100_000, 1_000
PATIENCE = 2  # seconds that another person waits at most
GROWTH = (
    100_000  # kilobytes that a worker's memory grows at most; the file's rows as objects would take several times that
)


def file_with_bad_rows() -> str:
    out = io.StringIO(newline="")
    rows = csv.writer(out)
    rows.writerow(["title", "body"])
    every = ROWS // BAD
    rows.writerows([f"T{number}", "" if number % every == 0 else "B" * 40] for number in range(ROWS))
    return out.getvalue()


def peak_memory(worker: Worker) -> int:
    """The most memory that one of the worker's processes had, in kilobytes."""
    peaks = [0]
    for pid in worker.processes():
        status = Path(f"/proc/{pid}/status")
        if status.exists() and (found := re.search(r"^VmHWM:\s+(\d+)", status.read_text(), re.MULTILINE)):
            peaks.append(int(found[1]))
    return max(peaks)


def longest_save(record: Import, states: tuple[str, ...]) -> float:
    """Save a post again and again until the import is in one of these states; return the longest time it took."""
    post = Post.objects.get(title="Mine")
    longest, number = 0.0, 0

    def saved_meanwhile() -> bool:
        nonlocal longest, number
        number += 1
        began = time.monotonic()
        post.body = f"Version {number}"
        post.save()
        longest = max(longest, time.monotonic() - began)
        record.refresh_from_db()
        assert not record.is_stuck, record.job and record.job.error
        return record.state in states

    until(saved_meanwhile)
    return longest


def test_a_big_file_is_imported_while_others_save(record_testsuite_property):
    client = administrator()
    Post.objects.create(title="Mine", body="B")
    with Worker() as worker:
        page = preview(client, Post, file_with_bad_rows())
        record = page.context["record"]
        before, began = peak_memory(worker), time.monotonic()
        waits = [longest_save(record, ("ready", "failed"))]
        read = time.monotonic() - began
        assert record.counts == {"new": ROWS - BAD, "changed": 0, "unchanged": 0, "conflict": 0, "wrong": BAD}
        act(client, record, "confirm", rows="right")
        waits.append(longest_save(record, ("done", "failed")))
        memory = peak_memory(worker) - before
        seconds = f"read {read:.1f}, all {time.monotonic() - began:.1f}, longest save {max(waits):.2f}"
        record_testsuite_property("seconds of a big import", seconds)
        record_testsuite_property("memory of a big import", f"{memory} kB")
        answer = client.post(reverse("admin:content_import_failed", args=[record.pk]), follow=True)
        job = answer.context["job"]
        until(lambda: type(job).objects.get(pk=job.pk).finished_at)
        job.refresh_from_db()
        failed = client.get(reverse("admin:jobs_job_file", args=[job.pk])).getvalue().decode("utf-8-sig")
    assert record.written == {"new": ROWS - BAD, "changed": 0, "unchanged": 0, "failed": 0}
    assert Post.objects.exclude(title="Mine").count() == ROWS - BAD
    assert [row["title"] for row in csv.DictReader(io.StringIO(failed))] == [
        f"T{n}" for n in range(0, ROWS, ROWS // BAD)
    ]
    assert max(waits) < PATIENCE
    assert memory < GROWTH
