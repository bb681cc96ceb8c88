#!/bin/bash
# Makes, when the database server starts for the first time, one database for each service, and one for the accounts of
# staff, which that service alone can reach.
set -euo pipefail

for service in intake matching billing notifications evaluation console accounts; do
    password="${service^^}_PASSWORD"
    psql --username postgres --set=ON_ERROR_STOP=1 --set=name="$service" --set=password="${!password}" <<'SQL'
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name";
REVOKE CONNECT ON DATABASE :"name" FROM PUBLIC;
SQL
done
