"""What the queue runs."""

from backoffice.kit.jobs.models import Job
from backoffice.kit.jobs.service import work_here


def work(pk: str) -> None:
    """Do the job, if nobody did."""
    job = Job.objects.filter(pk=pk).select_related("user").first()
    if job is not None:
        work_here(job)
