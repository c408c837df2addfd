# Unpacks Debian's PgBouncer into a new directory without installing it. apt verifies the packages.
set -eu
umask 022
if ! command -v apt-get >/dev/null; then
    echo 'PgBouncer can be fetched with apt-get only' >&2
    exit 1
fi
mkdir -p "$1"
cd "$1"
# Other accounts cannot update the package lists; their machine has them already.
[ "$(id -u)" != 0 ] || apt-get update -q
# The names of the libraries depend on Debian's release.
libraries=$(apt-cache depends pgbouncer | grep -oE '(libevent|libc-?ares)[^ ]*')
# The account `_apt`, which root's downloads use, cannot write here.
apt-get -o APT::Sandbox::User=root download -q pgbouncer $libraries
for package in *.deb; do
    dpkg-deb -x "$package" .
done
rm -- *.deb
cat >pgbouncer <<'END'
#!/bin/sh
# Starts PgBouncer with the libraries that were fetched with it.
here=$(dirname -- "$0")
set -- "$here"/usr/lib/*-linux-*/ "$@"
LD_LIBRARY_PATH=${1%/}
shift
export LD_LIBRARY_PATH
exec "$here/usr/sbin/pgbouncer" "$@"
END
chmod 755 pgbouncer
