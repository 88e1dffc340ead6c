#!/bin/sh
# clients-guest.sh: inside the machine of clients.sh. A case is a function; it runs in a process of its own for each
# engine and runtime. A failure of ocirt where crun or runc do what is expected is ours; where all fail it is a skip.
# What is typed without an engine (bare) is our own promise: no peer excuses it.
# shellcheck disable=SC2016 # $ is for the shell in the container
set -u
here=/clients
. $here/settings # boot which manager
export PATH=/usr/sbin:/usr/bin HOME=/root LC_ALL=C
image=localhost/box
scratch=/var/tmp/clients

# ----- what cases are made of -----

fail() {
    echo "$*"
    echo "after: $last: exit status $code"
    head -n 6 "$d/err" | cut -c1-400 | sed 's/^/stderr: /'
    head -n 6 "$d/out" | cut -c1-400 | sed 's/^/stdout: /'
    exit 1
}
# try COMMAND...: keeps its output and exit status. feed TEXT COMMAND...: with this on its standard input
feed() {
    text=$1 code=0
    shift
    last=$*
    printf '%s' "$text" | "$@" > "$d/out" 2> "$d/err" || code=$?
}
try() {
    last=$* code=0
    "$@" > "$d/out" 2> "$d/err" < /dev/null || code=$?
}
status() { [ $code = "$1" ] || fail "exit status is $code, not $1"; }
says() { grep -qE -- "$1" "$d/out" || fail "stdout has no $1"; }
says_not() { ! grep -qE -- "$1" "$d/out" || fail "stdout has $1"; }
complains() { grep -qE -- "$1" "$d/err" || fail "stderr has no $1"; }
# ok COMMAND...: must succeed and have nothing to complain about
ok() {
    try "$@"
    [ $code = 0 ] && [ ! -s "$d/err" ] || fail "it fails, or complains"
}
# soon PATTERN COMMAND...: it says so within 20 seconds
soon() {
    pattern=$1 tries=40
    shift
    while try "$@"; ! grep -qE -- "$pattern" "$d/out"; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || fail "no $pattern comes"
        sleep 0.5
    done
}
# terminal TEXT COMMAND...: in a pseudo terminal, TEXT being typed
terminal() {
    text=$1
    shift
    feed "$text" script -qe -c "stty rows 33 cols 111; sh $0 engine $engine $runtime $*" /dev/null
}

ordinary() {
    (cd / && setpriv --reuid 1000 --regid 1000 --init-groups env -u DBUS_SESSION_BUS_ADDRESS HOME=/home/user \
        USER=user XDG_RUNTIME_DIR=/run/user/1000 "$@")
}
# e ARG...: the engine under test with the runtime under test
e() {
    case $engine in
    podman) podman --runtime "$runtime" --cgroup-manager "$manager" "$@" ;;
    rootless) ordinary podman --runtime "$runtime" --cgroup-manager "$manager" "$@" ;;
    docker)
        verb=$1
        shift
        case $verb in
        run | create) docker "$verb" --runtime "$runtime" "$@" ;;
        *) docker "$verb" "$@" ;;
        esac ;;
    esac
}
# once [OPTION...] SCRIPT: in a container of its own
once() {
    options=
    while [ $# -gt 1 ]; do options="$options $1"; shift; done
    # shellcheck disable=SC2086 # options are words
    try e run --rm $options $image sh -c "$1"
}
# up OPTION...: a container that lives on
up() { ok e run -d --name "$c" "$@" $image sleep 1000; }
# alive SCRIPT [OPTION...]: the same with a script that ends by saying "up"
alive() {
    script=$1
    shift
    ok e run -d --name "$c" "$@" $image sh -c "$script"
    soon up e logs "$c"
}
inspect() { ok e inspect --format "{{.$1}}" "$c"; }

# ----- podman and docker -----

case_run() {
    ok e run --rm --hostname there -e A=1 -w /tmp $image sh -c 'echo $A $OF_IMAGE $(hostname) $(pwd)'
    says '^1 yes there /tmp$'
}
case_status() {
    once 'echo out; echo err >&2; exit 7'
    status 7
    says '^out$'
    complains '^err$'
}
case_missing() {
    try e run --rm $image nothere
    status 127
    complains 'executable file not found in \$PATH'
}
case_missing_path() { try e run --rm $image /no/there; status 127; }
case_directory() { try e run --rm $image /etc; status 126; }
case_not_executable() { try e run --rm $image /etc/passwd; status 126; }
case_input() { feed hello e run --rm -i $image sh -c 'cat; echo " end"'; status 0; says '^hello end$'; }
case_detached() {
    ok e run -d --name "$c" $image sh -c 'exit 3'
    ok e wait "$c"
    says '^3$'
    inspect State.ExitCode
    says '^3$'
}
case_logs() {
    ok e run -d --name "$c" $image sh -c 'echo one; echo two >&2'
    ok e wait "$c"
    try e logs "$c"
    says '^one$'
    complains '^two$'
}
case_create_start() {
    ok e create --name "$c" $image echo hello
    ok e start -a "$c"
    says '^hello$'
    ok e start -a "$c"
    says '^hello$'
}
case_exec() {
    up -e A=1
    try e exec "$c" sh -c 'echo $A; echo err >&2; exit 5'
    status 5
    says '^1$'
    complains '^err$'
    feed hello e exec -i "$c" cat
    status 0
    says '^hello$'
    ok e exec "$c" sh -c 'for at in 1 self; do cat /proc/$at/cgroup; ls -l /proc/$at/ns | sed "s/.* //"; done'
    # Each line twice: the cgroup and the namespaces of init are its own.
    [ -z "$(sort "$d/out" | uniq -u)" ] || fail "other namespaces, or another cgroup"
}
case_exec_options() {
    up
    ok e exec -e B=2 -w /tmp --user 1000:2000 "$c" sh -c 'echo $B $(pwd) $(id -u) $(id -g)'
    says '^2 /tmp 1000 2000$'
    ok e exec --user user "$c" id
    says 'uid=1000\(user\) gid=1000\(user\) groups=1000\(user\),2000\(more\)'
    ok e exec --privileged "$c" grep CapEff /proc/self/status
    says '00000(1ff|3ff)ffffffff'
}
case_exec_tty() {
    up
    try e exec -t "$c" tty
    status 0
    says '/dev/pts/0'
    terminal 'echo $((6 * 7)); stty size; exit 4
' exec -it "$c" sh
    status 4
    says '^42'
    says '^33 111'
}
case_exec_missing() {
    up
    try e exec "$c" nothere
    status 127
    try e exec -t "$c" nothere
    status 127
}
case_exec_directory() { up; try e exec "$c" /etc; status 126; }
case_exec_no_cwd() { up; try e exec -w /missing "$c" true; [ $code = 126 ] || status 127; }
case_exec_signal() { up; try e exec "$c" sh -c 'kill -9 $$'; status 137; }
case_exec_detached() {
    up
    try e exec -d "$c" sh -c 'echo done > /tmp/file; sleep 1000'
    status 0
    soon done e exec "$c" cat /tmp/file
    # What is still running there is in nobody's way.
    try e rm -f "$c"
    status 0
}
case_exec_no_group() { up --user 1000; ok e exec "$c" id -u; says '^1000$'; }
case_top() { up; ok e top "$c"; says 'sleep 1000'; }
case_stats() {
    up
    try e stats --no-stream "$c"
    status 0
    says "$c.*[1-9][.0-9]*[kKM]i?B / "
}
case_pause() {
    up
    ok e pause "$c"
    inspect State.Status
    says '^paused$'
    try e exec "$c" true
    [ $code != 0 ] || fail "exec into what is paused"
    ok e unpause "$c"
    ok e exec "$c" echo hello
    says '^hello$'
}
case_pause_remove() { up; ok e pause "$c"; try e rm -f "$c"; status 0; }
case_update() {
    up --memory 100m
    try e update --memory 64m --memory-swap 64m --pids-limit 33 "$c"
    status 0
    ok e exec "$c" cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max
    says '^67108864$'
    says '^33$'
    try e update --cpus 0.5 "$c"
    status 0
    ok e exec "$c" cat /sys/fs/cgroup/cpu.max /sys/fs/cgroup/memory.max
    says '^50000 100000$'
    says '^67108864$'
}
case_kill() {
    alive 'trap "echo got; exit 9" USR1; echo up; while :; do sleep 0.1; done'
    ok e kill -s USR1 "$c"
    ok e wait "$c"
    says '^9$'
    ok e logs "$c"
    says '^got$'
    try e kill "$c"
    [ $code != 0 ] || fail "kills what is dead"
}
case_kill_hard() { up; ok e kill "$c"; ok e wait "$c"; says '^137$'; }
case_stop() {
    alive 'trap "exit 3" TERM; echo up; while :; do sleep 0.1; done'
    ok e stop "$c"
    inspect State.ExitCode
    says '^3$'
    ok e rm "$c"
}
case_stop_late() {
    up
    try e stop -t 1 "$c"
    status 0
    inspect State.ExitCode
    says '^137$'
}
case_restart() {
    alive 'echo up; echo x >> /count; exec sleep 1000'
    try e restart -t 0 "$c"
    status 0
    soon 'x' e exec "$c" sh -c 'echo $(cat /count)'
    soon '^x x$' e exec "$c" sh -c 'echo $(cat /count)'
}
case_restart_policy() {
    try e run --name "$c" --restart on-failure:2 $image sh -c 'echo x; exit 1'
    soon '^2$' e inspect --format '{{.RestartCount}}' "$c"
    soon '^exited$' e inspect --format '{{.State.Status}}' "$c"
    [ "$(e logs "$c" | grep -c x)" = 3 ] || fail "not run three times"
}
case_rm() {
    up
    try e rm "$c"
    [ $code != 0 ] || fail "removes what runs"
    try e rm -f "$c"
    status 0
}
case_limits() {
    once --memory 64m --pids-limit 20 --cpus 0.5 --cpu-shares 512 --cpuset-cpus 0 \
        'cd /sys/fs/cgroup; cat memory.max pids.max cpu.max cpu.weight cpuset.cpus'
    status 0
    says '^67108864$'
    says '^20$'
    says '^50000 100000$'
    says '^(20|59)$'
    says '^0$'
}
case_pids() {
    once --pids-limit 5 'for i in 1 2 3 4 5 6 7 8; do sleep 5 & done'
    [ $code != 0 ] || fail "eight of five"
    complains "can't fork"
}
case_oom() {
    ok e run -d --name "$c" --memory 16m --memory-swap 16m $image sh -c 'exec tail -c 100m /dev/zero'
    ok e wait "$c"
    says '^137$'
    inspect State.OOMKilled
    says '^true$'
}
case_read_only() {
    once --read-only --tmpfs /tmp 'touch /tmp/x && echo one; touch /x && echo two; touch /dev/shm/x && echo three'
    says '^one$'
    says_not '^two$'
    complains 'Read-only file system'
    says '^three$'
}
case_user() {
    once --user 1000:2000 'echo $(id -u) $(id -g); touch /x || echo no'
    says '^1000 2000$'
    says '^no$'
    once --user user --group-add 3000 id
    says 'uid=1000\(user\) gid=1000\(user\) groups=1000\(user\),2000\(more\),3000'
}
case_capabilities() {
    capabilities='grep Cap /proc/self/status'
    once --cap-drop all "$capabilities"
    says 'CapBnd:.0000000000000000'
    says 'CapEff:.0000000000000000'
    once --cap-drop all --cap-add net_raw "$capabilities"
    says 'CapBnd:.0000000000002000'
    says 'CapEff:.0000000000002000'
    once --user 1000 --cap-drop all --cap-add net_raw "$capabilities"
    says 'CapEff:.000000000000(0000|2000)' # podman's are ambient, docker's are not
    once --user 1000 'chown 0:0 /tmp'
    [ $code != 0 ] || fail "an ordinary user may chown"
}
case_no_new_privileges() {
    once --security-opt no-new-privileges 'grep NoNewPrivs /proc/self/status'
    says 'NoNewPrivs:.1'
}
case_seccomp() {
    once 'grep Seccomp: /proc/self/status'
    says 'Seccomp:.2'
    once --security-opt seccomp=unconfined 'grep Seccomp: /proc/self/status'
    says 'Seccomp:.0'
    echo '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}]}' > "$d/share/profile"
    once --security-opt "seccomp=$d/share/profile" 'touch /x && echo made; mkdir /y'
    says '^made$'
    complains 'Operation not permitted'
}
case_ulimit() { once --ulimit nofile=100:200 'ulimit -n; ulimit -Hn'; says '^100$'; says '^200$'; }
case_sysctl() {
    once --sysctl kernel.msgmax=9999 --sysctl net.ipv4.ip_default_ttl=77 \
        'cat /proc/sys/kernel/msgmax /proc/sys/net/ipv4/ip_default_ttl'
    says '^9999$'
    says '^77$'
}
case_shm() { once --shm-size 2m 'grep /dev/shm /proc/mounts'; says 'size=2048k'; }
case_tmpfs() {
    once --tmpfs /t:size=1m,mode=700,noexec 'grep " /t " /proc/mounts; stat -c %a /t'
    says 'noexec.*size=1024k'
    says '^700$'
}
case_device() {
    disk=/dev/nvme0n1
    once --device $disk:/dev/mine 'head -c 2 /dev/mine | wc -c; ls -l /dev/mine'
    status 0
    says '^2$'
    once --cap-add mknod "mknod /tmp/d b $((0x$(stat -c %t $disk))) $((0x$(stat -c %T $disk))) && head -c 2 /tmp/d | wc -c"
    says_not '^2$'
    complains 'Operation not permitted'
}
case_masked() {
    once 'head -c 1 /proc/kcore | wc -c; ls /proc/scsi /sys/firmware 2>&1 | wc -l; echo 1 > /proc/sys/kernel/panic'
    says '^0$'
    [ $code != 0 ] || fail "writes to /proc/sys"
    complains 'Read-only'
}
case_privileged() {
    once --privileged 'mount -t tmpfs tmpfs /tmp && echo mounted; ls -d /dev/nvme0n1; grep Seccomp: /proc/self/status'
    says '^mounted$'
    says 'nvme0n1'
    says 'Seccomp:.0'
}
case_volume() {
    echo outside > "$d/share/file"
    once -v "$d/share:/v" -v "$d/share:/r:ro" 'cat /v/file; echo inside > /v/new; echo x > /r/x || echo refused'
    says '^outside$'
    says '^refused$'
    [ "$(cat "$d/share/new")" = inside ] || fail "nothing new outside"
    [ ! -e "$d/share/x" ] || fail "written through a read-only mount"
    once -v "$d/share/file:/etc/one" 'cat /etc/one'
    says '^outside$'
}
case_volume_named() {
    once -v "$c:/etc" 'ls /etc/passwd && echo kept > /etc/kept'
    status 0
    once -v "$c:/x" 'cat /x/kept'
    says '^kept$'
    ok e volume rm "$c"
}
case_volume_readonly_recursive() {
    mkdir "$d/share/sub"
    mount -t tmpfs tmpfs "$d/share/sub"
    once --mount "type=bind,source=$d/share,target=/v,readonly" 'touch /v/x || echo one; touch /v/sub/x || echo two'
    umount "$d/share/sub"
    says '^one$'
}
case_propagation() {
    mkdir "$d/share/sub" "$d/share/back"
    mount -t tmpfs tmpfs "$d/share"
    mount --make-shared "$d/share"
    mkdir "$d/share/sub" "$d/share/back"
    up --privileged -v "$d/share:/slave:rslave" -v "$d/share:/shared:rshared" -v "$d/share:/private:rprivate"
    mount -t tmpfs tmpfs "$d/share/sub"
    touch "$d/share/sub/file"
    ok e exec "$c" sh -c 'ls -d /slave/sub/file /shared/sub/file; ls /private/sub'
    says '^/slave/sub/file$'
    says '^/shared/sub/file$'
    says_not '^file$'
    ok e exec "$c" sh -c 'mount -t tmpfs tmpfs /shared/back && touch /shared/back/inside'
    [ -e "$d/share/back/inside" ] || fail "a shared mount does not come out"
    ok e exec "$c" umount /shared/back
    umount "$d/share/sub"
    try e rm -f "$c"
    umount "$d/share"
}
case_pid_host() { once --pid host "cat /proc/$$/comm"; says '^sh$'; }
case_pid_shared() {
    up
    once --pid "container:$c" 'cat /proc/1/comm; ps'
    says '^sleep$'
    says 'sh -c'
}
case_cgroup_host() { once --cgroupns host 'cat /proc/self/cgroup'; says '^0::/(.+/)?(libpod|docker)'; }
case_cgroup_private() { once --cgroupns private 'cat /proc/self/cgroup; touch /sys/fs/cgroup/x'; says '^0::/$'; complains Read-only; }
case_init() {
    up --init
    ok e exec "$c" cat /proc/1/comm
    says '^(podman-init|catatonit|docker-init|tini)$'
    ok e stop -t 9 "$c" # it passes the signal on, so nobody has to be killed
    inspect State.ExitCode
    says '^143$'
}
case_tty() {
    try e run --rm -t $image sh -c 'tty; test -t 1 && test -c /dev/console && echo console'
    status 0
    says '^/dev/pts/0'
    says '^console'
    terminal 'stty size; echo $((6 * 7)); exit 5
' run --rm -it $image sh
    status 5
    says '^33 111'
    says '^42'
}
case_tty_user() { try e run --rm -t --user 1000 $image sh -c 'echo hello > $(tty)'; status 0; says hello; }
case_healthy() {
    up --health-cmd 'test -e /tmp/well' --health-interval 1s --health-retries 1
    case $engine in
    docker) soon unhealthy e inspect --format '{{.State.Health.Status}}' "$c" ;;
    *)
        try e healthcheck run "$c"
        status 1
        ok e exec "$c" touch /tmp/well
        ok e healthcheck run "$c" ;;
    esac
}
case_copy() {
    up
    echo outside > "$d/share/file"
    try e cp "$d/share/file" "$c:/tmp/file"
    status 0
    ok e exec "$c" cat /tmp/file
    says '^outside$'
}

# ----- podman alone -----

case_userns_auto() { once --userns auto 'cat /proc/self/uid_map; id -u'; status 0; says '^ +0 +[1-9][0-9]{4,} '; says '^0$'; }
case_uidmap() {
    up --uidmap 0:100000:3000 --gidmap 0:300000:3000
    ok e exec "$c" cat /proc/self/uid_map /proc/self/gid_map
    says '^ +0 +100000 +3000$'
    says '^ +0 +300000 +3000$'
    ok e exec --user 1000 "$c" sh -c 'id -u; touch /tmp/x; stat -c %u /tmp/x'
    says '^1000$'
    try e exec -t "$c" tty
    status 0
}
case_keep_id() { once --userns keep-id 'id -u; cat /proc/self/uid_map'; status 0; says '^1000$'; }
case_idmap() {
    touch "$d/share/file"
    once --uidmap 0:100000:2000 --gidmap 0:100000:2000 -v "$d/share:/v:idmap" 'stat -c %u /v/file; touch /v/new'
    status 0
    says '^0$'
    [ "$(stat -c %u "$d/share/new")" = 0 ] || fail "a new file is not root's outside"
}
case_preserve_fds() {
    echo three > "$d/three"
    echo four > "$d/four"
    try e run --rm --preserve-fds 2 $image sh -c 'cat <&3; cat <&4; ls /proc/self/fd' 3< "$d/three" 4< "$d/four"
    status 0
    says '^three$'
    says '^four$'
    try e run --rm --preserve-fd 4 $image sh -c 'cat <&4; cat <&3' 3< "$d/three" 4< "$d/four"
    says '^four$'
    says_not '^three$'
}
case_descriptors() { once 'ls -l /proc/self/fd; ls /proc/self/fd | wc -l'; says '^4$'; }
case_exec_preserve_fds() {
    up
    echo three > "$d/three"
    try e exec --preserve-fds 1 "$c" sh -c 'cat <&3' 3< "$d/three"
    status 0
    says '^three$'
}
case_pod() {
    ok e pod create --name "$c" --share ipc,uts,net --hostname pod
    ok e run -d --pod "$c" --name "$c-1" $image sleep 1000
    ok e run --rm --pod "$c" $image sh -c 'hostname; readlink /proc/self/ns/ipc'
    says '^pod$'
    one=$(cat "$d/out")
    ok e exec "$c-1" sh -c 'hostname; readlink /proc/self/ns/ipc'
    [ "$one" = "$(cat "$d/out")" ] || fail "not the same namespaces"
    ok e pod pause "$c"
    ok e pod unpause "$c"
    try e pod stop -t 0 "$c"
    status 0
    ok e pod start "$c"
    ok e exec "$c-1" echo again
    try e pod rm -f -t 0 "$c"
    status 0
}
case_pod_limits() {
    ok e pod create --name "$c" --memory 64m --cpus 0.5
    ok e run --rm --pod "$c" --cgroupns host $image \
        sh -c 'cd /sys/fs/cgroup/$(cut -d: -f3 /proc/self/cgroup); cat ../memory.max ../../memory.max 2> /dev/null; true' # of the scope too
    says '^67108864$'
    try e pod rm -f -t 0 "$c"
    status 0
}
case_kube() {
    cat > "$d/pod.yaml" << END
apiVersion: v1
kind: Pod
metadata:
  name: kube
spec:
  restartPolicy: Never
  hostNetwork: true
  containers:
  - name: one
    image: $image:latest
    imagePullPolicy: Never
    command: [sh, -c, 'echo from \$WHO; exec sleep 1000']
    env: [{name: WHO, value: kube}]
    resources: {limits: {memory: 64Mi}}
    securityContext: {runAsUser: 1000, readOnlyRootFilesystem: true}
    volumeMounts: [{name: v, mountPath: /v}]
  volumes: [{name: v, emptyDir: {}}]
END
    try e kube play "$d/pod.yaml"
    status 0
    soon '^from kube$' e logs kube-one
    ok e exec kube-one sh -c 'id -u; cat /sys/fs/cgroup/memory.max; touch /x 2> /dev/null || echo read-only'
    says '^1000$'
    says '^67108864$'
    try e kube down "$d/pod.yaml"
    status 0
}
case_build() {
    mkdir "$d/context"
    cp /usr/share/clients/root.tar "$d/context/"
    chmod -R a+rX "$d/context"
    cat > "$d/context/Dockerfile" << 'END'
FROM scratch
ADD root.tar /
ENV A=1
RUN echo $A > /made && id -u >> /made
USER 1000
RUN id -u > /tmp/by && ! touch /x
END
    once= # a layer for each step takes its time
    [ $engine = docker ] || once=--layers=false
    try e build $once -t "$c" "$d/context"
    status 0
    ok e run --rm "$c" cat /made /tmp/by
    says '^1$'
    says '^0$'
    says '^1000$'
    printf 'FROM %s\nRUN exit 9\n' $image > "$d/context/Dockerfile"
    try e build -t "$c" "$d/context"
    [ $code != 0 ] || fail "a step that fails is none"
    complains 'status 9|exit.*9'
    try e rmi -f "$c"
}
cgroup_of() { e inspect --format '{{.State.Pid}}' "$c" | sed 's|.*|/proc/&/cgroup|' | xargs cut -d: -f3; }
case_checkpoint() {
    ok e run -d --name "$c" --memory 64m $image sh -c 'i=0; while :; do i=$((i + 1)); echo $i; sleep 0.2; done'
    soon '^3$' e logs "$c"
    cgroup=$(cgroup_of)
    case $engine in
    docker) try docker checkpoint create "$c" one ;;
    *) try e container checkpoint "$c" ;;
    esac
    status 0
    soon '^exited$' e inspect --format '{{.State.Status}}' "$c"
    case $engine in
    docker) try docker start --checkpoint one "$c" ;;
    *) try e container restore "$c" ;;
    esac
    status 0
    soon '^20$' e logs "$c"
    [ "$(grep -c '^1$' "$d/out")" = 1 ] || fail "it began again"
    [ "$(cgroup_of)" = "$cgroup" ] || fail "it is in $(cgroup_of), not in $cgroup"
    ok cat "/sys/fs/cgroup$cgroup/memory.max"
    says '^67108864$'
}
case_network() {
    once --network bridge --cap-add net_raw 'ip -4 addr show eth0; ping -c 1 -w 9 $(ip route | sed -n "s/default via \([^ ]*\).*/\1/p")'
    status 0
    says 'inet 10\.'
    says '1 packets received'
}
case_hooks() {
    mkdir "$d/hooks"
    printf '#!/bin/sh\ncat > %s/$1\n' "$d" > "$d/hook"
    chmod 755 "$d/hook"
    for stage in prestart poststop; do
        echo "{\"version\": \"1.0.0\", \"hook\": {\"path\": \"$d/hook\", \"args\": [\"hook\", \"$stage\"]},
            \"when\": {\"always\": true}, \"stages\": [\"$stage\"]}" > "$d/hooks/$stage.json"
    done
    ok e --hooks-dir "$d/hooks" run --rm $image echo hello
    says '^hello$'
    grep -q '"pid": *[1-9]' "$d/prestart" || fail "no pid in prestart's state"
    grep -q '"status": *"stopped"' "$d/poststop" || fail "not stopped in poststop's state"
    printf '#!/bin/sh\nexit 1\n' > "$d/hook"
    try e --hooks-dir "$d/hooks" run --rm $image echo hello
    status 126
    says_not hello
}
case_no_cgroup() { once --cgroups disabled 'cat /proc/self/cgroup'; status 0; says_not libpod; }
case_umask() { once --umask 0077 umask; says '^0077$'; }
case_rootfs() {
    mkdir "$d/root"
    tar -xf /usr/share/clients/root.tar -C "$d/root"
    ok e run --rm --rootfs "$d/root" echo hello
    says '^hello$'
    ok e run --rm --rootfs "$d/root:O" sh -c 'touch /new'
    [ ! -e "$d/root/new" ] || fail "not an overlay"
}
case_notify() {
    ok e run --rm --sdnotify container -e N=1 $image sh -c 'ls -d ${NOTIFY_SOCKET:-none}'
    says none # nobody outside to tell
}
case_systemd_mode() { once --systemd always 'grep -c tmpfs /proc/mounts; touch /sys/fs/cgroup/cgroup.procs && mkdir /sys/fs/cgroup/x'; status 0; }
case_named_namespace() {
    ip netns add "$c" 2> /dev/null
    once --network "ns:/run/netns/$c" 'readlink /proc/self/ns/net'
    inside=$(cat "$d/out")
    [ "$inside" = "net:[$(stat -L -c %i "/run/netns/$c")]" ] || fail "not that namespace"
    ip netns del "$c"
}

# ----- buildah -----

from() { ok buildah from --name "$c" $image; }
in_buildah() { try buildah run --runtime "$runtime" --isolation oci "$@"; }
case_buildah_run() {
    from
    in_buildah "$c" -- sh -c 'echo hello; echo kept > /kept; exit 0'
    status 0
    says '^hello$'
    in_buildah "$c" -- cat /kept
    says '^kept$'
    in_buildah "$c" -- sh -c 'exit 7'
    status 7
    in_buildah "$c" -- nothere
    [ $code != 0 ] || fail "runs what is missing"
}
case_buildah_options() {
    from
    in_buildah --user 1000:2000 --hostname there --cap-drop all -v "$d/share:/v" "$c" -- sh -c \
        'echo $(id -u) $(id -g) $(hostname); grep CapBnd /proc/self/status; ls -d /v'
    status 0
    says '^1000 2000 there$'
    says '^/v$'
}
case_buildah_tty() {
    from
    try script -qe -c "buildah run --runtime $runtime --isolation oci -t $c tty" /dev/null
    status 0
    says '/dev/pts/0'
}
case_buildah_build() {
    mkdir "$d/context"
    cp /usr/share/clients/root.tar "$d/context/"
    printf 'FROM scratch\nADD root.tar /\nRUN id -u > /made\nRUN --network=none cat /made\n' > "$d/context/Dockerfile"
    try buildah build --runtime "$runtime" --isolation oci --layers=false -t "$c" "$d/context"
    status 0
    says '^0$'
    printf 'FROM %s\nRUN exit 9\n' $image > "$d/context/Dockerfile"
    try buildah build --runtime "$runtime" --isolation oci -t "$c" "$d/context"
    [ $code != 0 ] || fail "a step that fails is none"
    try buildah rmi "$c"
}
case_buildah_uidmap() {
    ok buildah from --name "$c" --userns-uid-map 0:100000:2000 --userns-gid-map 0:100000:2000 $image
    in_buildah "$c" -- cat /proc/self/uid_map
    status 0
    says '^ +0 +100000 +2000$'
}

# ----- containerd -----

# ctr_run [OPTION...] -- COMMAND...
ctr_run() {
    options=
    while [ "$1" != -- ]; do options="$options $1"; shift; done
    shift
    # shellcheck disable=SC2086 # options are words
    try ctr run --runc-binary "/usr/bin/$runtime" $ctr_cgroup $options $image:latest "$c" "$@"
}
ctr_up() { ctr_run -d "$@" -- sleep 1000; status 0; }
ctr_exec() { try ctr task exec --exec-id "e$$" "$@"; }
case_ctr_run() {
    ctr_run --rm -- echo hello
    status 0
    says '^hello$'
    ctr_run --rm -- sh -c 'echo err >&2; exit 7'
    status 7
    complains '^err$'
}
case_ctr_missing() {
    ctr_run --rm -- nothere
    [ $code != 0 ] || fail "runs what is missing"
    complains 'executable file not found in \$PATH'
}
case_ctr_exec() {
    ctr_up --env A=1
    ctr_exec "$c" sh -c 'echo $A; exit 5'
    status 5
    says '^1$'
    ctr_exec --cwd /tmp --user 1000:2000 "$c" sh -c 'echo $(pwd) $(id -u) $(id -g)'
    says '^/tmp 1000 2000$'
    ctr_exec "$c" nothere
    [ $code != 0 ] || fail "runs what is missing"
    complains 'executable file not found in \$PATH'
    ctr_exec "$c" sh -c 'kill -9 $$'
    status 137
}
case_ctr_tty() {
    try script -qe -c "ctr run --rm -t --runc-binary /usr/bin/$runtime $ctr_cgroup $image:latest $c tty" /dev/null
    status 0
    says '/dev/pts/0'
    ctr_up
    try script -qe -c "ctr task exec -t --exec-id e1 $c tty" /dev/null
    status 0
    says '/dev/pts/0'
}
case_ctr_tasks() {
    ctr_up
    try ctr task ls
    says "$c +[0-9]+ +RUNNING"
    try ctr task ps "$c"
    status 0
    says '^[0-9]+ '
    try ctr task metrics "$c"
    status 0
    says 'memory'
    try ctr task pause "$c"
    status 0
    try ctr task ls
    says "$c +[0-9]+ +PAUSED"
    try ctr task resume "$c"
    status 0
    try ctr task kill -s TERM "$c"
    try ctr task kill -s KILL "$c"
    status 0
    soon "$c +[0-9]+ +STOPPED" ctr task ls
    try ctr task rm "$c"
    [ $code = 137 ] || status 0
}
ctr_cgroup_of() {
    ok ctr task ls
    echo "/sys/fs/cgroup$(cut -d: -f3 "/proc/$(awk -v "c=$c" '$1 == c { print $2 }' "$d/out")/cgroup")"
}
case_ctr_limits() {
    ctr_up --memory-limit 67108864
    cgroup=$(ctr_cgroup_of)
    try cat "$cgroup/memory.max" "$cgroup/../memory.max" # of the scope too
    says '^67108864$'
}
# An annotation of crun's names the cgroup below the scope; runc makes none.
case_ctr_subgroup() {
    [ "$manager" = systemd ] || return 0
    for name in container other ''; do
        case $name in container) named= ;; *) named="--annotation run.oci.systemd.subgroup=$name" ;; esac
        ctr_up $named --memory-limit 67108864
        [ "$(ctr_cgroup_of)" = "/sys/fs/cgroup/system.slice/ctr-$c.scope${name:+/$name}" ] || fail "it is in $(ctr_cgroup_of)"
        try cat "$(ctr_cgroup_of)/memory.max"
        says '^67108864$'
        try ctr task rm -f "$c"
        ok ctr container rm "$c"
        ! ls -d /sys/fs/cgroup/system.slice/ctr-* 2> /dev/null || fail "the scope is still there"
    done
}
case_ctr_options() {
    ctr_run --rm --read-only --user 1000:2000 --mount "type=bind,src=$d/share,dst=/v,options=rbind:ro" -- \
        sh -c 'echo $(id -u) $(id -g); touch /x || touch /v/x || echo refused'
    says '^1000 2000$'
    says '^refused$'
}
case_ctr_privileged() { ctr_run --rm --privileged -- mount -t tmpfs tmpfs /tmp; status 0; }
case_ctr_uidmap() {
    ctr_run --rm --uidmap 0:100000:65536 --gidmap 0:100000:65536 -- cat /proc/self/uid_map
    status 0
    says '^ +0 +100000 +65536$'
}
case_ctr_host_network() { ctr_run --rm --net-host -- ip link; status 0; says 'lo:'; }
case_ctr_configured() {
    ok containerd --config $here/containerd-ocirt.toml config dump
    says "BinaryName = '/usr/bin/ocirt'"
    try ctr plugin ls
    says 'cri +.* ok'
}

# ----- containerd as the kubelet uses it -----

. $here/clients-cri.sh

# ----- the runtime by itself: what systemd's driver does with a scope -----

bare() { "$runtime" --systemd-cgroup "$@"; }
# bare_up NAME SCRIPT RESOURCES [ANNOTATION]: a container whose scope is bare-$c.scope
bare_up() {
    [ -d "$d/root/bin" ] || { mkdir -p "$d/root/dev" "$d/root/proc"; tar -xf /usr/share/clients/root.tar -C "$d/root"; }
    cat > "$d/config.json" << END
{"ociVersion": "1.0.2", "root": {"path": "root"}, "process": {"user": {"uid": 0, "gid": 0}, "cwd": "/", "env": ["PATH=/bin"],
    "args": ["sh", "-c", "$2"], "noNewPrivileges": true}, "annotations": {${4:-}},
 "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}, {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs"}],
 "linux": {"cgroupsPath": "system.slice:bare:$c", "resources": {$3}, "namespaces": [{"type": "pid"}, {"type": "mount"}, {"type": "cgroup"}]}}
END
    ok bare run -d -b "$d" "$1"
    scope=/sys/fs/cgroup/system.slice/bare-$c.scope
    ok bare state "$1"
    inner=/sys/fs/cgroup$(cut -d: -f3 "/proc/$(sed -n 's/.*"pid": *\([0-9]*\).*/\1/p' "$d/out")/cgroup" 2> /dev/null)
}
bare_status() { # NAME STATUS
    ok bare state "$1"
    says "\"status\": *\"$2\""
}
# both FILE PATTERN: on the scope, which has siblings, and where a program finds it
both() {
    for place in "$scope" "$inner"; do
        try cat "$place/$1"
        says "$2"
    done
}
case_bare_limits() {
    bare_up "$c" 'exec sleep 1000' '"memory": {"limit": 67108864}, "cpu": {"quota": 50000, "period": 100000, "burst": 20000},
        "unified": {"memory.high": "62914560", "cpu.weight.nice": "-5", "cgroup.max.descendants": "7"}'
    both memory.max '^67108864$'
    both memory.high '^62914560$'
    both cpu.max '^50000 100000$'
    both cpu.max.burst '^20000$' # what systemd has no property for: written by none but us
    both cpu.weight.nice '^-5$'
    try cat "$inner/cgroup.max.descendants"
    says '^7$'
    try cat "$scope/cgroup.max.descendants"
    says '^max$'
    ok bare update --cpu-burst 10000 --memory 50331648 "$c"
    both cpu.max.burst '^10000$'
    both memory.max '^50331648$'
    ok systemctl daemon-reload
    both cpu.max.burst '^10000$'
    both cpu.weight.nice '^-5$'
    both memory.max '^50331648$'
}
# An update that fails has changed nothing: not on the scope, not below it, and not what systemd thinks.
case_bare_update() {
    bare_up "$c" 'exec sleep 1000' '"memory": {"limit": 50331648}, "cpu": {"quota": 50000, "burst": 10000}, "unified": {"cpu.weight": "59"}'
    feed '{"memory": {"limit": 58720256}, "cpu": {"burst": 30000}, "unified": {"cpu.weight.nice": "3", "io.max": "99:99 rbps=1"}}' \
        bare update -r - "$c"
    [ $code != 0 ] || fail "takes a device that is not there"
    both cpu.max.burst '^10000$'
    both cpu.weight '^59$'
    both memory.max '^50331648$'
    ok systemctl show -P MemoryMax -P CPUWeight "bare-$c.scope"
    says '^50331648$'
    says '^59$'
    ok systemctl set-property --runtime "bare-$c.scope" CPUQuota=20%
    ok bare update --cpu-period 50000 "$c"
    both cpu.max '^10000 50000$|^20000 50000$'
}
case_bare_counts() {
    bare_up "$c" 'dd if=/dev/zero of=/root/file bs=1M count=64 2> /dev/null; while :; do :; done' \
        '"memory": {"limit": 33554432}, "cpu": {"quota": 20000, "period": 100000}'
    soon '"failcnt":[1-9]' bare events --stats "$c"
    soon '"throttledPeriods":[1-9]' bare events --stats "$c"
}
case_bare_frozen() {
    bare_up "$c" 'exec sleep 1000' ''
    ok systemctl freeze "bare-$c.scope"
    bare_status "$c" paused
    ok bare resume "$c"
    bare_status "$c" running
    ok bare pause "$c"
    try cat "$inner/cgroup.events"
    says '^frozen 1$'
    try cat "$scope/cgroup.freeze"
    says '^1$'
    # What may write its own cgroup can freeze itself: nobody must wait for it.
    echo 1 > "$inner/cgroup.freeze"
    ok bare resume "$c"
    try cat "$inner/cgroup.events"
    says '^frozen 0$'
    echo 1 > "$inner/cgroup.freeze"
    bare_status "$c" paused
    try bare exec "$c" true
    [ $code != 0 ] || fail "runs in what is frozen"
    complains 'paused'
    ok bare resume "$c"
    ok bare exec "$c" true
    ok bare pause "$c"
    ok bare delete --force "$c"
    [ ! -e "$scope" ] || fail "the scope is still there"
}
# The scope of a container that has ended is gone, and another one may have its name.
case_bare_again() {
    for old in "$c-1" "$c-2"; do
        bare_up "$old" 'exec true' ''
        soon stopped bare state "$old"
    done
    bare_up "$c" 'exec sleep 1000' ''
    try bare kill --all "$c-1" KILL
    ok bare delete "$c-1"
    bare_status "$c" running
    echo damaged > "/run/$runtime/$c-2/state.json"
    ok bare delete --force "$c-2"
    bare_status "$c" running
    try cat "$scope/cgroup.events"
    says '^populated 1$'
    ok bare exec "$c" true
}
# systemd keeps a scope that has failed until it is told to forget it, also if the record of it cannot be read.
case_bare_oom() {
    for record in whole damaged; do
        bare_up "$c" 'exec tail /dev/zero' '"memory": {"limit": 33554432, "swap": 33554432}, "unified": {"memory.oom.group": "1"}'
        soon stopped bare state "$c"
        soon failed systemctl list-units --all --no-legend 'bare-*'
        [ $record = whole ] || echo damaged > "/run/$runtime/$c/state.json"
        ok bare delete --force "$c"
        ok systemctl list-units --all --no-legend 'bare-*'
        says_not .
    done
}
# What cannot be read on a record is known of the plan.
case_bare_damaged() {
    bare_up "$c" 'exec sleep 1000' ''
    echo damaged > "/run/$runtime/$c/state.json"
    ok bare delete --force "$c"
    [ ! -e "$scope" ] || fail "the scope is still there"
    ok systemctl list-units --all --no-legend 'bare-*'
    says_not .
}
# Without a cgroup below it the scope is the container's.
case_bare_scope_alone() {
    bare_up "$c" 'exec sleep 1000' '"memory": {"limit": 67108864}, "cpu": {"burst": 20000, "quota": 50000}' '"run.oci.systemd.subgroup": ""'
    [ "$inner" = "$scope" ] || fail "it is in $inner"
    try cat "$scope/memory.max" "$scope/cpu.max.burst"
    says '^67108864$'
    says '^20000$'
    ok bare update --memory 50331648 "$c"
    try cat "$scope/memory.max"
    says '^50331648$'
    ok bare pause "$c"
    bare_status "$c" paused
    ok bare resume "$c"
    bare_status "$c" running
    ok bare delete --force "$c"
    [ ! -e "$scope" ] || fail "the scope is still there"
}
# A limit under which no process can begin is named, though systemd may have removed its cgroup with the counts.
case_bare_small() {
    bare_up "$c" 'exec true' ''
    ok bare delete --force "$c"
    sed -i 's/"resources": {/&"memory": {"limit": 16384}/' "$d/config.json"
    try bare run -b "$d" "$c"
    [ $code != 0 ] || fail "runs in 16 KiB"
    complains 'linux.resources.memory.limit( that)? is too small'
}

# ----- which case for which engine: ! is in the short run, + in its boot with systemd only -----

table() {
    cat << 'END'
run podman! docker+ rootless+
status podman docker
missing podman+ docker rootless
missing_path podman docker
directory podman docker
not_executable podman docker
input podman docker rootless
detached podman docker rootless
logs podman docker rootless
create_start podman docker
exec podman! docker rootless+
exec_options podman docker
exec_tty podman+ docker+ rootless
exec_missing podman docker
exec_directory podman docker
exec_no_cwd podman docker
exec_signal podman docker
exec_detached podman docker
exec_no_group podman docker
top podman docker+ rootless
stats podman docker
pause podman+ docker
pause_remove podman docker
update podman+ docker+
kill podman docker rootless
kill_hard podman docker
stop podman docker rootless
stop_late podman docker
restart podman docker
restart_policy podman docker
rm podman docker
limits podman+ docker
pids podman docker
oom podman docker
read_only podman docker rootless
user podman docker rootless
capabilities podman docker rootless
no_new_privileges podman docker
seccomp podman docker rootless
ulimit podman docker
sysctl podman docker
shm podman docker
tmpfs podman docker
device podman docker
masked podman docker
privileged podman docker rootless
volume podman docker rootless
volume_named podman docker rootless
volume_readonly_recursive podman docker
propagation podman docker
pid_host podman docker
pid_shared podman docker
cgroup_host podman docker
cgroup_private podman docker
init podman docker rootless
tty podman+ docker rootless
tty_user podman docker
healthy podman docker
copy podman docker
userns_auto podman
uidmap podman
keep_id rootless
idmap podman+
preserve_fds podman rootless
exec_preserve_fds podman
descriptors podman docker rootless
pod podman rootless
pod_limits podman
kube podman
build podman docker rootless
checkpoint podman docker
network podman
hooks podman
no_cgroup podman rootless
umask podman rootless
rootfs podman
systemd_mode podman
named_namespace podman
buildah_run buildah
buildah_options buildah
buildah_tty buildah
buildah_build buildah+
buildah_uidmap buildah
ctr_configured ctr
ctr_run ctr!
ctr_missing ctr
ctr_exec ctr+
ctr_tty ctr+
ctr_tasks ctr+
ctr_limits ctr
ctr_subgroup ctr
ctr_options ctr
ctr_privileged ctr
ctr_uidmap ctr
ctr_host_network ctr
cri_run cri
cri_exec cri
cri_stop cri
cri_limits cri
cri_oom cri
cri_security cri
cri_shared cri
cri_volume cri
bare_limits bare+
bare_update bare+
bare_counts bare+
bare_frozen bare+
bare_again bare+
bare_oom bare+
bare_damaged bare+
bare_scope_alone bare+
bare_small bare+
END
}

# ----- the machine -----

mounts() {
    mount -t proc proc /proc
    mount -t sysfs sysfs /sys
    for place in /run /tmp /dev/shm; do mkdir -p $place && mount -t tmpfs -o mode=1777 tmpfs $place; done
    mkdir -p /dev/pts
    mount -t devpts -o ptmxmode=666,mode=620,gid=5 devpts /dev/pts
    ln -sf /proc/self/fd /dev/fd
    mount -t cgroup2 -o nsdelegate,memory_recursiveprot cgroup2 /sys/fs/cgroup
    mkdir /sys/fs/cgroup/init
    echo $$ > /sys/fs/cgroup/init/cgroup.procs
    for controller in $(cat /sys/fs/cgroup/cgroup.controllers); do
        echo "+$controller" > /sys/fs/cgroup/cgroup.subtree_control
    done
    mount --make-rshared /
    ip link set lo up
    echo clients > /proc/sys/kernel/hostname
}

settle() {
    chmod 755 $here
    cp $here/ocirt /usr/bin/ocirt
    chmod 755 /usr/bin/ocirt
    mkdir -p /etc/containers/containers.conf.d /etc/docker $scratch
    cp $here/podman-ocirt.conf /etc/containers/containers.conf.d/ocirt.conf
    # Cases that are about the network name theirs.
    printf '[containers]\nnetns = "none"\nlog_driver = "k8s-file"\n[engine]\nevents_logger = "file"\n' \
        > /etc/containers/containers.conf.d/clients.conf
    echo 1 > /proc/sys/net/ipv4/ip_forward # or docker complains
    # The name runc is docker's own, crun's is not.
    sed 's|"runtimes": {|& "crun": {"path": "/usr/bin/crun"},|' $here/docker-daemon.json > /etc/docker/daemon.json
    if [ "$boot" = plain ]; then mkdir -p /run/user/1000; chown 1000:1000 /run/user/1000; chmod 700 /run/user/1000; fi
    if [ "$boot" = systemd ]; then systemctl start user@1000 || journalctl -b --no-pager -n 10; fi
}

# The example with all three runtimes as handlers of CRI, and the image that a pod begins with.
handlers() {
    plugin="[plugins.'io.containerd.cri.v1"
    sed "s/SystemdCgroup = .*/SystemdCgroup = $([ "$manager" = systemd ] && echo true || echo false)/" $here/containerd-ocirt.toml
    for name in crun runc; do
        echo "$plugin.runtime'.containerd.runtimes.$name]
            runtime_type = 'io.containerd.runc.v2'
            $plugin.runtime'.containerd.runtimes.$name.options]
            BinaryName = '/usr/bin/$name'
            SystemdCgroup = $([ "$manager" = systemd ] && echo true || echo false)"
    done
    echo "$plugin.images'.pinned_images]
        sandbox = 'localhost/pause:latest'"
}

# A service of our own rather than the packages' units: the same in both boots.
serve() {
    if [ "$boot" = systemd ]; then
        systemd-run -q --unit "clients-$1" -p Delegate=yes -p KillMode=process "$@"
    else
        "$@" > "/var/log/$1" 2>&1 < /dev/null &
    fi
}
until_there() { # COMMAND...
    tries=240
    until "$@" > /dev/null 2>&1; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || { echo "not ok - $*: no answer"; return 1; }
        sleep 0.5
    done
}
# ready ENGINE: before each of its cases
ready() {
    [ ! -e "$scratch/$1" ] || return 0
    : > "$scratch/$1"
    case $1 in
    podman | buildah) podman load -q -i /usr/share/clients/box.tar ;;
    rootless) ordinary podman load -q -i /usr/share/clients/box.tar ;;
    ctr)
        handlers > /etc/containerd.toml
        serve containerd --config /etc/containerd.toml
        until_there ctr version
        ctr image import /usr/share/clients/box.tar ;;
    cri)
        ready ctr
        for name in box pause; do ctr -n k8s.io image import /usr/share/clients/$name.tar; done ;;
    docker)
        ready ctr # its containerd is docker's too
        serve dockerd --experimental --exec-opt native.cgroupdriver="$manager" --bridge none --iptables=false --ip6tables=false
        until_there docker version
        docker load -q -i /usr/share/clients/box.tar ;;
    esac 2>&1 | grep '^not ok'
}

# ----- running them -----

state_of() { # ENGINE RUNTIME
    case $1 in
    rootless) echo "/run/user/1000/$2" ;;
    docker) echo /run/docker/runtime-runc/moby ;;
    ctr) echo /run/containerd/runc/default ;;
    cri) echo /run/containerd/runc/k8s.io ;;
    *) echo "/run/$2" ;;
    esac
}

# one ENGINE CASE RUNTIME: the case, and whether it leaves something behind
one() {
    engine=$1 runtime=$3 c=$1-$2-$3 last=none code=0
    d=$scratch/$c
    rm -rf "$d"
    mkdir -p "$d/share"
    chmod 755 "$d"
    chmod 777 "$d/share"
    : > "$d/out"
    : > "$d/err"
    ctr_cgroup=
    [ "$manager" != systemd ] || ctr_cgroup="--runc-systemd-cgroup --cgroup system.slice:ctr:$c"
    "case_$2"
}
clear_up() { # ENGINE CASE RUNTIME
    engine=$1 runtime=$3 c=$1-$2-$3
    case $engine in
    podman | rootless)
        e rm -f -t 0 -a
        case $2 in pod* | kube) e pod rm -f -t 0 -a ;; esac ;;
    docker) docker rm -f "$c" ;;
    buildah) buildah rm "$c" ;;
    bare) for each in "$c" "$c-1" "$c-2"; do bare delete -f "$each"; done ;;
    cri) remove_pods ;;
    ctr)
        ctr task kill -s KILL "$c"
        sleep 0.5
        ctr task rm -f "$c"
        ctr container rm "$c" ;;
    esac > /dev/null 2>&1
    left=$(ls "$(state_of "$engine" "$runtime")" 2> /dev/null)
    [ -z "$left" ] || echo "left behind: $left"
    rm -rf "${scratch:?}/$c"
}

wanted() { # ENGINE CASE RUNTIME
    while read -r glob; do
        # shellcheck disable=SC2254 # a pattern
        case $1.$2.$3 in ${glob:-*}) return 0 ;; esac
    done < $here/globs
    return 1
}

all() {
    table | while read -r name engines; do
        for entry in $engines; do
            echo "${entry%[+!]} $name $entry"
        done
    done > $scratch/cases
    for engine in bare podman rootless buildah ctr cri docker; do
        while read -r with name entry; do
            [ "$with" = $engine ] || continue
            case $which.$boot.$entry in
            *.plain.bare*) continue ;;
            short.*! | short.systemd.*+) ;;
            short.* | long.*[+!]) continue ;;
            esac
            judge $engine "$name"
        done < $scratch/cases
    done
}

# judge ENGINE CASE: with ocirt, and with its peers
judge() {
    label=$1.${2#"$1"_}
    ours=none peers=
    for r in ocirt crun runc; do
        wanted "$1" "${2#"$1"_}" $r || continue
        # A peer takes its time, so most of the time it's only asked about what fails.
        [ $r = ocirt ] || [ "$which" = peers ] || { [ $ours != good ] && [ "$1" != bare ]; } || continue
        ready "$1"
        result=good
        timeout -k 5 200 sh "$0" one "$1" "$2" $r > $scratch/said 2>&1 < /dev/null || result=bad$?
        [ $result != bad124 ] || echo "no end after 200 s" >> $scratch/said
        [ $result = good ] || result=bad
        clear_up "$1" "$2" $r > $scratch/left < /dev/null
        [ ! -s $scratch/left ] || { result=bad; cat $scratch/left >> $scratch/said; }
        sed 's/^/#   /' $scratch/said > $scratch/said.$r
        [ $r != ocirt ] || ours=$result
        [ $r = ocirt ] || peers="$peers $result"
        echo "$r $result" >> $scratch/results.$label
    done
    [ -e $scratch/results.$label ] || return 0
    while read -r r result; do
        case $r.$result in
        *.good) echo "ok - $label.$r"; continue ;;
        ocirt.*)
            case $1$peers in
            bare* | *good* | "$1") echo "not ok - $label.$r" ;;
            *) echo "skip - $label.$r: fails with crun and runc too" ;;
            esac ;;
        *) echo "skip - $label.$r: fails" ;;
        esac
        cat $scratch/said.$r
    done < $scratch/results.$label
    echo "# $(cut -d' ' -f1 /proc/uptime) s"
}

case ${1:-} in
one) shift; one "$@"; exit 0 ;;
engine) engine=$2 runtime=$3; shift 3; e "$@"; exit ;;
esac

exec > /dev/ttyS1 2>&1 < /dev/null
[ "$boot" = systemd ] || mounts
settle
echo "# $(uname -r), $(cut -d' ' -f1 /proc/uptime) s"
all
echo end
sync
echo 1 > /proc/sys/kernel/sysrq
echo b > /proc/sysrq-trigger
