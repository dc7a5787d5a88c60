"""What the queue runs."""

from uuid import UUID

from backoffice.kit.jobs.beat import beating
from backoffice.kit.jobs.models import Job
from backoffice.kit.jobs.service import work_here


def work(pk: str) -> None:
    """Do the job, if nobody did."""
    job = Job.objects.filter(pk=pk, state=Job.State.QUEUED).first()
    if job is None:
        return
    with beating(UUID(pk)):
        work_here(job)
