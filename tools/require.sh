#!/bin/sh
# Says what is missing for a target, all of it at once, before anything is built.
#
#   tools/require.sh demo|test|fuzz|lint|image|e2e
set -eu

missing=''

# need PROGRAM WHAT-FOR
need() {
    command -v "$1" >/dev/null 2>&1 || missing="$missing
  $1: $2"
}

need cargo 'Rust 1.95 or later, by https://rustup.rs'
need cc 'a C compiler, for the cryptography of aws-lc (Debian and Ubuntu: apt-get install gcc libc6-dev)'

case $1 in
    fuzz)
        need c++ 'a C++ compiler, for libFuzzer (Debian and Ubuntu: apt-get install g++)'
        need python3 'finds the program that was built'
        ;;
    lint)
        need python3 'reads the tree of dependencies, and fetches helm and the linters of other files than Rust'
        # A minimal toolchain of rustup lacks both; it brings them itself.
        for component in clippy rustfmt; do
            cargo "${component#rust}" --version >/dev/null 2>&1 \
                || rustup component add "$component" 2>/dev/null \
                || missing="$missing
  cargo $component: run rustup component add $component"
        done
        ;;
    image)
        need git 'tells the commit and its time'
        ;;
    demo | test | e2e)
        need openssl 'makes keys as Apple says'
        need python3 'plays the workload of the demo, and checks JWTs in the tests'
        # Go builds the control plane unless one is installed, by the same rule as tests/cluster.
        # A node's programs lie beside it, or are built.
        plane=${KUBEBUILDER_ASSETS:-$(dirname "$(command -v kube-apiserver || echo /-)")}
        if [ ! -e "$plane/kube-apiserver" ] || { [ "$1" = e2e ] && [ ! -e "$plane/kubelet" ]; }; then
            what_for='builds a Kubernetes control plane, once; 1.21 or later fetches the version it needs (https://go.dev/dl)'
            need go "$what_for"
            version=$(go env GOVERSION 2>/dev/null || true)
            minor=${version#go1.}
            case $version in
                go1.*) [ "${minor%%[!0-9]*}" -ge 21 ] || missing="$missing
  go, which is $version: $what_for" ;;
            esac
        fi
        ;;
esac
if { [ "$1" = test ] || [ "$1" = lint ]; } && ! command -v promtool >/dev/null 2>&1; then
    need go 'builds promtool, once (https://go.dev/dl)'
fi
if [ "$1" = e2e ]; then
    need git 'tells the commit and its time'
    [ "$(id -u)" = 0 ] || missing="$missing
  root: the kubelet mounts volumes and makes cgroups"
    # What a node runs besides Kubernetes, and what is in the workload's image.
    packages=''
    for pair in containerd:containerd runc:runc iptables:iptables nftables:nft iproute2:ip dnsmasq-base:dnsmasq \
        busybox-static:busybox curl:curl; do
        command -v "${pair#*:}" >/dev/null 2>&1 || packages="$packages ${pair%%:*}"
    done
    [ -e /usr/lib/cni/bridge ] || [ -e /opt/cni/bin/bridge ] || packages="$packages containernetworking-plugins"
    docker info >/dev/null 2>&1 || podman info >/dev/null 2>&1 || command -v buildah >/dev/null 2>&1 \
        || packages="$packages buildah"
    if [ -n "$packages" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        echo "installing$packages" >&2
        # shellcheck disable=SC2086
        { apt-get install -qq --no-install-recommends $packages \
            || { apt-get update -qq && apt-get install -qq --no-install-recommends $packages; }; } >/dev/null 2>&1 && packages=''
    fi
    [ -z "$packages" ] || missing="$missing
  these packages of Debian and Ubuntu:$packages"
fi
case $1 in lint | test) needs_venv=yes ;; *) needs_venv='' ;; esac
if [ "$needs_venv" ] && command -v python3 >/dev/null 2>&1; then
    python3 -c 'import ensurepip, venv' 2>/dev/null || missing="$missing
  python3 venv: PyJWT and linters go into environments of their own (Debian and Ubuntu: apt-get install python3-venv)"
fi

if [ -n "$missing" ]; then
    printf 'make %s needs what is not here:%s\n' "$1" "$missing" >&2
    exit 1
fi
