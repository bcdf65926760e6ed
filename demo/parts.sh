# The parts of the story. Sourced by run.sh, which calls them in this order.
#
# Commands stand in single quotes, as they are shown before they are evaluated:
# shellcheck disable=SC2016,SC2034

a_server_and_an_apple() {
    heading 'A Kubernetes API server, and a stand-in for Apple'
    start cluster 'cluster up'
    start apple 'fake-apple --port-file apple.ports'
    wait_until 120 apple 'test -s apple.ports'
    wait_until 120 cluster 'test -s cluster.out'
    # shellcheck source=/dev/null
    . ./cluster.out # exports KUBECONFIG and PATH
    APPLE=http://127.0.0.1:$(head -n 1 apple.ports)
    run 'kubectl create namespace marketing'
    kubectl config set-context --current --namespace=marketing >/dev/null
    say "Kubernetes is $(kubectl version --output yaml | sed -n '/^serverVersion/,$ s/.*gitVersion: //p') with etcd and controllers, without containers." \
        "APPLE=$APPLE is as strict as Apple; its tokens live for 12 s instead of an hour."
}

the_operator() {
    heading 'The operator, with no more rights than it needs'
    run 'asa-operator crd | kubectl apply --server-side -f -'
    run 'kubectl apply -f examples/rbac.yaml'
    kubeconfig_of_the_operator >operator.kubeconfig
    HTTP=127.0.0.1:$(free_port)
    start_operator
}

start_operator() {
    start operator 'env KUBECONFIG=operator.kubeconfig asa-operator run --http-address $HTTP --log-format text \
       --apple-id-url $APPLE --ads-platform-url $APPLE/v1 --ads-campaign-url $APPLE/api/v5 \
       --app-store-connect-url $APPLE/app-store-connect'
    wait_until 60 operator 'answers http://$HTTP/readyz'
}

# One that logs in with the ServiceAccount's token, which stays in a file.
kubeconfig_of_the_operator() {
    kubectl create token asa-operator --namespace asa-operator >operator.token
    local server
    server=$(kubectl config view --raw --output 'jsonpath={.clusters[0].cluster}')
    cat <<END
{"apiVersion": "v1", "kind": "Config", "current-context": "demo",
 "clusters": [{"name": "demo", "cluster": $server}],
 "users": [{"name": "asa-operator", "user": {"tokenFile": "$work/operator.token"}}],
 "contexts": [{"name": "demo", "context": {"cluster": "demo", "user": "asa-operator"}}]}
END
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

a_key() {
    heading 'A key, made and uploaded as Apple says'
    run 'openssl ecparam -genkey -name prime256v1 -noout -out private-key.pem'
    run 'openssl ec -in private-key.pem -pubout -out public-key.pem'
    run 'cat public-key.pem'
    say 'A user with an API role pastes that under Account Settings › API; Apple then shows the ids of the client:'
    kubectl create --dry-run=client --output json -f examples/minimal.yaml >acme.json
    python3 demo/apple.py upload public-key.pem "$APPLE" <acme.json | indent
}

a_credential() {
    heading 'An AsaCredential becomes a Secret'
    # It waits for the Secret as a pod does, so that it sees the first token too.
    start mount 'python3 demo/mount.py acme token published'
    run 'kubectl create secret generic acme-key --from-file=private-key.pem'
    run 'cat examples/minimal.yaml'
    run 'kubectl apply -f examples/minimal.yaml'
    run 'kubectl wait --for=condition=Ready --timeout=30s asacred/acme'
    run 'kubectl get asacred'
    wait_until 30 mount 'test -s published'
    run 'kubectl get secrets'
    say "mount.py does the kubelet's part: each entry of the Secret acme is a file in token/. What is secret is not shown:"
    entries | indent
    [ "$(cd token && echo *)" = "$ENTRIES" ] || fail "the Secret should have these entries: $ENTRIES"
    kubectl apply --dry-run=server -f examples/full.yaml >/dev/null
}

ENTRIES='access_token ad_account_id authorization client_id expires_at issued_at org_id parent_org_id'
ENTRIES="$ENTRIES token_type x_ap_context_ad_account x_ap_context_org"

# With their values, but for those that are secret.
entries() {
    local file value
    for file in token/*; do
        value=$(cat "$file")
        case $file in
            */access_token | */authorization) value="*** (${#value} characters)" ;;
        esac
        printf '%-24s %s\n' "${file#token/}" "$value"
    done
}

two_calls() {
    heading 'A call to each Ads API, with nothing but those files'
    call x_ap_context_org '$APPLE/api/v5/campaigns'
    grep -q "\"orgId\":$(cat token/org_id)[,}]" printed || fail 'the answer is not about the organization of the Secret'
    call x_ap_context_ad_account '$APPLE/v1/campaigns'
    grep -q "\"adAccountId\":$(cat token/ad_account_id)[,}]" printed || fail 'the answer is not about its ad account'
}

# By curl where it is. The token goes through a pipe, never into a command line that others can see.
call() {
    if command -v curl >/dev/null; then
        run "curl -fsS -w '\\n' -H @<(echo \"Authorization: \$(cat token/authorization)\") \\
       -H @<(echo \"X-AP-Context: \$(cat token/$1)\") $2"
    else
        run "python3 demo/ads.py token $1 $2"
    fi
}

an_api_key() {
    heading 'An AppStoreConnectCredential: what the key signs is the token, and Apple is asked whether it knows the key'
    say 'Apple makes such a key, shows its ids and lets the .p8 download once. Here the stand-in is told its public half:'
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out AuthKey_2X9R4HXF34.p8 2>/dev/null
    openssl pkey -in AuthKey_2X9R4HXF34.p8 -pubout -out api-public-key.pem
    kubectl create --dry-run=client --output json -f examples/app-store-connect.yaml |
        python3 demo/apple.py api-key api-public-key.pem "$APPLE" | indent
    start api-mount 'python3 demo/mount.py acme-app-store api-token api-published'
    run 'kubectl create secret generic acme-api-key --from-file=AuthKey_2X9R4HXF34.p8'
    run 'cat examples/app-store-connect.yaml'
    run 'kubectl apply -f examples/app-store-connect.yaml'
    run 'kubectl wait --for=condition=Ready --timeout=30s asccred/acme-app-store'
    run 'kubectl get asccred'
    say 'The same token also as a file for curl:'
    run "kubectl patch asccred acme-app-store --type merge --patch '{\"spec\": {\"secret\": {\"formats\": [\"CurlConfig\"]}}}'"
    wait_until 30 api-mount 'test -s api-token/curl-app-store-connect'
    run "$(api_call)"
    [ "$(sort -u api-published | wc -l)" -eq 1 ] || fail 'the token should be the first one'
    an_api_key_that_is_revoked
    kubectl apply --dry-run=server -f examples/app-store-connect-full.yaml >/dev/null
}

# By curl where it is.
api_call() {
    local url='$APPLE/app-store-connect/v1/ciProducts'
    if command -v curl >/dev/null; then
        printf '%s\n' "curl -fsS -w '\\n' -K api-token/curl-app-store-connect $url"
    else
        echo "python3 demo/ads.py api-token '' $url"
    fi
}

an_api_key_that_is_revoked() {
    python3 demo/apple.py revoke 2X9R4HXF34 "$APPLE"
    say 'Somebody revokes the key at Apple. Its tokens end at once:'
    run "$(api_call) || echo 'It is refused.'"
    grep -q '^It is refused' printed || fail 'the token of a revoked key should be refused'
    say 'The operator asks about each key once an hour, and believes the third refusal of a good one, a minute apart. That' \
        'would take too long here. Of a resource made anew nothing was ever accepted, and one refusal is enough:'
    run 'kubectl delete asccred acme-app-store --timeout=30s'
    run 'kubectl wait --for=delete --timeout=30s secret/acme-app-store'
    run 'kubectl apply -f examples/app-store-connect.yaml'
    run 'kubectl wait --for=condition=Ready=False --timeout=30s asccred/acme-app-store'
    run "kubectl get asccred acme-app-store --output 'jsonpath={.status.conditions[?(@.type==\"Ready\")].message}{\"\\n\"}'"
    grep -q revoked printed || fail 'the message should say what may be wrong with the key'
    run 'kubectl delete asccred acme-app-store --timeout=30s'
    stop api-mount
}

two_renewals_and_a_crash() {
    heading 'Two renewals and a crash, while a workload calls Apple ten times a second'
    mkfifo workload.progress
    exec 3<>workload.progress
    start workload 'python3 demo/workload.py token $APPLE >workload.progress'
    until_workload 'calls >= 20'
    until_workload 'tokens >= 2'
    say "The token was renewed: $calls calls so far, none refused."
    local calls_before=$calls
    show "kill -9 $(pid_of operator)"
    stop operator KILL
    until_workload "calls >= calls_before + 20"
    say "No operator for $((calls - calls_before)) calls, none refused."
    start_operator
    wait_until 10 operator 'test "$(python3 demo/apple.py tokens $APPLE)" -eq "$(tokens_published)"'
    say 'It is back, and asked Apple for no token: the one in the Secret is still good.'
    until_workload 'tokens >= 3'
    say "The token was renewed by the new process: $calls calls so far, none refused."
}

a_new_key() {
    heading 'A new key and its id, in two writes, while the workload goes on'
    run 'openssl ecparam -genkey -name prime256v1 -noout -out new-key.pem'
    run 'openssl ec -in new-key.pem -pubout -out new-public-key.pem'
    say 'It is uploaded beside the first. Apple shows another keyId:'
    printf '{"spec": {"keyId": "%s"}}\n' "$NEW_KEY_ID" >new-id.json
    kubectl patch --local -f acme.json --type merge --patch-file new-id.json --output json >new-acme.json
    python3 demo/apple.py upload new-public-key.pem "$APPLE" <new-acme.json | indent
    # So that the whole life of a token is left for the two writes.
    until_renewed
    run 'kubectl create secret generic acme-key --from-file=private-key.pem=new-key.pem --dry-run=client --output json |
       kubectl replace -f -'
    wait_until 10 operator 'python3 demo/apple.py refusals $APPLE | grep -q .'
    say 'Apple refuses the new key under the old id: the change is half done. The old token stays and works:'
    run 'kubectl get asacred'
    grep -q '^acme *True ' printed || fail 'the resource should be Ready all the while'
    run 'kubectl patch asacred acme --type merge --patch-file new-id.json'
    run 'kubectl wait --for=condition=AccessTokenIssued --timeout=30s asacred/acme'
    python3 demo/apple.py remove "$OLD_KEY_ID" "$APPLE"
    until_renewed
    say 'The old key is taken away at Apple, and the token was renewed without it.'
    stop_workload
    stop operator
}

# That of examples/minimal.yaml, and the next one.
OLD_KEY_ID=bacaebda-e219-41ee-a907-e2c25b24d1b2
NEW_KEY_ID=0b5d1c2e-4f63-4d0a-9a7e-6f1c2b3a4d5e

# Until one more token is published and the workload has used it.
until_renewed() {
    local published_before
    published_before=$(tokens_published)
    wait_until 30 mount '[ "$(tokens_published)" -gt "$published_before" ]'
    until_workload 'tokens > published_before'
}

# Lets the workload tell how it went, which has to be well.
stop_workload() {
    stop workload
    local seconds=''
    # Its last line tells the time too; those before it may still be unread.
    until [ -n "$seconds" ]; do
        read -r -t 10 calls refused tokens seconds <&3 || fail 'the workload did not finish'
    done
    exec 3<&-
    [ "$refused" -eq 0 ] || fail "$refused of $calls calls were refused"
    say "$calls calls in $seconds s with $tokens tokens: none refused."
}

# Follows the workload until the condition holds, and insists that no call is refused on the way.
until_workload() {
    while read -r -t 30 calls refused tokens <&3; do
        [ "$refused" -eq 0 ] || fail "$refused of $calls calls were refused"
        if (($1)); then return; fi
    done
    fail "the workload came to a stop before $1"
}

tokens_published() { sort -u published | wc -l; }

the_bill() {
    heading 'What Apple was asked, and the end'
    # An operator that is asked to stop still publishes what it has been given; the mounted file has it a moment later.
    wait_until 10 mount 'test "$(python3 demo/apple.py tokens $APPLE)" -eq "$(tokens_published)"'
    run "python3 demo/apple.py bill $(tokens_published) \$APPLE"
    say "$(tokens_published) tokens were published: for each one POST and one GET that proved it before it was published." \
        'The token that was refused is that of the half-done change. The ids were resolved once. The restart cost nothing.' \
        'apps are the two questions about the API key, before and after it was revoked; what it signs costs nothing.' \
        '(The campaigns and ci-products are the calls of the workload, and those by hand.)'
    run 'kubectl delete asacred acme --timeout=30s'
    run 'kubectl wait --for=delete --timeout=30s secret/acme secret/acme-client-secret'
    run 'kubectl get secrets'
    say 'The operator is stopped already: both Secrets go by their owner references, and your keys stay.'
}
