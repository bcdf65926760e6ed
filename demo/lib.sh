# How the demo speaks, waits, fails and cleans up. Sourced by run.sh.

if [ -t 1 ] && [ "${TERM:-dumb}" != dumb ] && [ -z "${NO_COLOR:-}" ]; then
    bold=$(printf '\033[1m') dim=$(printf '\033[2m') plain=$(printf '\033[0m')
else
    bold='' dim='' plain=''
fi
part=0
started=''                      # processes, "name:pid" each

heading() {
    part=$((part + 1))
    printf '\n%s%d. %s%s\n' "$bold" "$part" "$1" "$plain"
}

say() { printf '   %s\n' "$@"; }

show() { printf '   %s$ %s%s\n' "$bold" "$1" "$plain"; }

# Shows a command as a user types it, and runs exactly that. What it printed is in the file "printed" too.
run() {
    show "$1"
    (trap - ERR && eval "$1") 2>&1 | tee printed | indent || fail "$1"
}

indent() {
    while IFS= read -r line; do printf '     %s%s%s\n' "$dim" "$line" "$plain"; done
}

# Shows and starts a program that goes on; its output is in NAME.out and NAME.log.
start() {
    local name=$1 command=$2
    show "$command &"
    (trap - ERR && eval "exec $command") </dev/null >"$name.out" 2>"$name.log" &
    started="$name:$! $started"
}

pid_of() {
    local process
    for process in $started; do
        if [ "${process%%:*}" = "$1" ]; then
            echo "${process#*:}"
            return 0 # said, as within a trap the default is the status from before it
        fi
    done
    return 1
}

is_running() { kill -0 "$(pid_of "$1")" 2>/dev/null; }

# stop NAME [SIGNAL]: and waits until it has ended, which is forced after ten seconds. Always succeeds.
stop() {
    local pid left
    pid=$(pid_of "$1") || return 0
    started=${started/"$1:$pid "/}
    # The shell would tell of each signal in a line of its own.
    {
        kill -s "${2:-TERM}" "$pid" || true
        for ((left = 100; left > 0; left--)); do
            kill -0 "$pid" || break
            sleep 0.1
        done
        kill -s KILL "$pid" || true
        wait "$pid" || true
    } 2>/dev/null
}

# wait_until SECONDS NAME 'CONDITION': fails at once if the program NAME has ended.
wait_until() {
    local deadline=$((SECONDS + $1))
    until eval "$3" >/dev/null 2>&1; do
        is_running "$2" || fail "$2 has ended"
        [ "$SECONDS" -lt "$deadline" ] || fail "not within $1 s: $3"
        sleep 0.1
    done
}

# Whether a GET of the URL is answered with a success.
answers() {
    python3 -c 'import sys, urllib.request as u; u.build_opener(u.ProxyHandler({})).open(sys.argv[1], timeout=2)' "$1"
}

# Says what does not hold, and what the programs had to say.
fail() {
    trap - ERR
    # A failure in a subshell is one in its parent too; it is told once.
    if [ ! -e failed ]; then
        : >failed
        tell_failure "$1" >&2
    fi
    exit 1
}

tell_failure() {
    printf '\n%sThe demo failed in part %d: %s%s\n' "$bold" "$part" "$1" "$plain"
    if [ "$KUBECONFIG" != /dev/null ]; then
        kubectl get asacred,asccred --output wide --request-timeout=5s 2>&1 || true
    fi
    if [ -n "${APPLE:-}" ]; then
        python3 demo/apple.py refusals "$APPLE" 2>/dev/null || true
    fi
    local log
    for log in *.log; do
        if [ -s "$log" ]; then
            printf '\nThe end of %s:\n' "$log"
            tail -n 12 "$log"
        fi
    done
}

# In the order opposite to their start; cluster removes its own directory.
clean_up() {
    local status=$?
    trap - EXIT ERR
    trap '' INT TERM HUP
    local process
    for process in $started; do stop "${process%%:*}"; done
    cd / && rm -rf "$work"
    exit "$status"
}
