# Sourced by the other scripts. `set_up LOCK` leaves a `.venv` that holds what the lock file names,
# and its interpreter in $python.

# Set for another Python, these two would lead ours to foreign packages.
unset PYTHONHOME PYTHONPATH

project=$(dirname -- "$scripts")
python=$project/.venv/bin/python
caller=scripts/$(basename -- "$0")

stop() {
    printf '%s\n' "$1" >&2
    exit 1
}

version_of() {
    "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null
}

is_supported() {
    # A name on the PATH proves nothing: a shim may stand there for a version that is not installed.
    case $(version_of "$1") in
        3.11 | 3.12 | 3.13) return 0 ;;
        *) return 1 ;;
    esac
}

find_python() {
    if [ -n "${EGAC_PYTHON:-}" ]; then
        is_supported "$EGAC_PYTHON" ||
            stop "EGAC_PYTHON is $EGAC_PYTHON, which is no Python 3.11, 3.12 or 3.13: correct it, or unset it and run $caller again."
        base_python=$EGAC_PYTHON
        return
    fi
    for base_python in python3.13 python3.12 python3.11 python3; do
        if is_supported "$base_python"; then
            return
        fi
    done
    stop "No Python 3.11, 3.12 or 3.13 is on the PATH: install one (on Debian: apt-get install python3 python3-venv), or type EGAC_PYTHON=/path/to/python3 $caller."
}

venv_fits() {
    # The note is written last, so half a venv and one that was moved here do not fit.
    [ "$(cat "$project/.venv/made-in" 2>/dev/null)" = "$project" ] || return 1
    is_supported "$python" || return 1
    [ -z "${EGAC_PYTHON:-}" ] || [ "$(version_of "$python")" = "$(version_of "$EGAC_PYTHON")" ]
}

make_venv() {
    find_python
    "$base_python" -c 'import ensurepip, venv' 2>/dev/null ||
        stop "Python $(version_of "$base_python") lacks its venv module: install it (on Debian: apt-get install python$(version_of "$base_python")-venv), then run $caller again."
    rm -rf "$project/.venv" 2>/dev/null && "$base_python" -m venv "$project/.venv" >/dev/null 2>&1 ||
        stop "The folder $project/.venv cannot be made: remove it, see that $(id -un) may write in $project and that the disk has room, then run $caller again."
    printf '%s\n' "$project" >"$project/.venv/made-in"
}

explain_failed_install() {
    log=$1
    if grep -qE 'Retrying|connection broken|Read timed out|ConnectionError|SSLError|ProxyError' "$log"; then
        stop "The Python package index cannot be reached: connect to the network (or set HTTPS_PROXY or PIP_INDEX_URL), then run $caller again."
    fi
    error=$(grep -m 1 '^ *ERROR\|^error' "$log" || true)
    if grep -qE 'No matching distribution|not a supported wheel' "$log"; then
        stop "The package index has no wheel for $(uname -sm) and Python $(version_of "$python") ($error): use Linux or macOS on x86_64 or arm64, or name another index in PIP_INDEX_URL, then run $caller again."
    fi
    stop "The requirements cannot be installed ($error): read $log, then run $caller again."
}

install_lock() {
    installed=$project/.venv/installed-$1
    cmp -s "$project/$1" "$installed" && return
    [ -w "$project/.venv" ] ||
        stop "The folder $project/.venv belongs to another user: remove it, then run $caller again."
    printf 'Installing %s into .venv. This takes a minute or two, and only once.\n' "$1" >&2
    log=$project/.venv/install.log
    # Compiling everything now would take a third of the time; what is used is compiled at first use.
    "$python" -m pip install --disable-pip-version-check --quiet --no-compile --require-hashes \
        --requirement "$project/$1" >"$log" 2>&1 || explain_failed_install "$log"
    cp "$project/$1" "$installed"
}

set_up() {
    venv_fits || make_venv
    install_lock "$1"
}

test_processes() {
    # Most tests wait, for a process or the end of a lease: more of them run than there are cores.
    printf '%s\n' "${EGAC_TEST_PROCESSES:-$(($(getconf _NPROCESSORS_ONLN) + 2))}"
}
