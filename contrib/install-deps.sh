#!/bin/sh
# Installs what building, testing and running Farthing needs, with the system's own package manager. Needs nothing but a shell;
# run it as root, or as a user who may use sudo. Safe to run again.
set -eu

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1; then
        sudo "$@"
    else
        echo "install-deps.sh: run this as root (no sudo here): $*" >&2
        exit 1
    fi
}

have() { command -v "$1" >/dev/null 2>&1; }

# Nothing to do where everything is there: no network is needed then.
complete() {
    have make && have cc && have pkg-config && have python3 && have git && have clang-format && have cppcheck &&
        pkg-config --exists libsecp256k1 libssl libcrypto libevent libevent_pthreads libevent_openssl json-c 2>/dev/null &&
        for header in leveldb/c.h uthash.h; do
            printf '#include <%s>\nint main(void){return 0;}\n' "$header" | cc -xc -fsyntax-only - 2>/dev/null || return 1
        done &&
        printf '#include <stdarg.h>\n#include <stddef.h>\n#include <stdint.h>\n#include <setjmp.h>\n#include <cmocka.h>\n' | cc -xc -fsyntax-only - 2>/dev/null
}

# Client libraries of the npm registry that two functional tests run where they are.
npm_libraries() {
    to="$(dirname "$0")/../build/npm"
    if ! have npm || ! have node || { [ -d "$to/node_modules/bitcoin-core" ] && [ -d "$to/node_modules/electrum-client" ]; }; then
        return
    fi
    npm install --silent --no-audit --no-fund --ignore-scripts --fetch-retries=1 --fetch-timeout=20000 --prefix "$to" \
        bitcoin-core@5 electrum-client@0 @mempool/electrum-client@1 ||
        echo "install-deps.sh: the npm registry cannot be reached: two tests do less"
}

if complete; then
    npm_libraries
    echo "install-deps.sh: everything is installed"
    have electrum || echo "install-deps.sh: but Electrum (apt-get install electrum), without which one test is skipped"
    exit 0
fi

if have apt-get; then
    export DEBIAN_FRONTEND=noninteractive
    as_root apt-get update -q
    as_root apt-get install -y -q --no-install-recommends \
        make gcc libc6-dev pkg-config binutils git ca-certificates \
        libsecp256k1-dev libssl-dev libleveldb-dev libevent-dev libjson-c-dev uthash-dev libcmocka-dev \
        python3 clang clang-format cppcheck
    # Notifications: the build does without them, and their tests without the Python module.
    as_root apt-get install -y -q --no-install-recommends libzmq3-dev || echo "install-deps.sh: no libzmq here: built without notifications"
    as_root apt-get install -y -q --no-install-recommends python3-zmq || echo "install-deps.sh: no python3-zmq here: one test does less"
    # A SOCKS5 server for one functional test, which says so when it is missing.
    as_root apt-get install -y -q --no-install-recommends microsocks || echo "install-deps.sh: no microsocks here: one test does less"
    # Shells whose completion one functional test tries.
    as_root apt-get install -y -q --no-install-recommends zsh fish || echo "install-deps.sh: no zsh or fish here: one test does less"
    # A wallet that one functional test runs where it is.
    as_root apt-get install -y -q --no-install-recommends electrum || echo "install-deps.sh: no electrum here: one test is skipped"
    # Client libraries that one functional test runs where they are.
    as_root apt-get install -y -q --no-install-recommends python3-bitcoinlib || echo "install-deps.sh: no python3-bitcoinlib here: one test does less"
    npm_libraries
elif have dnf; then
    as_root dnf install -y make gcc glibc-devel pkgconf-pkg-config binutils git \
        libsecp256k1-devel openssl-devel leveldb-devel libevent-devel json-c-devel uthash-devel libcmocka-devel \
        python3 clang clang-tools-extra cppcheck zeromq-devel python3-zmq
elif have apk; then
    as_root apk add make gcc musl-dev linux-headers pkgconf binutils git bash \
        libsecp256k1-dev openssl-dev leveldb-dev libevent-dev json-c-dev uthash-dev cmocka-dev \
        python3 clang clang-extra-tools cppcheck zeromq-dev py3-pyzmq
elif have pacman; then
    as_root pacman -S --needed --noconfirm make gcc pkgconf binutils git \
        libsecp256k1 openssl leveldb libevent json-c uthash cmocka python clang cppcheck zeromq python-pyzmq
elif have brew; then
    brew install make gcc pkg-config secp256k1 openssl@3 leveldb libevent json-c uthash cmocka python3 clang-format cppcheck zeromq
else
    echo "install-deps.sh: no package manager that I know (apt-get, dnf, apk, pacman, brew)" >&2
    exit 1
fi
