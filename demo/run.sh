#!/usr/bin/env bash
# The life of a credential of each kind on a real Kubernetes API server, told in nine parts. Run it by `make demo`.
#
#   demo/run.sh FOLDER       where FOLDER has the programs asa-operator, cluster and fake-apple
#
# Everything is in a temporary folder and on loopback addresses, and goes at the end. The exit status is 0 only if every
# part held.
set -Eeuo pipefail

repository=$(cd "$(dirname "$0")/.." && pwd)
programs=$(cd "$1" && pwd)
# shellcheck source=demo/lib.sh
. "$repository/demo/lib.sh"

work=$(mktemp -d "${TMPDIR:-/tmp}/asa-demo-XXXXXX")
trap clean_up EXIT
trap 'fail "a command failed: $BASH_COMMAND"' ERR
trap 'printf "\nInterrupted: everything is stopped and removed.\n"; exit 130' INT
trap 'exit 143' TERM HUP
umask 077
cd "$work"
ln -s "$repository/demo" "$repository/examples" .
export LC_ALL=C PATH="$programs:$PATH" KUBERC=off KUBECACHEDIR="$work/kubectl-cache" PYTHONDONTWRITEBYTECODE=1
export NO_PROXY="127.0.0.1,localhost${NO_PROXY:+,$NO_PROXY}" no_proxy="127.0.0.1,localhost${no_proxy:+,$no_proxy}"
# Nobody's own cluster or settings are touched.
export KUBECONFIG=/dev/null
unset "${!ASA_OPERATOR_@}"

# shellcheck source=demo/parts.sh
. demo/parts.sh
SECONDS=0
a_server_and_an_apple
the_operator
a_key
a_credential
two_calls
an_api_key
two_renewals_and_a_crash
a_new_key
the_bill
printf '\n%sEvery part held, in %d s. Everything is stopped and removed.%s\n' "$bold" "$SECONDS" "$plain"
