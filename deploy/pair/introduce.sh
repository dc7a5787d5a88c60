#!/bin/sh
# Make the account of the other node here, and the target that leads to it: introduce.sh OTHER
set -eu
PEER_PASSWORD=$(cat /srv/var/secrets/sync/password)
export PEER_PASSWORD
python manage.py ensure_client "$1" --password-env PEER_PASSWORD --permissions syncer.push_as_peer \
    orders.reopen_order orders.view_order orders.add_order orders.change_order orders.delete_order
python manage.py sync_configure "/srv/$1.toml"
