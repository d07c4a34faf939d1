# Shared by the scripts of this folder: source it, do not run it. Needs bash.
#
# SPDX-License-Identifier: GPL-2.0-or-later

set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${REARM_CACHE:-$top/cache}
# What slow steps print goes here, and to the terminal only when they fail.
logs=${REARM_LOGS:-$top/build/logs}

say() { printf '%s\n' "$*"; }
step() { printf '==> %s\n' "$*"; }
warn() { printf 'warning: %s\n' "$*" >&2; }

# die WHAT [HOW-TO-GO-ON...]: every further argument is a line of its own.
die() {
    printf 'error: %s\n' "$1" >&2
    shift
    local line
    for line in "$@"; do
        printf '       %s\n' "$line" >&2
    done
    exit 1
}

# run_step LABEL COMMAND...: run it with its output in a log, and show that it
# is alive: a counter on a terminal, a line now and then elsewhere.
run_step() {
    local label=$1 name log pid rc=0 start=$SECONDS told=0
    shift
    mkdir -p "$logs" || die "cannot create $logs"
    name=$(printf '%s' "$label" | tr -cs 'a-zA-Z0-9' '-')
    log=$logs/${name%-}.log
    "$@" >"$log" 2>&1 </dev/null &
    pid=$!
    if [ -t 1 ]; then
        while kill -0 "$pid" 2>/dev/null; do
            printf '\r==> %s ... %d s' "$label" $((SECONDS - start))
            sleep 0.5
        done
        printf '\r'
    else
        printf '==> %s\n' "$label"
        while kill -0 "$pid" 2>/dev/null; do
            sleep 0.5
            if [ $(((SECONDS - start) / 30)) -gt $told ]; then
                told=$(((SECONDS - start) / 30))
                printf '    ... %d s\n' $((SECONDS - start))
            fi
        done
    fi
    wait "$pid" || rc=$?
    printf '==> %s: %s after %d s\n' "$label" "$([ $rc = 0 ] && echo done || echo FAILED)" \
        $((SECONDS - start))
    if [ $rc != 0 ]; then
        tail -n 40 "$log" | sed 's/^/    | /' >&2
        say "    (all of it: $log)" >&2
    fi
    last_log=$log
    return $rc
}

# need_room DIRECTORY MIB WHAT-FOR
need_room() {
    local dir=$1 have
    while [ ! -d "$dir" ]; do
        dir=$(dirname "$dir")
    done
    have=$(df -Pm "$dir" | awk 'NR == 2 { print $4 }')
    [ "$have" -ge "$2" ] || die "$3 needs about $2 MiB in $1, and $have MiB are free" \
        "Free some room there, then run this again."
}

# as_root COMMAND...
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif [ -t 0 ]; then
        sudo "$@"
    else
        sudo -n "$@"
    fi
}

# foreign_apt ARGUMENT...: apt-get for packages of the guest's architecture, with folders of its own in $work.
foreign_apt() {
    mkdir -p "$work/lists/partial" "$work/archives/partial"
    : >"$work/status"
    APT_CONFIG=/dev/null apt-get -o Acquire::Retries=3 -o APT::Architecture=arm64 \
        -o APT::Architectures::=arm64 -o Dir::State::lists="$work/lists" \
        -o Dir::Cache="$work" -o Dir::State::status="$work/status" "$@"
}

# configure and build into build/ (or $build); arguments go to meson setup.
build_rearm() {
    local dir=${build:-$top/build}
    need_room "$dir" 500 "building"
    if [ -f "$dir/build.ninja" ]; then
        run_step "configure $(basename "$dir")" meson setup --reconfigure "$dir" "$top" "$@" ||
            die "configuring failed"
    else
        run_step "configure $(basename "$dir")" meson setup "$dir" "$top" "$@" ||
            die "configuring failed" "Missing packages are installed by scripts/setup."
    fi
    run_step "build $(basename "$dir")" ninja -C "$dir" || die "building failed"
}

# The same with the address and undefined behaviour sanitizers, into build-asan/.
asan=$top/build-asan
# -O1 and lines alone as debug information: it takes two thirds of the time to build.
build_asan() {
    build=$asan build_rearm -Dwerror=true -Doptimization=1 -Db_sanitize=address,undefined -Db_lundef=false \
        "-Dc_args=['-Wno-error=array-bounds', '-g1']"
}

# meson_tests BUILD ARGUMENT...: run tests of a build folder, and keep what became of them in
# $results/NAME-OF-BUILD.json. A test that fails does not end the script.
meson_tests() {
    local dir=$1
    shift
    rm -f "$dir/meson-logs/testlog.json"
    REARM_CACHE=$cache meson test -C "$dir" --no-rebuild --print-errorlogs "$@" </dev/null || true
    [ -f "$dir/meson-logs/testlog.json" ] || die "meson ran no test in $dir"
    cp "$dir/meson-logs/testlog.json" "$results/$(basename "$dir").json"
}

# asan_tests ARGUMENT...: the same for build-asan. halt_on_error makes an undefined operation
# a failure instead of a remark; REARM_SLOW tells tests with time limits how slow it is.
asan_tests() {
    REARM_SLOW=10 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 meson_tests "$asan" -t 10 "$@"
}
