# Installs Debian's PostgreSQL without the cluster that the package would create and start.
set -eu
if ! command -v apt-get >/dev/null; then
    echo 'no package was installed: there is no apt-get' >&2
    exit 1
fi
settings=/etc/postgresql-common/createcluster.d/better-auth-layer.conf
mkdir -p "${settings%/*}"
trap 'rm -f "$settings"' EXIT
echo 'create_main_cluster = false' >"$settings"
apt-get update -q
DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends postgresql
