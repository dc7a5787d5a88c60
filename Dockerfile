# An exact release of Python on a named Debian, the same in both lines; Dependabot proposes the next.
FROM python:3.13.14-slim-trixie AS packages
COPY tools/install.sh requirements/production.txt /tmp/
RUN python -m venv /venv \
    && sh /tmp/install.sh /venv/bin/python -r /tmp/production.txt --no-cache-dir \
    && /venv/bin/python -m pip check

FROM python:3.13.14-slim-trixie
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 BACKOFFICE_VAR=/srv/var
RUN groupadd --system --gid 10001 backoffice \
    && useradd --system --uid 10001 --gid 10001 --no-create-home --home-dir /srv --shell /usr/sbin/nologin backoffice
COPY --from=packages /venv /venv
WORKDIR /srv/backoffice
COPY manage.py ./
COPY backoffice backoffice
COPY content content
COPY syncer syncer
COPY deploy/healthcheck.py deploy/
# The settings refuse to start without these two variables; they are not kept in the image.
RUN SECRET_KEY=$(python -c "import secrets; print(secrets.token_urlsafe(50))") ALLOWED_HOSTS=build \
    python manage.py collectstatic --noinput --verbosity=0 \
    && python -m compileall -q backoffice content syncer \
    && mkdir -p /srv/var/uploads \
    && chown -R backoffice: /srv/var
# A number, so that Kubernetes can see that it is not root.
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["python", "deploy/healthcheck.py"]
CMD ["python", "-m", "backoffice.web", "--host", "0.0.0.0", "--port", "8000", "--workers", "2"]
