# clients-cri.sh, sourced by clients-guest.sh: what the kubelet asks of containerd, with a pod and its containers. There is
# no client of CRI among Debian's packages, so the messages are written here; their numbers are those of api.proto.
# shellcheck shell=sh disable=SC2016,SC2034,SC2059,SC2154 # $ is for the shell in the container; bytes are formats; the
# rest is the sourcing script's

# ----- messages: no byte of them is zero, so they can be values of variables -----

byte() { printf "\\$(printf %03o "$1")"; }
varint() {
    n=$1
    while [ "$n" -gt 127 ]; do byte $((n % 128 + 128)); n=$((n / 128)); done
    byte "$n"
}
number() { varint $(($1 * 8)); varint "$2"; } # FIELD VALUE, which is not 0
text() { # FIELD TEXT or message, which is not empty
    varint $(($1 * 8 + 2))
    varint ${#2}
    printf %s "$2"
}
words() { field=$1; shift; for word in "$@"; do text "$field" "$word"; done; }

# cri METHOD MESSAGE: as try does
cri() {
    last="CRI $1" n=${#2}
    { byte 0; for by in 24 16 8 0; do byte $((n >> by & 255)); done; printf %s "$2"; } > "$d/request"
    curl -sS --http2-prior-knowledge --unix-socket /run/containerd/containerd.sock -H content-type:application/grpc -H te:trailers \
        -D "$d/head" -o "$d/answer" --data-binary "@$d/request" "http://localhost/runtime.v1.RuntimeService/$1" 2> "$d/err"
    tail -c +6 "$d/answer" > "$d/out"
    code=$(tr -d '\r' < "$d/head" | sed -n 's/^grpc-status: //p')
    sed -n 's/^grpc-message: //p' "$d/head" >> "$d/err"
    code=${code:-none}
}
good() { cri "$@"; status 0; }
answered() { grep -aoE '[0-9a-f]{64}' "$d/out" | head -n 1; }
# has HEX: these bytes are in the answer
has() { od -An -v -tx1 "$d/out" | tr -d ' \n' | grep -q "$1" || fail "the answer has no $1"; }

# ----- a pod and its containers -----

namespaces="$(number 1 2; number 2 1)" # the node's network, a container's own processes
mount=
name=x
pod_config() {
    case $manager in systemd) parent=clients.slice ;; *) parent=/clients ;; esac
    text 1 "$(words 1 "$c"; words 2 uid; words 3 default)"
    text 3 "$d/log"
    text 8 "$(text 1 $parent; text 2 "$(text 1 "$namespaces")")"
}
pod() {
    mkdir -p "$d/log"
    good RunPodSandbox "$(text 1 "$(pod_config)"; text 2 "$runtime")"
    pod=$(answered)
    echo "$pod" >> "$scratch/pods"
}
# container SCRIPT [RESOURCES [SECURITY]]: created and started, its id in $id
container() {
    name=${name}x # each needs one of its own
    inside="$(text 3 "$namespaces")${3:-}"
    linux=
    [ -z "${2:-}" ] || linux=$(text 1 "$2")
    config=$(
        text 1 "$(text 1 "$name")"
        text 2 "$(text 1 "$image:latest")"
        words 3 sh -c "$1"
        text 6 "$(text 1 A; text 2 1)"
        [ -z "$mount" ] || text 7 "$mount"
        text 11 one
        text 15 "$linux$(text 2 "$inside")"
    )
    good CreateContainer "$(text 1 "$pod"; text 2 "$config"; text 3 "$(pod_config)")"
    id=$(answered)
    good StartContainer "$(text 1 "$id")"
}
# inside SCRIPT: the way of a probe
inside() { good ExecSync "$(text 1 "$id"; words 2 sh -c "$1"; number 3 20)"; }
# ended STATUS: the container, within 20 seconds
ended() {
    tries=40
    while good ContainerStatus "$(text 1 "$id")"; ! od -An -v -tx1 "$d/out" | tr -d ' \n' | grep -q '[0-9a-f]1802'; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || fail "it does not end"
        sleep 0.5
    done
    [ "$1" = 0 ] || has "$(number 7 "$1" | od -An -tx1 | tr -d ' \n')"
}
remove_pods() {
    while read -r pod; do
        d=$scratch c=$scratch
        cri StopPodSandbox "$(text 1 "$pod")"
        cri RemovePodSandbox "$(text 1 "$pod")"
    done < "$scratch/pods"
    : > "$scratch/pods"
} 2> /dev/null

case_cri_run() {
    pod
    container 'echo out $A; echo err >&2; exit 7'
    ended 7
    grep -q 'stdout F out 1' "$d/log/one" && grep -q 'stderr F err' "$d/log/one" || fail "not in the log: $(cat "$d/log/one")"
    good RemoveContainer "$(text 1 "$id")"
}
case_cri_exec() {
    pod
    container 'sleep 1000'
    good ExecSync "$(text 1 "$id"; words 2 sh -c 'echo out; echo err >&2; exit 5')"
    says out
    says err
    has 1805
    cri ExecSync "$(text 1 "$id"; words 2 nothere)"
    [ $code != 0 ] || fail "runs what is missing"
    complains 'executable file not found in \$PATH'
    cri ExecSync "$(text 1 "$id"; words 2 sleep 100; number 3 1)"
    status 4 # deadline exceeded
    inside 'pidof sleep | wc -w'
    says '^.*1$' # nothing is left of it
}
case_cri_stop() {
    pod
    container 'trap "exit 3" TERM; while :; do sleep 0.1; done'
    inside 'true'
    good StopContainer "$(text 1 "$id"; number 2 20)"
    ended 3
    good RemoveContainer "$(text 1 "$id")"
    container 'exec sleep 1000'
    good StopContainer "$(text 1 "$id"; number 2 1)"
    ended 137
}
case_cri_limits() {
    limits='cd /sys/fs/cgroup; echo $(cat memory.max cpu.max cpu.weight) $(cat /proc/1/oom_score_adj)'
    pod
    container 'sleep 1000' "$(number 1 100000; number 2 50000; number 3 2048; number 4 67108864; number 5 900)"
    inside "$limits"
    says '67108864 50000 100000 [0-9]+ 900'
    good UpdateContainerResources "$(text 1 "$id"; text 2 "$(number 1 100000; number 2 20000; number 4 33554432)")"
    inside "$limits"
    says '33554432 20000 100000'
    good ContainerStats "$(text 1 "$id")"
}
case_cri_oom() {
    pod
    container 'exec tail -c 100m /dev/zero' "$(number 4 16777216)"
    ended 137
    says OOMKilled
}
case_cri_security() {
    pod
    container 'sleep 1000' '' "$(text 1 "$(text 2 ALL)"; text 5 "$(number 1 1000)"; number 7 1; number 11 1; words 13 /proc/kcore; words 14 /proc/sys)"
    inside 'id -u; grep -E "CapBnd|NoNewPrivs" /proc/self/status; touch /x || echo no; head -c 1 /proc/kcore | wc -c'
    says '1000$'
    says 'CapBnd:.0000000000000000'
    says 'NoNewPrivs:.1'
    says '^no$'
    says '^0$'
}
case_cri_shared() {
    namespaces=$(number 1 2)
    pod
    container 'exec sleep 1001'
    first=$id
    inside 'for kind in pid ipc; do readlink /proc/self/ns/$kind; done'
    first_namespaces=$(grep -aoE '(pid|ipc):\[[0-9]+' "$d/out")
    container 'exec sleep 1002'
    inside 'for kind in pid ipc; do readlink /proc/self/ns/$kind; done'
    [ "$first_namespaces" = "$(grep -aoE '(pid|ipc):\[[0-9]+' "$d/out")" ] || fail "the pod's namespaces are not shared"
    inside 'pidof sleep | wc -w'
    says '3$'
    id=$first
    good StopContainer "$(text 1 "$id"; number 2 1)"
}
case_cri_volume() {
    echo outside > "$d/share/file"
    pod
    mount="$(text 1 /v; text 2 "$d/share")"
    container 'sleep 1000'
    inside 'cat /v/file; echo inside > /v/new'
    says 'outside'
    [ "$(cat "$d/share/new")" = inside ] || fail "nothing new outside"
}
