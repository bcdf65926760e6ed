#!/bin/sh
# What can be said of files without building anything: scripts, Dockerfiles and YAML are as their linters like them, programs parse,
# and nothing names a path of somebody's machine.
set -eu
cd "$(dirname "$0")/.."
failed=0
programs=$(python3 tools/fetched.py lint)

files() {
    git ls-files --cached --others --exclude-standard 2>/dev/null \
        || find . -type f ! -path './target/*' ! -path './.git/*'
}

for script in $(files | grep -E '\.sh$|^(\./)?\.ci/run$'); do
    [ -e "$script" ] || continue
    # The first line names the shell. A file without one is read by another script, and checked more closely with that.
    case $(head -n 1 "$script") in
        '#!/bin/sh') sh -n "$script" || failed=1 ;;
        *) bash -n "$script" || failed=1 ;;
    esac
    if head -n 1 "$script" | grep -q '^#!'; then
        "$programs/shellcheck" --external-sources --check-sourced "$script" || failed=1
    fi
done

for dockerfile in $(files | grep -E '(^|/)Dockerfile$'); do
    [ -e "$dockerfile" ] || continue
    "$programs/hadolint" "$dockerfile" || failed=1
done

# The chart's templates become YAML when helm renders them.
files | grep -E '\.ya?ml$' | grep -v '/templates/' | tr '\n' '\0' \
    | xargs -0 "$programs/yamllint" --strict --config-file tools/yamllint.yaml || failed=1

for program in $(files | grep '\.py$'); do
    [ -e "$program" ] || continue
    python3 -c 'import ast, sys; ast.parse(open(sys.argv[1], encoding="utf-8").read(), sys.argv[1])' "$program" || failed=1
done

# A home or a workspace is somebody's; /tmp/… and /etc/… are everybody's.
if files | tr '\n' '\0' | xargs -0 grep -nIE '(^|[^[:alnum:]_.~-])/(root|work|Users/[a-z]+|home/[a-z]+)/' /dev/null 2>/dev/null; then
    echo 'these lines name a path of one machine' >&2
    failed=1
fi
exit "$failed"
