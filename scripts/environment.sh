# Shared by the scripts: finding Python and making the virtual environment. Sourced, not run.

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
venv="${CORMACK_VENV:-$root/.venv}"
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 DEBIAN_FRONTEND=noninteractive

say() { printf '%s\n' "$*" >&2; }

fail() {
    say "error: $*"
    exit 1
}

# apt_install PACKAGE...: true if the Debian packages are installed now.
apt_install() {
    command -v apt-get >/dev/null || return 1
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        sudo -n true 2>/dev/null || return 1
        as_root=(sudo -n)
    fi
    say "Installing Debian packages: $*"
    "${as_root[@]}" apt-get update -qq </dev/null >/dev/null 2>&1 || true
    "${as_root[@]}" apt-get install -y -qq --no-install-recommends "$@" </dev/null >/dev/null 2>&1
}

# is_usable_python COMMAND: it starts, and it is new enough.
is_usable_python() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    local candidate
    for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
        if is_usable_python "$candidate"; then
            printf '%s\n' "$candidate"
            return 0
        fi
    done
    return 1
}

# Make the virtual environment if there is no working one.
ensure_venv() {
    is_usable_python "$venv/bin/python" && "$venv/bin/python" -m pip --version >/dev/null 2>&1 && return 0
    local python
    if ! python="$(find_python)"; then
        [ -z "${PYTHON:-}" ] || fail "PYTHON is '$PYTHON', which is no Python 3.11 or newer"
        apt_install python3 python3-venv || true
        python="$(find_python)" || fail "Python 3.11 or newer is needed and was not found; install it, or name one: PYTHON=/path/to/python3"
    fi
    say "Making a virtual environment with $("$python" --version)"
    # Debian's python3 comes without ensurepip, the part that puts pip into an environment.
    if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
        apt_install python3-venv || apt_install "python$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv" ||
            fail "this Python cannot make virtual environments; run as root: apt-get install python3-venv"
    fi
    "$python" -m venv --clear "$venv"
}

# hash_of FILE...: one word that changes when any of the files does.
hash_of() {
    cat "$@" | sha256sum | cut -c1-16
}
