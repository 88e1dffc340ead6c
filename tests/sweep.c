/* sweep.c: families of tests made from the trace of a scenario: every call of every role fails, lies, or is the
 * last one before a SIGKILL. By default a sample; OCIRT_SWEEP=full takes every point with every errno. */
#include "sweep.h"
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#ifndef SYS_openat2
#define SYS_openat2 437
#endif

/* ---- scenarios ---- */

static const char *const what_names[] = {"run", "create", "start", "delete", "exec"};
static const char *const extent_names[] = {"small", "fat", "whole", "other"};

static char *hook(const char *kind) {
    return print("\"%s\":[{\"path\":\"%s\",\"args\":[\"payload\",\"payload-script\",\"exit\",\"0\"]}]", kind, test_exe());
}

/* ---- all that confines and limits ---- */

static const char *agent_path(const struct scene *s) { return print("%s/agent", s->t->dir); }

/* Of a message with one descriptor, or none. */
static int receive(int from) {
    char bytes[4096];
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec io = {bytes, sizeof bytes};
    struct msghdr message = {.msg_iov = &io, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    int fd = -1;
    if (recvmsg(from, &message, MSG_CMSG_CLOEXEC) <= 0 || message.msg_controllen < sizeof control.head) return -1;
    memcpy(&fd, CMSG_DATA(&control.head), sizeof fd);
    return fd;
}

/* Each call that a filter asks about is answered with EXDEV, which no call has by itself. */
static void answer(int fd) {
    struct {
        uint64_t id;
        char rest[72];
    } question = {0};
    struct {
        uint64_t id;
        int64_t value;
        int32_t error;
        uint32_t flags;
    } reply = {.error = -EXDEV};
    if (syscall(SYS_ioctl, fd, 0xc0502100ul /* SECCOMP_IOCTL_NOTIF_RECV */, &question)) return;
    reply.id = question.id;
    (void)syscall(SYS_ioctl, fd, 0xc0182101ul /* SECCOMP_IOCTL_NOTIF_SEND */, &reply);
}

static void be_agent(int listener) {
    struct pollfd polls[2] = {{.fd = listener, .events = POLLIN}, {.fd = -1, .events = POLLIN}};
    for (;;) {
        if (poll(polls, 2, -1) < 0) continue;
        if (polls[1].revents & POLLIN) answer(polls[1].fd);
        else if (polls[1].revents) close(polls[1].fd), polls[1].fd = -1;
        if (!polls[0].revents) continue;
        int peer = accept(listener, NULL, NULL), fd = receive(peer);
        close(peer);
        if (fd < 0) continue;
        if (polls[1].fd >= 0) close(polls[1].fd);
        polls[1].fd = fd;
    }
}

static void start_agent(struct scene *s) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = agent_path(s);
    CHECK_OK(strlen(path) < sizeof address.sun_path);
    strcpy(address.sun_path, path);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_SYS(bind(listener, (struct sockaddr *)&address, sizeof address));
    CHECK_SYS(listen(listener, 64));
    s->agent = fork();
    if (s->agent == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        be_agent(listener);
    }
    close(listener);
}

static bool has_cgroup(const struct scene *s) { return !s->user && cgroup_mount() && !access(cgroup_mount(), W_OK); }

/* The limits of this machine's controllers, and how the program sees them. */
static void add_limits(struct config *c, struct text *args) {
    static const char *const limits[][3] = {
        {"pids", "\"pids\":{\"limit\":64},", "pids.max"},
        {"memory", "\"memory\":{\"limit\":134217728,\"reservation\":16777216},", "memory.max\",\"/sys/fs/cgroup/memory.low"},
        {"cpu", "\"cpu\":{\"shares\":512,\"quota\":90000,\"period\":100000},", "cpu.weight\",\"/sys/fs/cgroup/cpu.max"}};
    char *have = file_read(print("%s/cgroup.controllers", cgroup_mount()), NULL);
    have[strcspn(have, "\n")] = 0;
    text_add(args, ",\"--\",\"cat\",\"/sys/fs/cgroup/cgroup.max.depth\"");
    c->linux_ = replaced(c->linux_, "\"resources\":{", "\"resources\":{\"unified\":{\"cgroup.max.depth\":\"7\"},");
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        if (!has_word(have, limits[i][0])) continue;
        c->linux_ = replaced(c->linux_, "\"resources\":{", print("\"resources\":{%s", limits[i][1]));
        text_add(args, ",\"/sys/fs/cgroup/%s\"", limits[i][2]);
    }
    c->mounts = print("%s,{\"destination\":\"/sys/fs/cgroup\",\"type\":\"cgroup\",\"source\":\"cgroup\",\"options\":[\"ro\",\"nosuid\",\"noexec\",\"nodev\"]}", c->mounts);
}

/* Each is told by the report, or by what the program then can't do. */
static void add_all(struct scene *s, struct config *c) {
    struct text args = {0};
    bool other = s->extent == OTHER;
    text_add(&args, "[\"/payload\",\"payload-script\",\"report\",\"--\",\"mkdir\",\"/work/here/x\",\"--\",\"sethostname\",\"x\"");
    c->process = print("%s,\"scheduler\":{\"policy\":\"SCHED_BATCH\",\"nice\":4,\"flags\":[\"SCHED_FLAG_RESET_ON_FORK\"]},"
                       "\"ioPriority\":{\"class\":\"IOPRIO_CLASS_BE\",\"priority\":6}",
                       other ? replaced(c->process, "\"noNewPrivileges\":true", "\"noNewPrivileges\":false") : c->process);
    c->linux_ = print("%s,\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\",%s\"syscalls\":["
                      "{\"names\":[\"mkdir\",\"mkdirat\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":33},{\"names\":[\"sethostname\"],\"action\":\"%s\"},"
                      "{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_ERRNO\",\"args\":[{\"index\":0,\"value\":40,\"op\":\"SCMP_CMP_EQ\"}]}]}", c->linux_,
                      other ? "" : print("\"listenerPath\":\"%s\",\"listenerMetadata\":\"about it\",", agent_path(s)), other ? "SCMP_ACT_ERRNO" : "SCMP_ACT_NOTIFY");
    if (!syscall(SYS_get_mempolicy, NULL, NULL, 0ul, NULL, 0ul)) c->linux_ = print("%s,\"memoryPolicy\":{\"mode\":\"MPOL_BIND\",\"nodes\":\"0\"}", c->linux_);
#if defined(__x86_64__)
    c->linux_ = print("%s,\"personality\":{\"domain\":\"LINUX32\"}", c->linux_);
#endif
    if (s->net) c->linux_ = print("%s,\"netDevices\":{\"ocitest0\":{\"name\":\"eth7\"}}", c->linux_);
    if (other && !access("/proc/self/ns/time", F_OK)) {
        c->namespaces = print("%s time", c->namespaces);
        c->linux_ = print("%s,\"timeOffsets\":{\"monotonic\":{\"secs\":1000,\"nanosecs\":7},\"boottime\":{\"secs\":2000}}", c->linux_);
    }
    if (syscall(444 /* landlock_create_ruleset */, NULL, 0ul, 1u) >= 0) {
        c->top = print("%s,\"annotations\":{\"io.ocirt.landlock.read\":\"/\",\"io.ocirt.landlock.write\":\"/work/here:/proc\"}", c->top);
        text_add(&args, ",\"--\",\"write\",\"/dev/shm/x\",\"y\"");
    }
    if (has_cgroup(s)) add_limits(c, &args);
    text_add(&args, ",\"--\",\"exit\",\"0\"]");
    c->args = args.at;
}

char *scene_fat_text(struct scene *s) {
    const char *source = print("%s/source", s->t->dir);
    make_dirs(source, 0755);
    file_write(print("%s/file", source), "a volume\n");
    bool user = s->user;
    struct config c = {
        .root = "\"readonly\":true",
        .namespaces = user ? "pid mount ipc uts net cgroup user" : "pid mount ipc uts net cgroup",
        .process = print("\"noNewPrivileges\":true,\"user\":{\"uid\":%d,\"gid\":%d,\"umask\":63%s},"
                         "\"capabilities\":{\"bounding\":[\"CAP_CHOWN\",\"CAP_KILL\"],\"effective\":[\"CAP_KILL\"],"
                         "\"permitted\":[\"CAP_KILL\"],\"inheritable\":[\"CAP_KILL\"],\"ambient\":[\"CAP_KILL\"]},"
                         "\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"soft\":500,\"hard\":600},{\"type\":\"RLIMIT_CORE\",\"soft\":0,\"hard\":0}],"
                         "\"oomScoreAdj\":%d,\"cwd\":\"/work/here\"",
                         user ? 0 : 1000, user ? 0 : 1001, user ? "" : ",\"additionalGids\":[5,70000]", user ? 500 : 300),
        .mounts = print("{\"destination\":\"/data\",\"type\":\"bind\",\"source\":\"%s\",\"options\":[\"rbind\",\"ro\",\"nosuid\"]},"
                        "{\"destination\":\"/file\",\"type\":\"bind\",\"source\":\"%s/file\",\"options\":[\"bind\",\"rw\"]},"
                        "{\"destination\":\"/dev/pts\",\"type\":\"devpts\",\"source\":\"devpts\",\"options\":[\"newinstance\",\"ptmxmode=0666\",\"mode=0620\"]},"
                        "{\"destination\":\"/dev/shm\",\"type\":\"tmpfs\",\"source\":\"shm\",\"options\":[\"nosuid\",\"noexec\",\"nodev\",\"mode=1777\",\"size=64k\"]},"
                        "{\"destination\":\"/dev/mqueue\",\"type\":\"mqueue\",\"source\":\"mqueue\",\"options\":[\"nosuid\",\"noexec\",\"nodev\"]},"
                        "{\"destination\":\"/work/here\",\"type\":\"tmpfs\",\"source\":\"tmpfs\"},"
                        "{\"destination\":\"/sys\",\"type\":\"sysfs\",\"source\":\"sysfs\",\"options\":[\"nosuid\",\"noexec\",\"nodev\",\"ro\"]}", source, source),
        .linux_ = print("\"maskedPaths\":[\"/proc/kcore\",\"/proc/acpi\",\"/proc/keys\",\"/sys/firmware\"],"
                        "\"readonlyPaths\":[\"/proc/sys\",\"/proc/bus\"],\"rootfsPropagation\":\"private\","
                        "\"sysctl\":{\"net.ipv4.ip_forward\":\"1\",\"kernel.msgmax\":\"9000\"}%s",
                        user ? "" : ",\"devices\":[{\"path\":\"/dev/extra/fuse\",\"type\":\"c\",\"major\":10,\"minor\":229,\"fileMode\":438,\"uid\":3,\"gid\":4}]"),
        .top = print("\"domainname\":\"domain\",\"hooks\":{%s,%s,%s,%s,%s}", hook("createRuntime"), hook("createContainer"),
                     print("\"startContainer\":[{\"path\":\"/payload\",\"args\":[\"payload\",\"payload-script\",\"exit\",\"0\"]}]"), hook("poststart"),
                     hook("poststop"))};
    if (has_cgroup(s))
        c.linux_ = print("%s,\"cgroupsPath\":\"/%s/box\",\"resources\":{\"devices\":[{\"allow\":false,\"access\":\"rwm\"},"
                         "{\"allow\":true,\"type\":\"c\",\"major\":1,\"minor\":3,\"access\":\"rw\"},{\"allow\":true,\"type\":\"c\",\"access\":\"m\"}]}",
                         c.linux_, s->t->tag);
    if (s->extent > FAT) add_all(s, &c);
    return config_text(&c);
}

/* An ordinary user: this process becomes one, with a folder of its own. */
static void turn_ordinary(struct t *t) {
    CHECK_SYS(chown(t->dir, ORDINARY, ORDINARY));
    if (access(t->state, F_OK)) CHECK_SYS(mkdir(t->state, 0700));
    CHECK_SYS(chown(t->state, ORDINARY, ORDINARY));
    become_ordinary(NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (access(test_exe(), X_OK)) SKIP("path", "%s is not for every user", test_exe());
    need_userns();
}

/* ---- what a payload said, without what differs from run to run ---- */

static void add_mount_line(struct text *to, const char *line) {
    const char *at = line;
    for (int i = 0; i < 3; i++) at += strcspn(at, " "), at += strspn(at, " ");
    text_add(to, "mount=");
    for (; *at; at++) {
        if (!strncmp(at, " - cgroup2 ", 11)) { /* the config's word or the host's: the hierarchy has no source */
            text_add(to, " - cgroup2");
            at += 11;
            at += strcspn(at, " ");
        }
        if (at[0] == ':' && at[1] >= '0' && at[1] <= '9') { /* shared:N */
            text_add(to, ":N");
            while (at[1] >= '0' && at[1] <= '9') at++;
        } else
            text_add(to, "%c", *at);
    }
    text_add(to, "\n");
}

static long own_keyring(void) { return syscall(SYS_keyctl, 0, -3, 0); } /* of the session, that a child would share */

static char *digest(const char *report) {
    static const char *const drop[] = {"uptime=", "root=", "fd.0=", "fd.1=", "fd.2=", "sched.runtime", "status.", "pgrp=",
                                       "ppid=", "env.count", "ns.", "cgroup=", "kernel=", "address=eth7 fe80:", NULL};
    static const char *const keep[] = {"status.Cap", "status.NoNewPrivs", "status.Seccomp", "status.Groups", NULL};
    struct text to = {0};
    char *text = print("%s", report), root[64] = "", pid[16] = "";
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        bool out = false;
        if (starts(line, "root=")) snprintf(root, sizeof root, "%s", line + 5);
        for (int i = 0; drop[i]; i++) out = out || starts(line, drop[i]);
        for (int i = 0; keep[i]; i++) out = out && !starts(line, keep[i]);
        if (starts(line, "pid=")) snprintf(pid, sizeof pid, "%s", line + 4);
        if (starts(line, "pid=") && strcmp(line, "pid=1")) out = true;
        if (starts(line, "mount=")) {
            if (!strstr(line, " - devtmpfs ")) add_mount_line(&to, line + 6); /* where a node was refused: dev.* tells that it is the same */
        } else if (starts(line, "ns.")) {
            char name[64];
            unsigned long long ino = 0;
            if (sscanf(line, "ns.%63[^=]=%llu", name, &ino) == 2) text_add(&to, "ns.%s=%s\n", name, ns_of(0, name) == ino ? "host" : "own");
        } else if (starts(line, "root.parent=")) {
            text_add(&to, "root.parent=%s\n", strcmp(root, line + 12) ? line + 12 : "root");
        } else if (starts(line, "sid=")) {
            text_add(&to, "sid=%s\n", strcmp(pid, line + 4) ? "another's" : "own");
        } else if (starts(line, "keyring=")) {
            text_add(&to, "keyring=%s\n", strtol(line + 8, NULL, 10) == own_keyring() ? "host" : line[8] == 'E' ? line + 8 : "own");
        } else if (!out)
            text_add(&to, "%s\n", line);
    }
    text_add(&to, "%s", "");
    free(text);
    return to.at;
}

char *report_difference(const char *want, const char *got) {
    struct text out = {0};
    int said = 0;
    for (int side = 0; side < 2; side++) {
        char *text = print("%s", side ? got : want);
        const char *other = side ? want : got;
        for (char *line = strtok(text, "\n"); line && said < 6; line = strtok(NULL, "\n")) {
            const char *at = strstr(other, line);
            size_t n = strlen(line);
            while (at && ((at > other && at[-1] != '\n') || (at[n] && at[n] != '\n'))) at = strstr(at + 1, line);
            if (!at) text_add(&out, "%s%.150s; ", side ? "+" : "-", line), said++;
        }
        free(text);
    }
    text_add(&out, "%s", "");
    return out.at;
}

/* ---- going through a scenario ---- */

struct drive_action scene_give(void *user, struct call *call) {
    struct dose *dose = user;
    if (dose->aimed) {
        struct drive_action action = drive_aim(&dose->aim, call);
        if (action.what != DRIVE_GO) return action;
    }
    if (call->role > 0 && call->role < 32 && call->nr == call_number("signalfd4")) dose->waits |= 1u << call->role;
    if (call->role > 0 && call->role < 32 && dose->waits >> call->role & 1 && (call->nr == call_number("poll") || call->nr == call_number("ppoll")))
        return (struct drive_action){DRIVE_LEAVE, 0};
    return (struct drive_action){DRIVE_GO, 0};
}

void scene_untraced(struct scene *s, struct outcome *out, const char *const *args) {
    const char **argv = ocirt_argv(s->t, args);
    command_run(&(struct command){.argv = argv, .seconds = 5}, out);
    free(argv);
}

void scene_prepare(struct scene *s) {
    if (s->what == START || s->what == DELETE) {
        UNTRACED(s, &s->made, "create", "-b", s->b.path, s->t->tag);
        CHECK(s->made.code == 0, "create: %s", s->made.err);
    }
}

static const char *process_path(const struct scene *s) { return print("%s/process.json", s->t->dir); }

/* The container that an exec goes into is there. */
static void stand(struct scene *s) {
    struct outcome out;
    UNTRACED(s, &out, "state", s->t->tag);
    bool stands = out.code == 0 && strstr(out.out, "\"running\"");
    outcome_free(&out);
    if (stands) return;
    UNTRACED(s, &out, "delete", "--force", s->t->tag);
    outcome_free(&out);
    reap_all();
    UNTRACED(s, &out, "run", "-d", "-b", s->b.path, s->t->tag);
    CHECK(out.code == 0, "run -d: %s", out.err);
    outcome_free(&out);
}

/* The config's process becomes that of exec, and the container's own has nothing to do. */
static void part_process(struct scene *s) {
    char *text = file_read(s->b.config, NULL), *process = json_value(text, "process"), *args = json_value(text, "process/args");
    CHECK_OK(process && args);
    file_write(process_path(s), "%s", process);
    bundle_write(&s->b, "%s", replaced(text, print("\"args\":%s", args), "\"args\":[\"/payload\",\"payload-sleep\",\"100000\"]"));
}

void scene_go(struct scene *s, struct drive *drive) {
    if (s->what == EXEC) stand(s);
    if (drive->seconds <= 0) drive->seconds = 15; /* without close_range descriptors are closed one by one, and traced */
    switch (s->what) {
    case RUN: drive_ocirt(s->t, drive, "run", "-b", s->b.path, s->t->tag); break;
    case CREATE: drive_ocirt(s->t, drive, "create", "-b", s->b.path, s->t->tag); break;
    case START: drive_ocirt(s->t, drive, "start", s->t->tag); break;
    case DELETE: drive_ocirt(s->t, drive, "delete", s->t->tag); break;
    case EXEC: drive_ocirt(s->t, drive, "exec", "-p", process_path(s), s->t->tag); break;
    }
}

char *scene_finish(struct scene *s, struct drive *drive, struct text *why) {
    struct outcome out;
    if (s->what == RUN || s->what == EXEC) return digest(drive->outcome.out);
    if (s->what == DELETE) return print("%s", "");
    if (s->what == CREATE) {
        UNTRACED(s, &out, "start", s->t->tag);
        if (out.code) text_add(why, "then start: %d %.200s", out.code, out.err);
        outcome_free(&out);
    }
    struct outcome *has = s->what == CREATE ? &drive->outcome : &s->made;
    for (double end = now() + 3 * time_scale(); now() < end;) { /* until the payload has ended */
        UNTRACED(s, &out, "state", s->t->tag);
        bool over = out.code || strstr(out.out, "\"stopped\"");
        outcome_free(&out);
        if (over) break;
        nap(0.005);
    }
    outcome_refresh(has);
    UNTRACED(s, &out, "delete", s->t->tag);
    if (out.code) text_add(why, "then delete: %d %.200s", out.code, out.err);
    outcome_free(&out);
    return digest(has->out);
}

void scene_begin(struct t *t, struct scene *s, enum what what, enum extent extent, bool user) {
    *s = (struct scene){.t = t, .what = what, .extent = extent, .user = user};
    need_ocirt();
    if (user && !geteuid()) turn_ordinary(t);
    s->user = geteuid() != 0;
    root_make(t, &s->b);
    if (extent == WHOLE) start_agent(s);
    if (extent == WHOLE && !s->user && what != EXEC) {
        CHECK_SYS(unshare(CLONE_NEWNET));
        s->net = net_device_make();
    }
    if (extent != SMALL) {
        bundle_write(&s->b, "%s", scene_fat_text(s));
        for (const char *const *dir = (const char *const[]){"proc", "dev", "sys", "data", "work/here", NULL}; *dir; dir++) root_dir(&s->b, *dir);
    } else
        bundle_config(&s->b, &(struct config){.process = "\"noNewPrivileges\":true"});
}

void scene_end(struct scene *s) {
    struct outcome out;
    if (s->what == EXEC) {
        UNTRACED(s, &out, "delete", "--force", s->t->tag);
        CHECK(out.code == 0, "delete: %s", out.err);
        outcome_free(&out);
        reap_all();
    }
    if (!s->agent) return;
    kill(s->agent, SIGKILL);
    waitpid(s->agent, NULL, 0);
}

/* A device that has moved in ends with the container. */
void scene_renew(struct scene *s) {
    if (s->net && !if_nametoindex("ocitest0")) CHECK_OK(net_device_make());
}

void scene_watch(struct scene *s) {
    struct text why = {0};
    struct t *t = s->t;
    struct outcome out;
    if (s->what == EXEC) {
        part_process(s);
        stand(s);
        UNTRACED(s, &out, "exec", "-p", process_path(s), t->tag);
    } else
        UNTRACED(s, &out, "run", "-b", s->b.path, t->tag); /* makes what is missing in the rootfs */
    CHECK(out.code == 0, "%s: %d %s%.300s", s->what == EXEC ? "exec" : "run", out.code, out.err, out.out);
    char *first = digest(out.out);
    outcome_free(&out);
    reap_all();
    scene_renew(s);
    s->before = snap_take(t, 0);
    struct dose dose = {.aimed = false};
    s->trace = (struct drive){.decide = scene_give, .user = &dose};
    scene_prepare(s);
    scene_go(s, &s->trace);
    CHECK(s->trace.outcome.code == 0, "%s: %d %s", what_names[s->what], s->trace.outcome.code, s->trace.outcome.err);
    s->golden = scene_finish(s, &s->trace, &why);
    CHECK(!why.n, "%s", why.at);
    if (s->what != DELETE) CHECK(!strcmp(first, s->golden), "two reports differ: %s", report_difference(first, s->golden));
    for (size_t i = 0; i < 3; i++) close(i == 0 ? s->trace.outcome.out_fd : i == 1 ? s->trace.outcome.err_fd : -1);
    s->trace.outcome.out_fd = s->trace.outcome.err_fd = 0;
    if (s->made.out_fd) outcome_free(&s->made);
    reap_all();
    scene_renew(s);
    struct text text = {0};
    bool same = snap_same(t, s->before, &text);
    CHECK(same, "undisturbed, it leaves %s", text.at);
}

static void scene_make(struct t *t, struct scene *s, enum what what, enum extent extent, bool user) {
    scene_begin(t, s, what, extent, user);
    scene_watch(s);
}

/* What libc does for itself, what cannot fail, and the command's own words are not swept. */
static bool sweepable(const struct call *call) {
    static const char *const not_ours[] = {"arch_prctl", "set_tid_address", "set_robust_list", "rseq", "brk", "mprotect", "munmap", "exit_group", "exit",
                                           "futex", "rt_sigreturn", "getpid", "geteuid", "getegid", "getuid", "getgid", NULL};
    const char *name = call_name(call->nr);
    for (int i = 0; not_ours[i]; i++)
        if (!strcmp(name, not_ours[i])) return false;
    if (call->role == 0 && (!strcmp(name, "write") || !strcmp(name, "writev")) && call->args[0] <= 2) return false;
    if (call->path && !strcmp(call->path, "/proc/self/exe") && !strcmp(name, "readlinkat")) return false;
    return true;
}

/* What a whole config has calls for and a fat one has not: where it is not swept fully, the rest is left to the fat one. */
static bool is_of_confinement(const struct call *call) {
    static const char *const names[] = {"seccomp", "landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self", "sched_setattr", "sched_setaffinity", "ioprio_set",
                                        "set_mempolicy", "personality", "socket", "connect", "sendmsg", "sendto", "recvfrom", "setns", "unshare", "bpf", NULL};
    for (int i = 0; names[i]; i++)
        if (!strcmp(names[i], call_name(call->nr))) return true;
    return call->path && (strstr(call->path, "cgroup") || strstr(call->path, "timens"));
}

/* Of a loop (64 signals, 40 capabilities) the first, the second and the last. */
bool scene_sweeps(const struct scene *s, const struct call *call) {
    bool of_init = s->what == RUN || s->what == CREATE || s->what == EXEC; /* the others only wait for it */
    return sweepable(call) && (s->extent <= FAT || !of_init || sweeps_full() || is_of_confinement(call));
}

struct places scene_places(const struct scene *s) {
    const struct drive *drive = &s->trace;
    struct places p = {.at = remember(calloc(drive->n_calls + 1, sizeof *p.at))};
    for (size_t i = 0; i < drive->n_calls; i++) {
        const struct call *call = &drive->calls[i];
        if (!scene_sweeps(s, call)) continue;
        unsigned before = 0, after = 0;
        for (size_t k = i; k-- > 0 && before < 3;) {
            if (drive->calls[k].role != call->role) continue;
            if (drive->calls[k].nr != call->nr) break;
            before++;
        }
        for (size_t k = i + 1; k < drive->n_calls && after < 1; k++) {
            if (drive->calls[k].role != call->role) continue;
            if (drive->calls[k].nr != call->nr) break;
            after++;
        }
        if (!sweeps_full() && before >= 2 && after) continue;
        p.at[p.n++] = (struct place){.role = call->role, .nth = call->nth, .nr = call->nr, .path = call->path};
    }
    return p;
}

const char *scene_place_text(const struct place *p) {
    return print("role %u %s#%u %s", p->role, call_name(p->nr), p->nth, p->path ? p->path : "");
}

/* A process that an exec has left in the container is our child now, and must not be a zombie there: init's end waits for it. */
static void end_left(const struct drive *drive) {
    int status;
    for (unsigned i = 1; i < drive->n_tracees; i++) {
        pid_t pid = drive->tracees[i].pid;
        if (parent_of(pid) == getpid()) kill(pid, SIGKILL), wait_until(pid, 1, &status);
    }
}

void scene_forget(struct scene *s, struct drive *drive) {
    if (s->what == EXEC) end_left(drive);
    drive_free(drive);
    if (s->made.out_fd > 2) outcome_free(&s->made);
    s->made = (struct outcome){.code = -1};
}

void scene_expect_nothing_left(struct scene *s, const char *where, const char *said) {
    struct text text = {0};
    struct outcome out;
    reap_all();
    scene_renew(s);
    bool same = snap_same(s->t, s->before, &text);
    EXPECT(same, "%s: it leaves %.900s (it said %.200s)", where, text.at, said);
    text_free(&text);
    if (same) return;
    UNTRACED(s, &out, "delete", "--force", s->t->tag);
    outcome_free(&out);
    remove_tree(s->t->state);
    mkdir(s->t->state, 0700);
    nap(0.02);
    reap_all();
    if (s->what == EXEC) stand(s);
    snap_free(s->before);
    s->before = snap_take(s->t, 0);
}

/* ---- sweep.errors ---- */

static const int errnos[] = {EINTR, EPERM, ENOMEM, EMFILE, EIO, ENOSPC, ENOSYS};
enum { ERRNOS = sizeof errnos / sizeof *errnos };

static void clear_away(struct scene *s, const char *where) {
    struct outcome end;
    UNTRACED(s, &end, "delete", "--force", s->t->tag);
    EXPECT(end.code == 0, "%s: then delete --force: %s", where, end.err);
    outcome_free(&end);
}

static char *without_lines(const char *report, const char *part) {
    struct text to = {0};
    char *text = print("%s", report);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        if (!strstr(line, part)) text_add(&to, "%s\n", line);
    text_add(&to, "%s", "");
    free(text);
    return to.at;
}

/* The refusals that the manual lists: no session keyring, and the host's /sys where a user namespace gets none. */
static bool as_it_may_be(const struct scene *s, long nr, const char *report) {
    const char *part = nr == SYS_keyctl ? "keyring" : s->user && (nr >= 429 && nr <= 432) /* move_mount, fsopen to fsmount */ ? " /sys" : NULL;
    if (!part) return !strcmp(report, s->golden);
    char *want = without_lines(s->golden, part), *got = without_lines(report, part);
    bool same = !strcmp(want, got);
    free(want);
    free(got);
    return same;
}

static void judge(struct scene *s, struct drive *drive, long nr, const char *where) {
    struct text why = {0};
    const struct outcome *out = &drive->outcome;
    char *said = print("%d %s", out->code, out->err);
    EXPECT(!drive->timed_out, "%s: no end", where);
    if (out->code == 0) {
        char *report = scene_finish(s, drive, &why);
        EXPECT(!why.n, "%s: %s", where, why.at);
        EXPECT(as_it_may_be(s, nr, report), "%s: it said 0, but %s", where, report_difference(s->golden, report));
        free(report);
    } else if (!drive->timed_out) {
        bool code = s->what == RUN ? out->code >= 125 && out->code <= 127 : s->what == EXEC ? out->code == 126 || out->code == 127 || out->code == 255 : out->code == 1;
        EXPECT(code, "%s: code %s", where, said);
        EXPECT(good_text(out->err), "%s: a bad text: %s", where, said);
        bool began = strstr(out->out, "uid=") || strstr(out->err, "/hooks/poststart");
        if (s->net && s->what <= CREATE && !began) net_device_kept(print("%s: %s", where, said));
    }
    if (out->code && (s->what == START || s->what == DELETE)) clear_away(s, where);
    bool untidy = out->code && s->what != EXEC && (strstr(said, "cannot remove") || strstr(said, "the state") || strstr(said, "state folder"));
    scene_forget(s, drive);
    if (untidy) clear_away(s, where);
    scene_expect_nothing_left(s, where, said);
    free(said);
}

static void again(struct scene *s, const char *where) {
    struct outcome out;
    if (s->what == EXEC) UNTRACED(s, &out, "exec", "-p", process_path(s), s->t->tag);
    else UNTRACED(s, &out, "run", "-b", s->b.path, s->t->tag);
    EXPECT(out.code == 0 && !out.timed_out, "%s: then the same id again: %d %s", where, out.code, out.err);
    outcome_free(&out);
    scene_renew(s);
}

static unsigned disturb(struct scene *s, const struct place *p, struct drive_action action, bool always, const char *how) {
    struct dose dose = {.aim = {.role = p->role, .nr = p->nr, .nth = p->nth, .always = always, .action = action}, .aimed = true};
    struct drive drive = {.decide = scene_give, .user = &dose};
    const char *where = print("%s %s: %s %s", extent_names[s->extent], what_names[s->what], scene_place_text(p), how);
    scene_prepare(s);
    scene_go(s, &drive);
    bool failed = drive.outcome.code != 0;
    judge(s, &drive, p->nr, where);
    if (failed && dose.aim.hits) again(s, where);
    return dose.aim.hits;
}

/* Every place with every errno, or a sample that is the same each time. To move a device takes long. */
static size_t points_of(const struct scene *s) { return s->net ? 24 : 48; }

static void sweep_errors(struct t *t, enum what what, enum extent extent, bool user) {
    struct scene s;
    scene_make(t, &s, what, extent, user);
    struct places p = scene_places(&s);
    size_t total = p.n * ERRNOS, step = sweeps_full() ? 1 : total / points_of(&s) + 1;
    unsigned missed = 0, done = 0;
    for (size_t at = 0; at < total; at += step, done++) {
        const struct place *place = &p.at[at / ERRNOS];
        int error = errnos[sweeps_full() ? at % ERRNOS : done % ERRNOS];
        bool always = place->nth == 1 && error != EINTR && (sweeps_full() || done % 4 == 0); /* from then on: each kind of call */
        const char *how = always ? print("%s for ever", errno_name(error)) : errno_name(error);
        missed += !disturb(&s, place, (struct drive_action){DRIVE_FAIL, error}, always, how);
    }
    CHECK(missed * 4 <= done, "%u of %u places were not met again", missed, done);
    scene_end(&s);
}

static void errors_run_small(struct t *t) { sweep_errors(t, RUN, SMALL, false); }
static void errors_run_fat(struct t *t) { sweep_errors(t, RUN, FAT, false); }
static void errors_create_fat(struct t *t) { sweep_errors(t, CREATE, FAT, false); }
static void errors_create_small(struct t *t) { sweep_errors(t, CREATE, SMALL, false); }
static void errors_start_fat(struct t *t) { sweep_errors(t, START, FAT, false); }
static void errors_delete_fat(struct t *t) { sweep_errors(t, DELETE, FAT, false); }
static void errors_run_whole(struct t *t) { sweep_errors(t, RUN, WHOLE, false); }
static void errors_run_other(struct t *t) { sweep_errors(t, RUN, OTHER, false); }
static void errors_create_whole(struct t *t) { sweep_errors(t, CREATE, WHOLE, false); }
static void errors_delete_whole(struct t *t) { sweep_errors(t, DELETE, WHOLE, false); }
static void errors_run_whole_user(struct t *t) { sweep_errors(t, RUN, WHOLE, true); }
static void errors_run_other_user(struct t *t) { sweep_errors(t, RUN, OTHER, true); }
static void errors_run_small_user(struct t *t) { sweep_errors(t, RUN, SMALL, true); }
static void errors_run_fat_user(struct t *t) { sweep_errors(t, RUN, FAT, true); }
static void errors_create_fat_user(struct t *t) { sweep_errors(t, CREATE, FAT, true); }

static void errors_exec_fat(struct t *t) { sweep_errors(t, EXEC, FAT, false); }
static void errors_exec_whole(struct t *t) { sweep_errors(t, EXEC, WHOLE, false); }
static void errors_exec_user(struct t *t) { sweep_errors(t, EXEC, FAT, true); }

/* ---- sweep.kills: SIGKILL before a call, to the one that makes it, or to all of the runtime ---- */

static void judge_killed(struct scene *s, struct drive *drive, const char *where) {
    struct outcome out;
    EXPECT(!drive->timed_out, "%s: no end", where);
    scene_forget(s, drive);
    UNTRACED(s, &out, "list");
    EXPECT(out.code == 0, "%s: then list: %d %s", where, out.code, out.err);
    outcome_free(&out);
    UNTRACED(s, &out, "state", s->t->tag);
    EXPECT(out.code == 0 || good_text(out.err), "%s: then state: %d %s", where, out.code, out.err);
    outcome_free(&out);
    if (s->what != EXEC) clear_away(s, where); /* the container stands, whoever wanted to come in */
    if (s->net) CHECK_OK(net_device_make()); /* nobody was left to give its addresses back */
    scene_expect_nothing_left(s, where, "");
    again(s, where);
}

static void sweep_kills(struct t *t, enum what what, enum extent extent, bool user) {
    static const long long victims[] = {DRIVE_SELF, DRIVE_ALL};
    struct scene s;
    scene_make(t, &s, what, extent, user);
    struct places p = scene_places(&s);
    size_t step = sweeps_full() ? 1 : p.n * 2 / points_of(&s) + 1;
    for (size_t at = 0, done = 0; at < p.n * 2; at += step, done++) {
        const struct place *place = &p.at[at / 2];
        size_t who = (sweeps_full() ? at : done) % 2;
        struct dose dose = {.aim = {.role = place->role, .nr = place->nr, .nth = place->nth, .action = {DRIVE_KILL, victims[who]}}, .aimed = true};
        struct drive drive = {.decide = scene_give, .user = &dose};
        scene_prepare(&s);
        scene_go(&s, &drive);
        judge_killed(&s, &drive, print("%s %s: %s is killed before %s", extent_names[extent], what_names[what], who ? "all of it" : "it", scene_place_text(place)));
    }
    scene_end(&s);
}

static void kills_run(struct t *t) { sweep_kills(t, RUN, SMALL, false); }
static void kills_run_fat(struct t *t) { sweep_kills(t, RUN, FAT, false); }
static void kills_create(struct t *t) { sweep_kills(t, CREATE, FAT, false); }
static void kills_start(struct t *t) { sweep_kills(t, START, FAT, false); }
static void kills_delete(struct t *t) { sweep_kills(t, DELETE, FAT, false); }
static void kills_run_whole(struct t *t) { sweep_kills(t, RUN, WHOLE, false); }
static void kills_create_other(struct t *t) { sweep_kills(t, CREATE, OTHER, false); }
static void kills_exec(struct t *t) { sweep_kills(t, EXEC, OTHER, false); }
static void kills_run_user(struct t *t) { sweep_kills(t, RUN, FAT, true); }
static void kills_create_user(struct t *t) { sweep_kills(t, CREATE, SMALL, true); }

/* ---- sweep.filters: a call that an outer container's filter refuses, in every process ---- */

struct filter {
    struct dose dose;
    long nr;
    int error;
};

static struct drive_action refuse(void *user, struct call *call) {
    struct filter *filter = user;
    if (call->nr == filter->nr) return (struct drive_action){DRIVE_FAIL, filter->error};
    return scene_give(&filter->dose, call);
}

static void sweep_filters(struct t *t, enum what what, enum extent extent, bool user) {
    static const char *const filtered[] = {"openat2", "clone3", "close_range", "mount_setattr", "fsopen", "fsmount", "move_mount", "open_tree", "keyctl",
                                           "pidfd_open", "pidfd_send_signal", "statx", "memfd_create", "execveat", "bpf", "signalfd4", "getrandom",
                                           "seccomp", "landlock_create_ruleset", "landlock_restrict_self", "sched_setattr", "ioprio_set", "set_mempolicy", "personality", "sendto"};
    struct scene s;
    scene_make(t, &s, what, extent, user);
    for (size_t i = 0; i < sizeof filtered / sizeof *filtered * 2; i++) {
        if (s.net && !sweeps_full() && (i / 2 ^ i) & 1) continue; /* the one errno or the other */
        struct filter filter = {.nr = call_number(filtered[i / 2]), .error = i % 2 ? EPERM : ENOSYS};
        struct drive drive = {.decide = refuse, .user = &filter};
        scene_prepare(&s);
        scene_go(&s, &drive);
        judge(&s, &drive, filter.nr, print("%s %s: %s gives %s", extent_names[extent], what_names[what], filtered[i / 2], errno_name(filter.error)));
    }
    scene_end(&s);
}

static void filters_run(struct t *t) { sweep_filters(t, RUN, FAT, false); }
static void filters_create(struct t *t) { sweep_filters(t, CREATE, FAT, false); }
static void filters_run_whole(struct t *t) { sweep_filters(t, RUN, WHOLE, false); }
static void filters_create_other(struct t *t) { sweep_filters(t, CREATE, OTHER, false); }
static void filters_exec(struct t *t) { sweep_filters(t, EXEC, WHOLE, false); }
static void filters_run_user(struct t *t) { sweep_filters(t, RUN, FAT, true); }

/* ---- sweep.pause, resume, update, ps: all or nothing, on a container that stands ---- */

static const char *const standing_files[] = {"cgroup.freeze", "cgroup.max.depth", "cgroup.max.descendants", "pids.max", "memory.max", "memory.low", "cpu.weight", "cpu.max", NULL};

struct standing {
    struct scene s;
    const char *const *words; /* of the command; "NEW" and "OLD" are files of limits */
    const char *const *back;  /* of the one that takes it back; NULL: there is nothing to take back */
    char *cgroup;
    char *before, *after, *out;
};

/* How many device programs it has: two would be as wrong as none. */
static unsigned programs_of(const char *cgroup) {
    struct {
        uint32_t fd, type, flags, attached;
        uint64_t ids;
        uint32_t count;
    } query = {.type = 6 /* BPF_CGROUP_DEVICE */};
    uint32_t ids[8];
    int fd = open(cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    query.fd = (uint32_t)fd, query.ids = (uintptr_t)ids, query.count = 8;
    long r = syscall(SYS_bpf, 16 /* PROG_QUERY */, &query, sizeof query);
    close(fd);
    return r ? 99 : query.count;
}

static char *standing_state(struct standing *g) {
    struct text text = {0};
    struct outcome out;
    UNTRACED(&g->s, &out, "state", g->s.t->tag);
    CHECK(out.code == 0, "state: %s", out.err);
    text_add(&text, "status %s\nprograms %u\n", json_get(out.out, "status"), programs_of(g->cgroup));
    outcome_free(&out);
    for (size_t i = 0; standing_files[i]; i++) {
        char *value = file_read(print("%s/%s", g->cgroup, standing_files[i]), NULL);
        if (value) text_add(&text, "%s %s", standing_files[i], value);
    }
    return text.at;
}

/* The same limits, lower or higher, as far as this machine has controllers. */
static char *standing_limits(bool new) {
    struct text text = {0};
    char *have = file_read(print("%s/cgroup.controllers", cgroup_mount()), NULL);
    have[strcspn(have, "\n")] = 0;
    text_add(&text, "{\"devices\":[{\"allow\":false,\"access\":\"rwm\"},{\"allow\":true,\"type\":\"c\",\"major\":1,\"minor\":%d,\"access\":\"rw\"}],"
                    "\"unified\":{\"cgroup.max.depth\":\"%d\",\"cgroup.max.descendants\":\"%d\"}", new ? 5 : 3, new ? 9 : 7, new ? 50 : 100);
    if (has_word(have, "pids")) text_add(&text, ",\"pids\":{\"limit\":%d}", new ? 21 : 42);
    if (has_word(have, "memory")) text_add(&text, ",\"memory\":{\"limit\":%d,\"reservation\":%d}", new ? 100663296 : 67108864, new ? 8388608 : 16777216);
    if (has_word(have, "cpu")) text_add(&text, ",\"cpu\":{\"shares\":%d,\"quota\":%d}", new ? 1024 : 512, new ? 20000 : 50000);
    text_add(&text, "}");
    return text.at;
}

static const char **standing_args(struct standing *g, const char *const *words) {
    const char **args = remember(calloc(8, sizeof *args));
    size_t n = 0;
    for (; words[n]; n++) args[n] = strcmp(words[n], "NEW") && strcmp(words[n], "OLD") ? words[n] : print("%s/%s", g->s.t->dir, words[n]);
    args[n] = g->s.t->tag;
    return args;
}

static void standing_go(struct standing *g, const char *const *words, bool must) {
    struct outcome out;
    scene_untraced(&g->s, &out, standing_args(g, words));
    CHECK(out.code == 0 || !must, "%s: %d %s", words[0], out.code, out.err);
    outcome_free(&out);
}

/* As it was before, or the rest of the sweep means nothing. */
static void standing_restore(struct standing *g, const char *where) {
    char *is = standing_state(g);
    if (strcmp(is, g->before)) {
        standing_go(g, g->back, false);
        free(is);
        is = standing_state(g);
    }
    CHECK(!strcmp(is, g->before), "%s: it can't be taken back: %s", where, report_difference(g->before, is));
    free(is);
    scene_expect_nothing_left(&g->s, where, "");
}

static void standing_judge(struct standing *g, const struct drive *drive, const char *where) {
    const struct outcome *out = &drive->outcome;
    char *is = standing_state(g);
    const char *want = out->code ? g->before : g->after;
    EXPECT(!drive->timed_out, "%s: no end", where);
    EXPECT(!strcmp(is, want) || (out->code && strstr(out->err, "could not be put back")), "%s: code %d, but %s(%s)", where, out->code, report_difference(want, is), out->err);
    EXPECT(out->code ? out->code == 1 && good_text(out->err) : !strcmp(out->out, g->out), "%s: code %d %s%s", where, out->code, out->err, out->out);
    free(is);
}

/* A limit or two may have come over already, and a freeze be on its way: the command goes through when it is given again. */
static void standing_judge_killed(struct standing *g, const char *where) {
    for (double end = now() + 2 * time_scale(); now() < end; nap(0.002)) {
        char *is = standing_state(g);
        bool settled = !strstr(is, "status paused") == !strstr(is, "cgroup.freeze 1");
        if (settled && strcmp(is, g->after)) standing_go(g, g->words, false);
        free(is);
        if (settled) break;
    }
    char *is = standing_state(g);
    EXPECT(!strcmp(is, g->after), "%s: then, given again: %s", where, report_difference(g->after, is));
    free(is);
}

static void standing_begin(struct t *t, struct standing *g, const char *const *words, const char *const *back) {
    *g = (struct standing){.s = {.t = t}, .words = words, .back = back};
    need_ocirt();
    if (!has_cgroup(&g->s)) SKIP("cgroup", "no cgroup2 hierarchy to write to");
    file_write(print("%s/OLD", t->dir), "%s", standing_limits(false));
    file_write(print("%s/NEW", t->dir), "%s", standing_limits(true));
    root_make(t, &g->s.b);
    bundle_config(&g->s.b, &(struct config){.args = "payload-sleep 1000", .linux_ = print("\"cgroupsPath\":\"/%s\",\"resources\":%s", t->tag, standing_limits(false))});
    struct outcome out;
    UNTRACED(&g->s, &out, "run", "-d", "-b", g->s.b.path, t->tag);
    CHECK(out.code == 0, "run: %s", out.err);
    g->cgroup = print("%s/%s", cgroup_mount(), t->tag);
    if (!strcmp(words[0], "resume")) standing_go(g, back, true);
    g->before = standing_state(g);
    g->s.before = snap_take(t, 0);
    drive_ocirt_list(t, &g->s.trace, standing_args(g, words));
    CHECK(g->s.trace.outcome.code == 0, "%s: %s", words[0], g->s.trace.outcome.err);
    g->out = print("%s", g->s.trace.outcome.out);
    close(g->s.trace.outcome.out_fd);
    close(g->s.trace.outcome.err_fd);
    g->after = standing_state(g);
    CHECK(!strcmp(g->before, g->after) == !back, "%s changed: %s", words[0], report_difference(g->before, g->after));
    standing_restore(g, words[0]);
}

static void sweep_standing(struct t *t, const char *const *words, const char *const *back) {
    struct standing g;
    standing_begin(t, &g, words, back);
    g.s.what = START; /* all its calls are swept */
    struct places p = scene_places(&g.s);
    size_t total = p.n * (ERRNOS + 1), step = sweeps_full() ? 1 : total / 64 + 1;
    for (size_t at = 0, done = 0; at < total; at += step, done++) {
        const struct place *place = &p.at[at / (ERRNOS + 1)];
        size_t how = (sweeps_full() ? at : done) % (ERRNOS + 1);
        bool kill = how == ERRNOS, always = !kill && place->nth == 1 && errnos[how] != EINTR && (sweeps_full() || done % 3 == 0);
        struct dose dose = {.aim = {.role = place->role, .nr = place->nr, .nth = place->nth, .always = always,
                                    .action = kill ? (struct drive_action){DRIVE_KILL, DRIVE_ALL} : (struct drive_action){DRIVE_FAIL, errnos[how]}}, .aimed = true};
        struct drive drive = {.decide = scene_give, .user = &dose};
        const char *where = print("%s: %s %s%s", words[0], scene_place_text(place), kill ? "is its last" : errno_name(errnos[how]), always ? " for ever" : "");
        drive_ocirt_list(t, &drive, standing_args(&g, words));
        if (kill) standing_judge_killed(&g, where);
        else standing_judge(&g, &drive, where);
        drive_free(&drive);
        standing_restore(&g, where);
    }
    clear_away(&g.s, words[0]);
    reap_all();
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})
static void pauses(struct t *t) { sweep_standing(t, WORDS("pause"), WORDS("resume")); }
static void resumes(struct t *t) { sweep_standing(t, WORDS("resume"), WORDS("pause")); }
static void updates(struct t *t) { sweep_standing(t, WORDS("update", "--resources", "NEW"), WORDS("update", "--resources", "OLD")); }
static void lists_processes(struct t *t) { sweep_standing(t, WORDS("ps", "--format", "json"), NULL); }

const struct test sweep_tests[] = {
    {"sweep.errors_run_small", errors_run_small, TEST_ROOT, 3600},
    {"sweep.errors_run_fat", errors_run_fat, TEST_ROOT, 3600},
    {"sweep.errors_create_small", errors_create_small, TEST_ROOT, 3600},
    {"sweep.errors_create_fat", errors_create_fat, TEST_ROOT, 3600},
    {"sweep.errors_start_fat", errors_start_fat, TEST_ROOT, 3600},
    {"sweep.errors_delete_fat", errors_delete_fat, TEST_ROOT, 3600},
    {"sweep.errors_run_small_user", errors_run_small_user, 0, 3600},
    {"sweep.errors_run_fat_user", errors_run_fat_user, 0, 3600},
    {"sweep.errors_create_fat_user", errors_create_fat_user, 0, 3600},
    {"sweep.kills_run", kills_run, TEST_ROOT, 3600},
    {"sweep.kills_run_fat", kills_run_fat, TEST_ROOT, 3600},
    {"sweep.kills_create", kills_create, TEST_ROOT, 3600},
    {"sweep.kills_start", kills_start, TEST_ROOT, 3600},
    {"sweep.kills_delete", kills_delete, TEST_ROOT, 3600},
    {"sweep.kills_run_user", kills_run_user, 0, 3600},
    {"sweep.kills_create_user", kills_create_user, 0, 3600},
    {"sweep.filters_run", filters_run, TEST_ROOT, 3600},
    {"sweep.filters_create", filters_create, TEST_ROOT, 3600},
    {"sweep.filters_run_user", filters_run_user, 0, 3600},
    {"sweep.errors_run_whole", errors_run_whole, TEST_ROOT, 3600},
    {"sweep.errors_run_other", errors_run_other, TEST_ROOT, 3600},
    {"sweep.errors_create_whole", errors_create_whole, TEST_ROOT, 3600},
    {"sweep.errors_delete_whole", errors_delete_whole, TEST_ROOT, 3600},
    {"sweep.errors_run_whole_user", errors_run_whole_user, 0, 3600},
    {"sweep.errors_run_other_user", errors_run_other_user, 0, 3600},
    {"sweep.kills_run_whole", kills_run_whole, TEST_ROOT, 3600},
    {"sweep.kills_create_other", kills_create_other, TEST_ROOT, 3600},
    {"sweep.filters_run_whole", filters_run_whole, TEST_ROOT, 3600},
    {"sweep.filters_create_other", filters_create_other, TEST_ROOT, 3600},
    {"sweep.errors_exec_fat", errors_exec_fat, TEST_ROOT, 3600},
    {"sweep.errors_exec_whole", errors_exec_whole, TEST_ROOT, 3600},
    {"sweep.errors_exec_user", errors_exec_user, 0, 3600},
    {"sweep.kills_exec", kills_exec, TEST_ROOT, 3600},
    {"sweep.filters_exec", filters_exec, TEST_ROOT, 3600},
    {"sweep.pause", pauses, TEST_ROOT, 3600},
    {"sweep.resume", resumes, TEST_ROOT, 3600},
    {"sweep.update", updates, TEST_ROOT, 3600},
    {"sweep.ps", lists_processes, TEST_ROOT, 3600},
    {0},
};
