#!/bin/sh
# Makes the Python environment: setup.sh PYTHON VENV. Runs before any Python package exists, hence a shell script.
set -eu
python=$1
venv=$2

fail() {
    printf '%s\n' "$@" >&2
    exit 1
}

# Runs a command with the rights to install packages, or fails if this user has none.
privileged() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1 && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
        sudo "$@"
    else
        return 1
    fi
}

install_venv_module() {
    command -v apt-get >/dev/null 2>&1 || return 1
    echo "setup: installing Debian's python3-venv"
    privileged apt-get update -qq || return 1
    DEBIAN_FRONTEND=noninteractive privileged apt-get install -y -qq --no-install-recommends python3 python3-venv >/dev/null
}

supported='import sys; sys.exit(sys.version_info < (3, 11))'
usable='import ensurepip, venv'
if ! "$python" -c "$supported; $usable" >/dev/null 2>&1; then
    if command -v "$python" >/dev/null 2>&1 && ! "$python" -c "$supported"; then
        fail "setup: $("$python" --version) is too old; Python 3.11 or newer is needed." \
            "Name one with: make PYTHON=/path/to/python3.11 ..."
    fi
    install_venv_module || true
    "$python" -c "$usable" >/dev/null 2>&1 || fail \
        "setup: Python's venv module is missing. Install it and try again:" "  sudo apt-get install python3 python3-venv"
fi

echo "setup: installing the pinned packages into $venv"
"$python" -m venv --clear "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
# The project itself: nothing is fetched for it, its build backend came with the lock.
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
