#!/bin/bash
# Checks the dependencies by deny.toml: licences, sources, doubles, and known vulnerabilities.
#
# The list of vulnerabilities is a git repository; where it can't be reached and no copy is kept,
# that check alone is left out, and this says so.
set -eu
cd "$(dirname "$0")/.."
export PATH=$PWD/target/python/bin:$PATH

cargo deny --workspace check bans licenses sources
if cargo deny fetch db 2>/dev/null; then
    cargo deny --workspace check --disable-fetch advisories
else
    echo "deny: the advisory database can't be reached: advisories are NOT checked" >&2
fi
