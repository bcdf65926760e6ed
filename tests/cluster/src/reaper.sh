# Cleans up after a control plane, however the process that started it ends.
#
#   $1  the control plane's directory        $2  not empty: keep the directory
#
# Reads "+ PID" and "- PID" lines from a pipe whose write end only that process holds (and, until its exec, each child that
# is just being started). The end of the pipe is the end of that process: not even SIGKILL can prevent it. PR_SET_PDEATHSIG
# would not do, as it fires when the thread that started a child ends, which in a test is long before the process does.
trap '' HUP INT TERM
pids=' '
while read -r change pid; do
    case $change$pids in
        +*) pids="$pids$pid " ;;
        -*" $pid "*) pids="${pids%% "$pid" *} ${pids#* "$pid" }" ;;
    esac
done
for pid in $pids; do
    kill -s KILL -- "-$pid" # each leads a process group of its own
done
# What a node did beyond its directory it undoes by a script of its own: see node/sweep.sh.
[ -e "$1/sweep.sh" ] && sh "$1/sweep.sh" "$1" >"$1/sweep.log" 2>&1
[ -n "$2" ] && exit
# A process that is just dying may still create a file in a folder that is just being emptied.
for attempt in 1 2 3 4 5 6 7 8 9 10; do
    rm -rf -- "$1" && exit
    sleep 0.1
done
