#!/bin/sh
# Makes the secrets that docker-compose.yml mounts, once: `sh deploy/docker/secrets.sh [DIRECTORY]`.
# What is there already is never touched, since the data of the servers were made with it.
set -eu
umask 077

random_hex() { od -An -v -N32 -tx1 /dev/urandom | tr -d ' \n'; }
random_base64() { head -c 32 /dev/urandom | base64 | tr -d '\n'; }

directory=${1:-"$(dirname "$0")/../../secrets"}
names="postgres_password postgres_role.sql redis_users.acl rabbitmq_user.conf
database_url redis_url amqp_url amqp_management_url token_keys cursor_secret api_key_pepper"

if [ -e "$directory" ]; then
    missing=
    for name in $names; do
        [ -s "$directory/$name" ] || missing="$missing $name"
    done
    # The one that is yours to fill in, and that may stay empty.
    if [ ! -e "$directory/instagram_app_secret" ]; then
        : >"$directory/instagram_app_secret"
        chmod 0444 "$directory/instagram_app_secret"
    fi
    # Directories made by earlier versions lack it. Grafana keeps no data that it opens, so a new one fits.
    if [ ! -s "$directory/grafana_admin_password" ]; then
        random_hex >"$directory/grafana_admin_password"
        chmod 0444 "$directory/grafana_admin_password"
        echo "secrets: made grafana_admin_password, which was missing. A Grafana that has run keeps its own password:" \
            "docker compose exec grafana grafana cli admin reset-admin-password NEW"
    fi
    if [ -n "$missing" ]; then
        echo "secrets: $directory is there, but these are missing in it:$missing" >&2
        echo "Restore them, or move the directory away to make all of them anew (the servers' volumes then too)." >&2
        exit 1
    fi
    echo "secrets: all are there, nothing changed"
    exit 0
fi

new="$directory.new.$$"
mkdir -p "$new"
trap 'rm -rf "$new"' EXIT
trap 'exit 1' INT TERM
put() { cat >"$new/$1"; }

postgres=$(random_hex)
redis=$(random_hex)
rabbitmq=$(random_hex)

# What the servers read. The system's own role owns its database and nothing else.
random_hex | put postgres_password
put postgres_role.sql <<END
CREATE ROLE instadistro LOGIN PASSWORD '$postgres';
CREATE DATABASE instadistro OWNER instadistro;
END
# Without a password one can ask whether Redis is alive, and no more.
put redis_users.acl <<END
user default on nopass -@all +ping
user instadistro on >$redis ~* &* +@all -@admin
END
put rabbitmq_user.conf <<END
default_user = instadistro
default_pass = $rabbitmq
END

# What the services read.
echo "postgresql://instadistro:$postgres@postgres:5432/instadistro" | put database_url
echo "redis://instadistro:$redis@redis:6379/0" | put redis_url
echo "amqp://instadistro:$rabbitmq@rabbitmq:5672/%2F" | put amqp_url
echo "http://instadistro:$rabbitmq@rabbitmq:15672" | put amqp_management_url
echo "key1:$(random_base64)" | put token_keys
random_hex | put cursor_secret
random_hex | put api_key_pepper
put instagram_app_secret </dev/null

# What Grafana reads.
random_hex | put grafana_admin_password

# Compose mounts a file with the owner and mode it has here, and the containers run as several users: the files can be
# read by all of them, the directory on this machine only by its owner.
chmod 0444 "$new"/*
mv "$new" "$directory"
trap - EXIT
echo "secrets: made in $directory; keep a copy somewhere safe"
