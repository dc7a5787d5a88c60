"""The file that a job made, as a download."""

from django.http import FileResponse, Http404, HttpRequest, HttpResponseRedirect
from django.shortcuts import redirect

from backoffice.kit import waiting_files
from backoffice.kit.jobs.models import Job


def has_file_for(request: HttpRequest, job: Job) -> bool:
    """Return whether the job made a file that this user may download."""
    return bool(job.file) and Job.objects.readable_by(request.user).filter(pk=job.pk).exists()


def download(request: HttpRequest, job: Job) -> FileResponse:
    """Return the file to whoever may download it.

    Raises:
        Http404: there is none for this user, or its day is over.
    """
    if not has_file_for(request, job):
        raise Http404
    return _response(job)


def file_or_page(job: Job) -> FileResponse | HttpResponseRedirect:
    """Return the file that the request's own job has made already, else redirect to the page of the job."""
    return _response(job) if job.state == Job.State.DONE else redirect("admin:jobs_job_change", job.pk)


def _response(job: Job) -> FileResponse:
    try:
        file = waiting_files.path(job.file).open("rb")
    except FileNotFoundError as error:
        raise Http404 from error
    headers = {"Cache-Control": "no-store"}
    return FileResponse(file, as_attachment=True, filename=job.file_name, content_type=job.file_type, headers=headers)
