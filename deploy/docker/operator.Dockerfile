# The image with what backups need besides: pg_dump and pg_restore of the server's major version, from PostgreSQL's own
# package archive, since Debian has another one. Build the image itself first.
ARG IMAGE=instadistro:0.1.0
FROM ${IMAGE}
ARG POSTGRES_MAJOR=18
USER root
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates postgresql-common \
    && /usr/share/postgresql-common/pgdg/apt.postgresql.org.sh -y \
    && apt-get install --yes --no-install-recommends "postgresql-client-${POSTGRES_MAJOR}" \
    && rm -rf /var/lib/apt/lists/* \
    && install -d -o instadistro -g instadistro -m 0700 /backups
USER 10001:10001
WORKDIR /backups
