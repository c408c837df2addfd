# Owns one throw-away cluster: makes it, starts and stops it on command, and removes it.
#
#   sh keeper.sh DIRECTORY BINARIES PASSWORD
#
# Standard input is a pipe from the test process. It ends when that process ends, however it ended; then the server is
# stopped and the directory removed. Answers are files in the directory: `initdb.status`, and `exited.N` with the exit
# status of the N-th run of the server.

directory=$1
binaries=$2
password=$3
run=

# A caught signal interrupts the reading below, so that it means the end as well. Children get the default back.
trap : HUP INT TERM

# The server is the child of a subshell that writes down its end: a look at the file tells the living from the dead
# without a race, which a look at the process, perhaps a zombie, does not.
start() {
    run=$1
    (
        "$binaries/postgres" -D "$directory/data" </dev/null >>"$directory/server.log" 2>&1
        echo $? >"$directory/exited.$run"
    ) &
}

# Repeated, because the server may not have written its process id yet; woken, because a test may have frozen it.
stop() {
    tries=0
    while [ -n "$run" ] && [ ! -e "$directory/exited.$run" ] && [ "$tries" -lt 800 ]; do
        signal=$1
        [ "$tries" -lt 400 ] || signal=KILL
        pid=$(head -n 1 "$directory/data/postmaster.pid" 2>/dev/null)
        if [ -n "$pid" ] && [ $((tries % 10)) -eq 0 ]; then
            kill -s "$signal" "$pid"
            kill -s CONT "$pid"
        fi
        tries=$((tries + 1))
        sleep 0.05
    done
}

# What mkdir says goes to the tests. Nothing later may: writing to a reader that is gone would end the keeper too early.
mkdir -m 700 "$directory" || exit 1
exec 2>/dev/null
echo "$password" >"$directory/password"
"$binaries/initdb" -D "$directory/data" -U postgres -E UTF8 --locale=C --no-sync \
    --auth-local=trust --auth-host=scram-sha-256 --pwfile="$directory/password" >"$directory/initdb.log" 2>&1
echo $? >"$directory/initdb.status"

while read -r command argument; do
    case $command in
    start) start "$argument" ;;
    fast) stop INT ;;
    immediate) stop QUIT ;;
    esac
done

stop QUIT
rm -rf "$directory"
