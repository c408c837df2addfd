# Owns one PgBouncer: starts it, and stops and removes it once the tests have ended.
#
#   sh pooler.sh DIRECTORY PROGRAM SETTINGS [CERTIFICATE KEY ACCOUNTS]
#
# Standard input is a pipe from the test process, as for `keeper.sh`. `exited` holds the exit status of a PgBouncer that
# has ended.

directory=$1
program=$2
settings=$3

trap : HUP INT TERM

# What mkdir says goes to the tests. Nothing later may: writing to a reader that is gone would end the keeper too early.
mkdir -m 700 "$directory" || exit 1
exec 2>/dev/null
printf '%s\n' "$settings" >"$directory/pgbouncer.ini"
if [ "$#" -eq 6 ]; then
    printf '%s\n' "$4" >"$directory/server.crt"
    printf '%s\n' "$5" >"$directory/server.key"
    printf '%s\n' "$6" >"$directory/accounts.txt"
fi
(
    "$program" "$directory/pgbouncer.ini" </dev/null >"$directory/pgbouncer.log" 2>&1
    echo $? >"$directory/exited"
) &

cat >/dev/null

tries=0
while [ ! -e "$directory/exited" ] && [ "$tries" -lt 200 ]; do
    kill -s TERM "$(head -n 1 "$directory/pgbouncer.pid")"
    tries=$((tries + 1))
    sleep 0.05
done
rm -rf "$directory"
