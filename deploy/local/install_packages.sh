#!/bin/sh
# Installs Debian packages as root without letting Debian start the servers in them: install_packages.sh PACKAGE...
# Whatever happens, the two files that hold Debian back are removed again.
set -eu
export DEBIAN_FRONTEND=noninteractive
root=${INSTALL_ROOT:-}
policy=$root/usr/sbin/policy-rc.d
cluster=$root/etc/postgresql-common/createcluster.d/instadistro.conf
mark="# written by instadistro while it installs packages"

ours() { [ -f "$1" ] && grep -qF "$mark" "$1"; }
clean_up() {
    for file in "$policy" "$cluster"; do
        if ours "$file"; then rm -f "$file"; fi
    done
}
trap clean_up EXIT
trap 'exit 1' HUP INT TERM

# An administrator's own policy stays as it is.
if [ ! -e "$policy" ] || ours "$policy"; then
    mkdir -p "$(dirname "$policy")"
    printf '#!/bin/sh\n%s\nexit 101\n' "$mark" >"$policy"
    chmod 755 "$policy"
fi
mkdir -p "$(dirname "$cluster")"
printf '%s\ncreate_main_cluster = false\n' "$mark" >"$cluster"

echo "packages: reading the package lists"
timeout 300 apt-get -o DPkg::Lock::Timeout=120 update -q || echo "packages: the lists could not be refreshed; trying with the old ones"
echo "packages: installing $*"
timeout 900 apt-get -o DPkg::Lock::Timeout=120 install -y -q --no-install-recommends "$@"

# What was installed here is for private servers; Debian's own shall not start at the next boot either.
if [ -z "$root" ] && [ -d /run/systemd/system ]; then
    for unit in "$@"; do
        case $unit in redis-server | rabbitmq-server | prometheus) systemctl --quiet disable "$unit" || true ;; esac
    done
fi
