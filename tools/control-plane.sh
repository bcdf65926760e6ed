#!/bin/sh
# Makes sure that etcd, kube-apiserver, kube-controller-manager and kubectl are there: the first time they are built, which
# takes about six minutes and says so.
#
#   tools/control-plane.sh FOLDER       that has the program `cluster`
set -eu
exec "$1/cluster" binaries >/dev/null
