# Four images: the program, its proxy, the connection pool of deploy/scale.yml, and what makes backups. Exact releases on named Debians;
# Dependabot proposes the next.
FROM python:3.13.14-slim-trixie AS packages
COPY tools/install.sh requirements/observability.txt /tmp/
RUN python -m venv /venv \
    && sh /tmp/install.sh /venv/bin/python -r /tmp/observability.txt --no-cache-dir \
    && /venv/bin/python -m pip check

FROM python:3.13.14-slim-trixie AS base
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 BACKOFFICE_VAR=/srv/var
RUN groupadd --system --gid 10001 backoffice \
    && useradd --system --uid 10001 --gid 10001 --no-create-home --home-dir /srv --shell /usr/sbin/nologin backoffice
COPY --from=packages /venv /venv
WORKDIR /srv/backoffice
COPY manage.py ./
COPY backoffice backoffice
COPY content content
COPY syncer syncer
COPY deploy/healthcheck.py deploy/keys.py deploy/
# The settings refuse to start without these two variables; they are not kept in the image. A new volume takes the owner
# of the folder that it is mounted over.
RUN SECRET_KEY=$(python -c "import secrets; print(secrets.token_urlsafe(50))") ALLOWED_HOSTS=build \
    python manage.py collectstatic --noinput --verbosity=0 \
    && python -m compileall -q backoffice content syncer \
    && mkdir -p /srv/var/uploads /srv/var/secrets/sync /run/keys /run/password /run/peer \
    && chown -R backoffice: /srv/var /run/keys /run/password /run/peer
# A number, so that Kubernetes can see that it is not root.
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=20s --start-period=120s --retries=3 CMD ["python", "deploy/healthcheck.py"]
CMD ["python", "-m", "backoffice.web", "--host", "0.0.0.0", "--port", "8000", "--workers", "2"]

# The proxy brings the static files of the same build.
FROM caddy:2.11.7-alpine AS proxy
COPY deploy/proxy/Caddyfile /etc/caddy/Caddyfile
COPY --from=base /srv/var/static /srv/static
RUN mkdir -p /data/caddy /config/caddy && chown -R 10001:10001 /data /config
USER 10001:10001
EXPOSE 80 443
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 \
    CMD ["wget", "--quiet", "--spider", "http://127.0.0.1:8090/"]

FROM debian:trixie-slim AS pool
RUN apt-get update \
    && apt-get install --yes --no-install-recommends pgbouncer=1.24.* \
    && rm -rf /var/lib/apt/lists/*
COPY deploy/scale/pgbouncer.ini deploy/scale/pool.sh /etc/pgbouncer/
USER 10001:10001
EXPOSE 6432
CMD ["sh", "/etc/pgbouncer/pool.sh"]

# What makes backups has PostgreSQL's own programs, of the server's release: from apt.postgresql.org, as Debian has older ones.
FROM base AS backup
ENV POSTGRES_PROGRAMS=/usr/lib/postgresql/18/bin
USER 0
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates postgresql-client-common \
    && /usr/share/postgresql-common/pgdg/apt.postgresql.org.sh -y \
    && apt-get install --yes --no-install-recommends postgresql-client-18 \
    && rm -rf /var/lib/apt/lists/*
USER 10001:10001

FROM base AS program
