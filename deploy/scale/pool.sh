#!/bin/sh
# Start PgBouncer with the password that it asks of its clients, and gives the database.
set -eu
umask 077
printf '"backoffice" "%s"\n' "$(cat /run/password/database)" >/tmp/users.txt
exec pgbouncer /etc/pgbouncer/pgbouncer.ini
