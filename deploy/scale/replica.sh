#!/bin/sh
# Start a standby that streams from `db`; a copy of it first, where there is none yet.
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    PGPASSWORD=$(cat /run/password/database)
    export PGPASSWORD
    rm -rf "$PGDATA" # of a copy that was interrupted
    pg_basebackup --host=db --username=backoffice --pgdata="$PGDATA" --checkpoint=fast --wal-method=stream --write-recovery-conf
fi
exec docker-entrypoint.sh postgres -c hot_standby_feedback=on
