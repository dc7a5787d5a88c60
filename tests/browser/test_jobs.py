"""A job's page says by itself how the job ended."""

import pytest
from playwright.sync_api import expect

from backoffice.kit import clock
from backoffice.kit.jobs.models import Job

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_end_of_a_job_is_announced_after_its_page_was_loaded_again(page):
    job = Job.objects.create(title="Export posts", work="content.export", total=6)
    page.goto(f"/admin/jobs/job/{job.pk}/change/")
    status = page.locator("[role=status]#progress-ended")
    expect(status).to_have_text("")
    Job.objects.filter(pk=job.pk).update(state=Job.State.DONE, done=6, finished_at=clock.now(), started_at=clock.now())
    expect(status).to_have_text("Done.")
    expect(page.locator("#progress")).to_have_attribute("data-open", "no")
