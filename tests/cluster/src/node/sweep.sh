# Undoes what a node does to a machine beyond its directory, however its processes ended.
#
#   sweep.sh FOLDER look     before the node starts: notes in FOLDER/found what is there
#   sweep.sh FOLDER          after its processes were killed: pods, mounts, networks, rules, settings go back to that
#
# The reaper runs it as root. What is somebody else's was there before and stays.
dir=$1
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
cd / || exit
settings='net/ipv4/ip_forward net/ipv4/conf/all/route_localnet kernel/panic kernel/panic_on_oops vm/overcommit_memory
    vm/panic_on_oom kernel/keys/root_maxkeys kernel/keys/root_maxbytes net/netfilter/nf_conntrack_tcp_timeout_established
    net/netfilter/nf_conntrack_tcp_timeout_close_wait net/netfilter/nf_conntrack_max
    net/netfilter/nf_conntrack_tcp_be_liberal'
paths='/run/containerd /run/netns /run/xtables.lock /run/mount /var/lib/kubelet /var/lib/cni /var/lib/containerd /var/lib/kube-proxy
    /var/log/containers /var/log/pods /etc/cni /usr/libexec/kubernetes /opt/cni /opt/containerd'

if [ "${2:-}" = look ]; then
    mkdir "$dir/found" && cd "$dir/found" || exit
    for setting in $settings; do
        [ -e "/proc/sys/$setting" ] && echo "$setting $(cat "/proc/sys/$setting")"
    done >settings
    for path in $paths; do
        [ -e "$path" ] || echo "$path"
    done >absent
    ls /run/netns >namespaces 2>/dev/null
    nft list tables >tables
    echo "$dir/containerd.sock" >socket
    exit
fi

# Processes of pods are in cgroups of the kubelet's; a shim names the socket of its containerd.
processes() {
    find /sys/fs/cgroup -path '*/kubepods/*' -name cgroup.procs -exec cat {} + 2>/dev/null
    # The pattern comes from a file, as else grep would find itself.
    grep -lF -f "$dir/found/socket" /proc/[0-9]*/cmdline 2>/dev/null | sed 's|/proc/\([0-9]*\)/.*|\1|'
}
attempts=100
while found=$(processes | sort -u | grep -vx "$$") && [ -n "$found" ] && [ "$attempts" -gt 0 ]; do
    for pid in $found; do kill -s KILL "$pid"; done
    attempts=$((attempts - 1))
    sleep 0.1
done

# Innermost first: in the table of mounts a later one is further in.
mounts() { awk -v dir="$1/" 'index($5 "/", dir) == 1 {print $5}' /proc/self/mountinfo | tac; }
for point in $(mounts "$dir"); do umount "$point" || umount -l "$point"; done

for namespace in /run/netns/*; do
    [ -e "$namespace" ] || continue
    grep -qxF "${namespace##*/}" "$dir/found/namespaces" || ip netns del "${namespace##*/}"
done
ip link del asa0
if grep -qx /run/netns "$dir/found/absent"; then
    for point in $(mounts /run/netns); do umount "$point"; done
fi

# A table that was there before keeps what is in it but for the chains of Kubernetes.
nft list tables | while read -r word family table; do
    if ! grep -qx "$word $family $table" "$dir/found/tables"; then
        nft delete table "$family" "$table"
    fi
done
for tool in iptables ip6tables; do
    for table in mangle nat filter; do
        family=ip
        [ "$tool" = ip6tables ] && family=ip6
        grep -qx "table $family $table" "$dir/found/tables" || continue
        "$tool" -w -t "$table" -S | sed -n 's/^-A \(.* -j KUBE-.*\)/\1/p' | while read -r rule; do
            echo "-D $rule" | xargs "$tool" -w -t "$table"
        done
        for chain in $("$tool" -w -t "$table" -S | sed -n 's/^-N \(KUBE-.*\)/\1/p'); do "$tool" -w -t "$table" -F "$chain"; done
        for chain in $("$tool" -w -t "$table" -S | sed -n 's/^-N \(KUBE-.*\)/\1/p'); do "$tool" -w -t "$table" -X "$chain"; done
    done
done

find /sys/fs/cgroup -depth -type d -path '*/kubepods*' -exec rmdir {} \; 2>/dev/null
while read -r setting value; do
    [ "$(cat "/proc/sys/$setting")" = "$value" ] || echo "$value" >"/proc/sys/$setting"
done <"$dir/found/settings"
while read -r path; do rm -rf --one-file-system "$path"; done <"$dir/found/absent"
true
