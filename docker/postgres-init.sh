#!/bin/sh
# Run once by PostgreSQL's superuser, who is nobody's login in Balint: roles, passwords, database.
set -eu
here=${BALINT_SQL:-/balint}

psql -X -q -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d postgres -f "$here/roles.sql"
psql -X -q -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d postgres \
    -v owner="$BALINT_OWNER_PASSWORD" -v app="$BALINT_APP_PASSWORD" \
    -v worker="$BALINT_WORKER_PASSWORD" -v backup="$BALINT_BACKUP_PASSWORD" <<'SQL'
alter role balint_owner password :'owner';
alter role balint_app password :'app';
alter role balint_worker password :'worker';
alter role balint_backup password :'backup';
create database balint owner balint_owner;
SQL
psql -X -q -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d balint -f "$here/roles-in-database.sql"
