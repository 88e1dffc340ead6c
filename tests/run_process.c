/* run_process.c: what the program is given, and why it was not started. */
#include "runs.h"
#include <sys/utsname.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

static void args_and_env(struct t *t) {
    struct outcome *out = ran_well(t, &(struct config){
        .args = "[\"/payload\",\"payload-report\",\"\",\"a b\",\"\\u00e9\\n\",\"--\"]",
        .process = "\"env\":[\"PATH=/\",\"A=1\",\"B=x=y\",\"EMPTY=\",\"A=2\",\"HOME=/h\"]"});
    CHECK_REPORT(out, "argc", "5");
    CHECK_REPORT(out, "argv.1", "");
    CHECK_REPORT(out, "argv.2", "a b");
    CHECK_REPORT(out, "argv.3", "\xc3\xa9\\n");
    CHECK_REPORT(out, "argv.4", "--");
    CHECK_REPORT(out, "env.A", "2");
    CHECK_OK(!report_nth(out, "env.A", 1));
    CHECK_REPORT(out, "env.B", "x=y");
    CHECK_REPORT(out, "env.EMPTY", "");
    CHECK_REPORT(out, "env.HOME", "/h");
    CHECK_REPORT(out, "env.count", "5");
}

/* Nothing of the caller's environment comes in. */
static void env_is_exact(struct t *t) {
    setenv("SECRET", "outside", 1);
    setenv("LD_PRELOAD", "/nothing.so", 1);
    struct outcome *out = ran_well(t, &(struct config){.process = "\"env\":[]"});
    CHECK_REPORT(out, "env.HOME", "/");
    CHECK_REPORT(out, "env.count", "1");
    out = ran_text(t, replaced(config_text(NULL), "\"env\":[\"PATH=/\",\"HOME=/\"]", "\"terminal\":false"));
    CHECK_INT(out->code, 0);
    CHECK_REPORT(out, "env.count", "1");
    unsetenv("LD_PRELOAD");
    refused(t, &(struct config){.process = "\"env\":[\"NOEQUALS\"]"}, 125, "/process/env/0");
    refused(t, &(struct config){.process = "\"env\":[\"A=1\",\"=x\"]"}, 125, "/process/env/1");
    refused(t, &(struct config){.process = "\"env\":[\"A=b\\u0000c\"]"}, 125, "NUL");
}

static void home_from_passwd(struct t *t) {
    struct bundle b;
    root_make(t, &b);
    root_file(&b, "etc/passwd", "# comment\nroot:x:0:0:root:/root:/bin/sh\nbroken\nuser:x:1000:1000::/home/user:/bin/sh\n"
                                "none:x:7:7\nother:x:1000:1000::/second:\nlast:x:8:8::/home/last:/x");
    struct outcome *out = ran_well(t, &(struct config){.process = "\"env\":[\"PATH=/\"]"});
    CHECK_REPORT(out, "env.HOME", "/root");
    if (geteuid()) return;
    out = ran_well(t, &(struct config){.process = "\"env\":[\"PATH=/\"],\"user\":{\"uid\":1000,\"gid\":0}"});
    CHECK_REPORT(out, "env.HOME", "/home/user");
    out = ran_well(t, &(struct config){.process = "\"env\":[\"PATH=/\"],\"user\":{\"uid\":8,\"gid\":0}"});
    CHECK_REPORT(out, "env.HOME", "/home/last");
    out = ran_well(t, &(struct config){.process = "\"env\":[\"PATH=/\"],\"user\":{\"uid\":7,\"gid\":0}"});
    CHECK_REPORT(out, "env.HOME", "/");
    out = ran_well(t, &(struct config){.process = "\"env\":[\"PATH=/\"],\"user\":{\"uid\":99,\"gid\":0}"});
    CHECK_REPORT(out, "env.HOME", "/");
    out = ran_well(t, &(struct config){.process = "\"env\":[\"HOME=/mine\"],\"user\":{\"uid\":1000,\"gid\":0}"});
    CHECK_REPORT(out, "env.HOME", "/mine");
}

/* A passwd that is a trap: a link out, a FIFO, a device, a folder, an endless line. */
static void hostile_passwd(struct t *t) {
    struct bundle b;
    root_make(t, &b);
    root_dir(&b, "etc");
    char *path = print("%s/etc/passwd", b.rootfs);
    file_write(print("%s/passwd", t->dir), "root:x:0:0::/outside:/\n");
    CHECK_SYS(symlink("../../../passwd", path));
    struct outcome *out = ran_well(t, &(struct config){.process = "\"env\":[]"});
    CHECK_REPORT(out, "env.HOME", "/");
    CHECK_SYS(unlink(path));
    CHECK_SYS(mkfifo(path, 0666));
    out = ran_well(t, &(struct config){.process = "\"env\":[]"});
    CHECK_REPORT(out, "env.HOME", "/");
    CHECK_SYS(unlink(path));
    CHECK_SYS(mkdir(path, 0777));
    out = ran_well(t, &(struct config){.process = "\"env\":[]"});
    CHECK_REPORT(out, "env.HOME", "/");
    CHECK_SYS(rmdir(path));
    struct text text = {0};
    for (int i = 0; i < 30000; i++) text_add(&text, "xxxxxxxxxx");
    text_add(&text, "\nroot:x:0:0::/found:/\n");
    file_write(path, "%s", text.at);
    out = ran_well(t, &(struct config){.process = "\"env\":[]"});
    CHECK_REPORT(out, "env.HOME", "/found");
}

static void cwd(struct t *t) {
    struct bundle b;
    struct outcome *out = ran_well(t, &(struct config){.process = "\"cwd\":\"/made/for/it\""});
    CHECK_REPORT(out, "cwd", "/made/for/it");
    CHECK_REPORT(out, "top.made", geteuid() ? "dir 0755 0 0" : "dir 0755 0 0");
    root_make(t, &b);
    root_dir(&b, "real/place");
    root_link(&b, "/real", "link");
    out = ran_well(t, &(struct config){.process = "\"cwd\":\"/link/place\""});
    CHECK_REPORT(out, "cwd", "/real/place");
    root_file(&b, "plain", "x");
    refused(t, &(struct config){.process = "\"cwd\":\"/plain\""}, 126, "/process/cwd");
    refused(t, &(struct config){.process = "\"cwd\":\"relative\""}, 125, "/process/cwd");
    refused(t, &(struct config){.process = "\"cwd\":\"\""}, 125, "/process/cwd");
    /* on a mount of the config */
    out = ran_well(t, &(struct config){.process = "\"cwd\":\"/m/x\"",
                                       .mounts = "{\"destination\":\"/m\",\"type\":\"tmpfs\",\"source\":\"tmpfs\"}"});
    CHECK_REPORT(out, "cwd", "/m/x");
}

static void cwd_of_the_user(struct t *t) {
    struct bundle b;
    root_make(t, &b);
    root_dir(&b, "private");
    CHECK_SYS(chmod(print("%s/private", b.rootfs), 0700));
    CHECK_SYS(chown(print("%s/private", b.rootfs), 1000, 1000));
    struct outcome *out = ran_well(t, &(struct config){.process = "\"cwd\":\"/private\",\"user\":{\"uid\":1000,\"gid\":1000}"});
    CHECK_REPORT(out, "cwd", "/private");
}

/* CVE-2024-21626: a cwd through a descriptor of the runtime. */
static void cwd_through_descriptor(struct t *t) {
    for (int fd = 3; fd < 20; fd++) {
        struct outcome *out = ran(t, &(struct config){.process = print("\"cwd\":\"/proc/self/fd/%d\"", fd)});
        EXPECT(out->code != 0, "fd %d: code %d", fd, out->code);
        EXPECT(!report_get(out, "cwd"), "fd %d: it ran in %s", fd, report_get(out, "cwd"));
        outcome_free(out);
        out = ran(t, &(struct config){.process = print("\"cwd\":\"/proc/self/fd/%d/../../..\"", fd)});
        EXPECT(out->code || !strcmp(report_get(out, "cwd"), "/"), "fd %d: it ran in %s", fd, report_get(out, "cwd"));
        outcome_free(out);
    }
    struct outcome *out = ran(t, &(struct config){.process = "\"cwd\":\"/proc/1/cwd\""});
    CHECK(out->code || !strcmp(report_get(out, "cwd"), "/"), "%s", out->out);
    out = ran(t, &(struct config){.process = "\"cwd\":\"/proc/1/root/..\""});
    CHECK(out->code || !strcmp(report_get(out, "cwd"), "/"), "%s", out->out);
}

static void user_and_groups(struct t *t) {
    struct outcome *out = ran_well(t, &(struct config){.process = "\"user\":{\"uid\":1000,\"gid\":2000,\"additionalGids\":[5,2000,70000]}"});
    CHECK_REPORT(out, "uid", "1000 1000 1000 1000");
    CHECK_REPORT(out, "gid", "2000 2000 2000 2000");
    CHECK_REPORT(out, "groups", "5 2000 70000");
    CHECK_REPORT(out, "cap.effective", "0000000000000000");
    CHECK_REPORT(out, "cap.permitted", "0000000000000000");
    CHECK_REPORT(out, "dumpable", "1");
    out = ran_well(t, &(struct config){.process = "\"user\":{\"uid\":0,\"gid\":0}"});
    CHECK_REPORT(out, "groups", "");
    out = ran_well(t, &(struct config){.process = "\"user\":{\"uid\":4294967294,\"gid\":4294967294}"});
    CHECK_REPORT(out, "uid", "4294967294 4294967294 4294967294 4294967294");
    refused(t, &(struct config){.process = "\"user\":{\"uid\":4294967295,\"gid\":0}"}, 125, "/process/user/uid");
    refused(t, &(struct config){.process = "\"user\":{\"uid\":-1,\"gid\":0}"}, 125, "/process/user/uid");
    refused(t, &(struct config){.process = "\"user\":{\"gid\":0}"}, 125, "/process/user");
}

static void umasks(struct t *t) {
    umask(0);
    struct outcome *out = ran_well(t, NULL);
    CHECK_REPORT(out, "umask", "0022");
    umask(077);
    out = ran_well(t, NULL);
    CHECK_REPORT(out, "umask", "0022");
    out = ran_well(t, &(struct config){.process = "\"user\":{\"uid\":0,\"gid\":0,\"umask\":0}"});
    CHECK_REPORT(out, "umask", "0000");
    out = ran_well(t, &(struct config){.process = "\"user\":{\"uid\":0,\"gid\":0,\"umask\":511}"});
    CHECK_REPORT(out, "umask", "0777");
    refused(t, &(struct config){.process = "\"user\":{\"uid\":0,\"gid\":0,\"umask\":512}"}, 125, "/process/user/umask");
    umask(022);
}

/* ---- capabilities ---- */

static const char *const caps[] = {"CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID",
    "SETUID", "SETPCAP", "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK",
    "IPC_OWNER", "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE",
    "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP",
    "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF",
    "CHECKPOINT_RESTORE"};
#define CAPS (sizeof caps / sizeof *caps)

char *cap_list(const char *name, unsigned long long set) {
    struct text text = {0};
    text_add(&text, "\"%s\":[", name);
    bool any = false;
    for (unsigned i = 0; i < CAPS; i++) {
        if (!(set >> i & 1)) continue;
        text_add(&text, "%s\"CAP_%s\"", any ? "," : "", caps[i]);
        any = true;
    }
    text_add(&text, "]");
    return text.at;
}

unsigned long long our_bounding(void) {
    unsigned long long set = 0;
    for (unsigned i = 0; i < CAPS; i++)
        if (prctl(PR_CAPBSET_READ, i, 0, 0, 0) == 1) set |= 1ull << i;
    return set;
}

unsigned long long told_set(const struct outcome *out, const char *name) {
    const char *value = report_get(out, print("cap.%s", name));
    CHECK_OK(value != NULL);
    return strtoull(value, NULL, 16);
}

static void check_sets(struct t *t, const char *user, unsigned long long bounding, unsigned long long permitted,
                       unsigned long long effective, unsigned long long inheritable, unsigned long long ambient,
                       unsigned long long want_permitted, unsigned long long want_effective) {
    struct outcome *out = ran_well(t, &(struct config){.process = print("\"user\":%s,\"capabilities\":{%s,%s,%s,%s,%s}", user,
        cap_list("bounding", bounding), cap_list("permitted", permitted), cap_list("effective", effective),
        cap_list("inheritable", inheritable), cap_list("ambient", ambient))});
    EXPECT(told_set(out, "bounding") == bounding, "bounding %llx for %llx", told_set(out, "bounding"), bounding);
    EXPECT(told_set(out, "permitted") == want_permitted, "permitted %llx for %llx", told_set(out, "permitted"), want_permitted);
    EXPECT(told_set(out, "effective") == want_effective, "effective %llx for %llx", told_set(out, "effective"), want_effective);
    EXPECT(told_set(out, "inheritable") == inheritable, "inheritable %llx for %llx", told_set(out, "inheritable"), inheritable);
    EXPECT(told_set(out, "ambient") == ambient, "ambient %llx for %llx", told_set(out, "ambient"), ambient);
    outcome_free(out);
}

/* Each capability alone, as root and as a user, in each set. After execve root has bounding and
 * inheritable; a user has what is ambient. */
static void each_capability(struct t *t) {
    unsigned long long ours = our_bounding();
    const char *root = "{\"uid\":0,\"gid\":0}", *user = "{\"uid\":1000,\"gid\":1000}";
    for (unsigned i = 0; i < CAPS; i++) {
        unsigned long long bit = 1ull << i;
        if (!(ours & bit)) continue;
        check_sets(t, root, bit, bit, bit, 0, 0, bit, bit);
        if (geteuid()) continue;
        check_sets(t, user, bit, bit, bit, bit, bit, bit, bit);
        check_sets(t, user, bit, bit, bit, 0, 0, 0, 0);
    }
}

static void capability_sets(struct t *t) {
    unsigned long long all = our_bounding(), a = 1ull << 0, b = 1ull << 10, c = 1ull << 21;
    const char *root = "{\"uid\":0,\"gid\":0}", *user = "{\"uid\":1000,\"gid\":1000}";
    check_sets(t, root, 0, 0, 0, 0, 0, 0, 0);
    check_sets(t, root, all, all, all, 0, 0, all, all);
    check_sets(t, root, all, all, all, all, all, all, all);
    check_sets(t, root, a | b, a, a, a, 0, a | b, a | b);
    check_sets(t, user, a | b | c, a | b, a | b, a | b, a, a, a);
    check_sets(t, user, a | b | c, a | b | c, 0, a | b | c, a | c, a | c, a | c);
    struct outcome *out = ran_well(t, NULL);
    static const char *const names[] = {"bounding", "permitted", "effective", "inheritable", "ambient"};
    for (int i = 0; i < 5; i++) CHECK_INT(told_set(out, names[i]), 0);
    CHECK_REPORT(out, "securebits", "0");
}

/* Unknown names, and what the caller has not, are warnings. */
static void unknown_capability(struct t *t) {
    struct outcome *out = ran_well(t, &(struct config){.process =
        "\"capabilities\":{\"bounding\":[\"CAP_FLY\",\"CAP_CHOWN\"],\"permitted\":[\"CAP_CHOWN\",\"CAP_FLY\"],\"effective\":[\"CAP_CHOWN\"]}"});
    CHECK_INT(told_set(out, "bounding"), 1);
    CHECK_INT(told_set(out, "effective"), 1);
    CHECK_HAS(out->err, "CAP_FLY");
}

static void drop_one(void *user) {
    if (prctl(PR_CAPBSET_DROP, *(int *)user, 0, 0, 0)) _exit(99);
    struct {
        uint32_t version;
        int pid;
    } head = {0x20080522, 0};
    struct {
        uint32_t effective, permitted, inheritable;
    } data[2] = {{0, 0, 0}, {0, 0, 0}};
    if (syscall(SYS_capget, &head, data)) _exit(99);
    data[0].effective &= ~(1u << *(int *)user), data[0].permitted &= ~(1u << *(int *)user), data[0].inheritable = 0;
    if (syscall(SYS_capset, &head, data)) _exit(99);
}

/* A caller who lacks one of those asked for (as in a container of an engine that dropped it). */
static void missing_capability(struct t *t) {
    struct bundle b;
    struct outcome out;
    int lost = 25; /* SYS_TIME */
    root_make(t, &b);
    bundle_config(&b, &(struct config){.process = "\"capabilities\":{\"bounding\":[\"CAP_SYS_TIME\",\"CAP_KILL\"],"
        "\"permitted\":[\"CAP_SYS_TIME\",\"CAP_KILL\"],\"effective\":[\"CAP_SYS_TIME\",\"CAP_KILL\"]}"});
    command_run(&(struct command){.argv = ocirt_argv(t, (const char *const[]){"run", "-b", b.path, t->tag, NULL}),
                                  .child = drop_one, .user = &lost}, &out);
    CHECK(out.code == 0, "%s", out.err);
    CHECK_INT(told_set(&out, "effective"), 1 << 5);
    CHECK_INT(told_set(&out, "bounding"), 1 << 5);
    CHECK_HAS(out.err, "CAP_SYS_TIME");
}

/* ---- limits and the rest of the process ---- */

static void rlimits(struct t *t) {
    struct outcome *out = ran_well(t, &(struct config){.process =
        "\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"soft\":100,\"hard\":200},{\"type\":\"RLIMIT_CORE\",\"soft\":0,\"hard\":0},"
        "{\"type\":\"RLIMIT_FSIZE\",\"soft\":1000000000,\"hard\":18446744073709551615},{\"type\":\"RLIMIT_STACK\",\"soft\":1048576,\"hard\":2097152},"
        "{\"type\":\"RLIMIT_NPROC\",\"soft\":50,\"hard\":60},{\"type\":\"RLIMIT_CPU\",\"soft\":100,\"hard\":101},"
        "{\"type\":\"RLIMIT_MSGQUEUE\",\"soft\":1000,\"hard\":1001},{\"type\":\"RLIMIT_SIGPENDING\",\"soft\":10,\"hard\":11},"
        "{\"type\":\"RLIMIT_MEMLOCK\",\"soft\":4096,\"hard\":8192},{\"type\":\"RLIMIT_LOCKS\",\"soft\":3,\"hard\":4},"
        "{\"type\":\"RLIMIT_RSS\",\"soft\":5,\"hard\":6},{\"type\":\"RLIMIT_RTTIME\",\"soft\":7,\"hard\":8},"
        "{\"type\":\"RLIMIT_NICE\",\"soft\":0,\"hard\":0},{\"type\":\"RLIMIT_RTPRIO\",\"soft\":0,\"hard\":0},"
        "{\"type\":\"RLIMIT_AS\",\"soft\":4294967296,\"hard\":4294967297},{\"type\":\"RLIMIT_DATA\",\"soft\":1073741824,\"hard\":1073741825}]"});
    static const char *const want[][2] = {{"nofile", "100 200"}, {"core", "0 0"}, {"fsize", "1000000000 unlimited"},
        {"stack", "1048576 2097152"}, {"nproc", "50 60"}, {"cpu", "100 101"}, {"msgqueue", "1000 1001"},
        {"sigpending", "10 11"}, {"memlock", "4096 8192"}, {"locks", "3 4"}, {"rss", "5 6"}, {"rttime", "7 8"},
        {"nice", "0 0"}, {"rtprio", "0 0"}, {"as", "4294967296 4294967297"}, {"data", "1073741824 1073741825"}};
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        const char *got = report_get(out, print("rlimit.%s", want[i][0]));
        EXPECT(!strcmp(got, want[i][1]), "%s: %s, not %s", want[i][0], got, want[i][1]);
    }
}

/* Those that are not named stay as the caller has them, those that the runtime needs included. */
static void rlimits_inherited(struct t *t) {
    struct rlimit limit = {333, 4444};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = 333;
    CHECK_SYS(setrlimit(RLIMIT_NOFILE, &limit));
    CHECK_SYS(setrlimit(RLIMIT_CORE, &(struct rlimit){77, 88}));
    struct outcome *out = ran_well(t, NULL);
    CHECK_REPORT(out, "rlimit.core", "77 88");
    CHECK_REPORT(out, "rlimit.nofile", print("333 %llu", (unsigned long long)limit.rlim_max));
    refused(t, &(struct config){.process = "\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"soft\":0,\"hard\":0},{\"type\":\"RLIMIT_CORE\",\"soft\":0,\"hard\":0}]"},
            125, "/process/rlimits/1");
    refused(t, &(struct config){.process = "\"rlimits\":[{\"type\":\"RLIMIT_SLEEP\",\"soft\":0,\"hard\":0}]"}, 125, "/process/rlimits/0");
    refused(t, &(struct config){.process = "\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"soft\":2,\"hard\":1}]"}, 125, "/process/rlimits/0");
}

static void oom_score(struct t *t) {
    struct outcome *out = ran_well(t, &(struct config){.process = "\"oomScoreAdj\":321"});
    CHECK_REPORT(out, "oom_score_adj", "321");
    CHECK_OK(file_put("/proc/self/oom_score_adj", "55"));
    out = ran_well(t, NULL);
    CHECK_REPORT(out, "oom_score_adj", "55");
    CHECK_TEXT(file_read("/proc/self/oom_score_adj", NULL), "55\n");
    refused(t, &(struct config){.process = "\"oomScoreAdj\":1001"}, 125, "/process/oomScoreAdj");
    refused(t, &(struct config){.process = "\"oomScoreAdj\":-1001"}, 125, "/process/oomScoreAdj");
    out = ran_well(t, &(struct config){.namespaces = DEFAULT_NAMESPACES " user", .process = "\"oomScoreAdj\":60"});
    CHECK_REPORT(out, "oom_score_adj", "60");
}

static void new_privileges(struct t *t) {
    struct outcome *out = ran_well(t, &(struct config){.process = "\"noNewPrivileges\":true"});
    CHECK_REPORT(out, "no_new_privs", "1");
    out = ran_well(t, &(struct config){.process = "\"noNewPrivileges\":false"});
    CHECK_REPORT(out, "no_new_privs", "0");
}

/* Those of the ipc namespace belong to the owner of its user namespace since Linux 5.19. */
static void need_ipc_sysctls(void) {
    struct utsname name;
    int major = 0, minor = 0;
    uname(&name);
    sscanf(name.release, "%d.%d", &major, &minor);
    if (geteuid() && (major < 5 || (major == 5 && minor < 19))) SKIP("kernel", "sysctls of the ipc namespace are root's before Linux 5.19");
}

static void sysctls(struct t *t) {
    need_ipc_sysctls();
    const char *others = geteuid() ? " network user" : " network";
    char *ours = file_read("/proc/sys/kernel/msgmax", NULL), *forward = file_read("/proc/sys/net/ipv4/ip_forward", NULL);
    struct outcome *out = ran_well(t, &(struct config){
        .args = "payload-cat /proc/sys/kernel/msgmax /proc/sys/net/ipv4/ip_local_port_range /proc/sys/net/ipv4/conf/lo/forwarding /proc/sys/fs/mqueue/msg_max",
        .namespaces = print(DEFAULT_NAMESPACES "%s", others),
        .linux_ = "\"sysctl\":{\"kernel.msgmax\":\"4321\",\"net.ipv4.ip_local_port_range\":\"2000 3000\",\"net/ipv4/conf/lo/forwarding\":\"1\",\"fs.mqueue.msg_max\":\"11\"}"});
    CHECK_TEXT(out->out, "4321\n2000\t3000\n1\n11\n");
    CHECK_TEXT(file_read("/proc/sys/kernel/msgmax", NULL), ours);
    CHECK_TEXT(file_read("/proc/sys/net/ipv4/ip_forward", NULL), forward);
    static const char *const bad[] = {"kernel.panic", "vm.swappiness", "kernel.hostname", "kernel.core_pattern", "kernel.shm_next_id",
                                      "fs.file-max", "net.../../kernel/panic", "kernel/msgmax/../panic", "net/../vm/swappiness", "dev.cdrom.debug", ""};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refused(t, &(struct config){.namespaces = print(DEFAULT_NAMESPACES "%s", others),
                                    .linux_ = print("\"sysctl\":{\"%s\":\"0\"}", bad[i])}, 125, "/linux/sysctl");
    refused(t, &(struct config){.linux_ = "\"sysctl\":{\"net.ipv4.ip_forward\":\"1\"}"}, 125, "/linux/sysctl");
    refused(t, &(struct config){.namespaces = geteuid() ? "pid mount uts user" : "pid mount uts", .linux_ = "\"sysctl\":{\"kernel.msgmax\":\"1\"}"}, 125, "/linux/sysctl");
    refused(t, &(struct config){.namespaces = print(DEFAULT_NAMESPACES "%s", others),
                                .linux_ = "\"sysctl\":{\"net.ipv4.no_such_thing\":\"1\"}"}, 125, "no_such_thing");
    if (geteuid()) return;
    /* joined: the host's own network namespace by its path */
    refused(t, &(struct config){.namespaces = "[{\"type\":\"pid\"},{\"type\":\"mount\"},{\"type\":\"uts\"},{\"type\":\"network\",\"path\":\"/proc/self/ns/net\"}]",
                                .linux_ = print("\"sysctl\":{\"net.ipv4.ip_forward\":\"%c\"}", *forward)}, 125, "/linux/namespaces/3");
}

static void sysctl_without_proc(struct t *t) {
    need_ipc_sysctls();
    struct outcome *out = ran(t, &(struct config){.no_mounts = true, .args = "payload-exit 0",
                                                  .namespaces = geteuid() ? "pid mount ipc uts user" : NULL,
                                                  .linux_ = "\"sysctl\":{\"kernel.msgmax\":\"4321\"}"});
    CHECK(out->code == 0, "%s", out->err);
}

static void personalities(struct t *t) {
    struct outcome *out = ran_well(t, &(struct config){.linux_ = "\"personality\":{\"domain\":\"LINUX32\"}"});
    CHECK_REPORT(out, "personality", "0x8");
    out = ran_well(t, &(struct config){.linux_ = "\"personality\":{\"domain\":\"LINUX\"}"});
    CHECK_REPORT(out, "personality", "0");
    refused(t, &(struct config){.linux_ = "\"personality\":{\"domain\":\"WINDOWS\"}"}, 125, "/linux/personality");
}

static void scheduling(struct t *t) {
    struct outcome *out = ran(t, &(struct config){.process = "\"scheduler\":{\"policy\":\"SCHED_BATCH\",\"nice\":7},\"ioPriority\":{\"class\":\"IOPRIO_CLASS_BE\",\"priority\":6}"});
    if (strstr(out->err, "not carried out")) SKIP("ocirt", "%s", out->err);
    CHECK(out->code == 0, "%s", out->err);
    CHECK_REPORT(out, "sched", "3 0");
    CHECK_REPORT(out, "nice", "7");
    CHECK_REPORT(out, "ioprio", "2 6");
    out = ran_well(t, &(struct config){.process = "\"scheduler\":{\"policy\":\"SCHED_IDLE\"},\"ioPriority\":{\"class\":\"IOPRIO_CLASS_IDLE\",\"priority\":0}"});
    CHECK_REPORT(out, "sched", "5 0");
    CHECK_REPORT(out, "ioprio", "3 0");
    refused(t, &(struct config){.process = "\"scheduler\":{\"policy\":\"SCHED_WHIM\"}"}, 125, "/process/scheduler");
    refused(t, &(struct config){.process = "\"scheduler\":{\"policy\":\"SCHED_OTHER\",\"nice\":20}"}, 125, "/process/scheduler");
    refused(t, &(struct config){.process = "\"ioPriority\":{\"class\":\"IOPRIO_CLASS_BE\",\"priority\":8}"}, 125, "/process/ioPriority");
    if (geteuid()) return;
    out = ran(t, &(struct config){.process = "\"scheduler\":{\"policy\":\"SCHED_FIFO\",\"priority\":10}"});
    if (out->code) SKIP("kernel", "no realtime budget: %s", out->err);
    CHECK_REPORT(out, "sched", "1 10");
}

/* ---- what is inherited ---- */

static void session(struct t *t) {
    struct outcome *out = ran_well(t, NULL);
    CHECK_REPORT(out, "sid", "1");
    CHECK_REPORT(out, "pgrp", "1");
    CHECK_REPORT(out, "comm", "payload");
    CHECK_REPORT(out, "exe", "/payload");
    CHECK_REPORT(out, "argv.0", "payload-report");
    CHECK_REPORT(out, "pdeathsig", "0");
    CHECK_REPORT(out, "subreaper", "0");
    CHECK_REPORT(out, "dumpable", "1");
    CHECK_REPORT(out, "tty.controlling", "0");
    CHECK_REPORT(out, "seccomp", "0");
}

void open_strays(void *user) {
    (void)user;
    for (int fd = 3; fd < 200; fd += 7) dup2(0, fd);
    dup2(0, 1000);
}

static void strays_are_closed(struct t *t) {
    struct bundle b;
    struct outcome out;
    root_make(t, &b);
    bundle_config(&b, NULL);
    command_run(&(struct command){.argv = ocirt_argv(t, (const char *const[]){"run", "-b", b.path, t->tag, NULL}), .child = open_strays}, &out);
    CHECK(out.code == 0, "%s", out.err);
    CHECK_REPORT(&out, "fd.count", "3");
    command_run(&(struct command){.argv = ocirt_argv(t, (const char *const[]){"run", "-b", b.path, "--preserve-fds", "1", t->tag, NULL}), .child = open_strays}, &out);
    CHECK(out.code == 0, "%s", out.err);
    CHECK_REPORT(&out, "fd.count", "4");
    CHECK_HAS(report_get(&out, "fd.3"), "/dev/null");
}

void close_some(void *user) {
    unsigned which = *(unsigned *)user;
    for (int fd = 0; fd < 3; fd++)
        if (which >> fd & 1) close(fd);
}

/* Descriptors 0 to 2 closed in each combination: the program must not find the runtime's own files
 * there. It writes its report to a file. */
static void closed_stdio(struct t *t) {
    for (unsigned which = 0; which < 8; which++) {
        struct bundle b;
        struct outcome out;
        root_make(t, &b);
        root_dir(&b, "out");
        if (!geteuid()) CHECK_SYS(chmod(print("%s/out", b.rootfs), 0777));
        bundle_config(&b, &(struct config){.args = "payload-script write /out/ran yes -- report"});
        unlink(print("%s/out/ran", b.rootfs));
        command_run(&(struct command){.argv = ocirt_argv(t, (const char *const[]){"run", "-b", b.path, t->tag, NULL}), .child = close_some, .user = &which}, &out);
        EXPECT(!out.timed_out && (out.code == 0 || out.code == 125), "%u: code %d: %s", which, out.code, out.err);
        EXPECT(out.code != 0 || !access(print("%s/out/ran", b.rootfs), F_OK), "%u: it did not run", which);
        if (which & 2) {
            EXPECT(!strstr(out.err, "fd."), "%u: the report went to standard error", which);
            continue;
        }
        if (out.code) {
            EXPECT(false, "%u: refused: %s", which, out.err);
            continue;
        }
        for (int fd = 0; fd < 3; fd++) {
            const char *got = report_get(&out, print("fd.%d", fd));
            if (which >> fd & 1)
                EXPECT(!got || !strncmp(got, "/dev/null ", 10), "%u: fd %d is %s", which, fd, got);
        }
        EXPECT(!report_get(&out, "fd.3"), "%u: fd 3 is %s", which, report_get(&out, "fd.3"));
    }
}

static void hostile_signals(void *user) {
    sigset_t all;
    (void)user;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    for (int i = 1; i <= 64; i++) signal(i, SIG_IGN);
}

static void signals_are_default(struct t *t) {
    struct bundle b;
    struct outcome out;
    root_make(t, &b);
    bundle_config(&b, NULL);
    command_run(&(struct command){.argv = ocirt_argv(t, (const char *const[]){"run", "-b", b.path, t->tag, NULL}), .child = hostile_signals}, &out);
    CHECK(out.code == 0, "%d %s", out.code, out.err);
    CHECK_REPORT(&out, "sig.blocked", "0000000000000000");
    CHECK_REPORT(&out, "sig.ignored", "0000000000000000");
    CHECK_REPORT(&out, "sig.caught", "0000000000000000");
    CHECK_REPORT(&out, "sig.pending", "0000000000000000");
}

/* ---- exec failures: code, words that clients look for ---- */

static void fails(struct t *t, const char *args, int code, const char *words) {
    refused(t, &(struct config){.args = args, .process = "\"env\":[\"PATH=/bin:/sbin\"]"}, code, words);
}

static void exec_failures(struct t *t) {
    struct bundle b;
    root_make(t, &b);
    root_file(&b, "bin/plain", "text\n");
    root_file(&b, "bin/script", "#!/bin/none\n");
    root_file(&b, "bin/return", "#!/payload\r\n");
    root_file(&b, "bin/bare", "echo x\n");
    root_file(&b, "bin/empty", "");
    char elf[128] = "\177ELF\2\1\1";
    elf[16] = 2, elf[18] = 8 /* mips */, elf[20] = 1, elf[52] = 64;
    int fd = open(print("%s/bin/mips", b.rootfs), O_WRONLY | O_CREAT, 0755);
    CHECK_INT(write(fd, elf, sizeof elf), sizeof elf);
    close(fd);
    static const char *const x[] = {"script", "return", "bare", "empty"};
    for (int i = 0; i < 4; i++) CHECK_SYS(chmod(print("%s/bin/%s", b.rootfs, x[i]), 0755));
    root_link(&b, "/bin/loop", "bin/loop");
    root_link(&b, "/nowhere", "bin/dangling");
    const char *missing = "executable file not found in $PATH: no such file or directory";
    fails(t, "[\"nothing\"]", 127, print("exec: \"nothing\": %s", missing));
    fails(t, "[\"/x/foo\"]", 127, print("exec: \"/x/foo\": %s", missing));
    fails(t, "[\"./foo\"]", 127, print("exec: \"./foo\": %s", missing));
    fails(t, "[\"\"]", 127, "executable file not found in $PATH");
    fails(t, "[\"/bin/dangling\"]", 127, missing);
    fails(t, "[\"/bin/plain/x\"]", 127, "exec: \"/bin/plain/x\"");
    fails(t, "[\"/bin/plain\"]", 126, "exec: \"/bin/plain\": permission denied");
    fails(t, "[\"plain\"]", 126, "exec: \"plain\": permission denied");
    fails(t, "[\"/bin\"]", 126, "exec: \"/bin\": is a directory: permission denied: the path `/bin` is not a regular file: Operation not permitted");
    fails(t, "[\"/bin/loop\"]", 126, "exec: \"/bin/loop\"");
    /* what only execve finds out */
    struct outcome *out = ran(t, &(struct config){.args = "[\"/bin/script\"]"});
    CHECK_HAS(out->err, "/bin/none");
    CHECK_HAS(out->err, "no such file or directory");
    CHECK_OK(out->code == 126 || out->code == 127);
    out = ran(t, &(struct config){.args = "[\"/bin/return\"]"});
    CHECK_HAS(out->err, "carriage return");
    out = ran(t, &(struct config){.args = "[\"/bin/mips\"]"});
    CHECK_HAS(out->err, "exec format error");
    CHECK_INT(out->code, 126);
    out = ran(t, &(struct config){.args = "[\"/bin/bare\"]"});
    CHECK_HAS(out->err, "exec format error");
    CHECK_INT(out->code, 126);
    out = ran(t, &(struct config){.args = "[\"/bin/empty\"]"});
    CHECK_HAS(out->err, "exec format error");
    refused(t, &(struct config){.process = "\"args\":[]"}, 125, "/process/args");
}

/* create must find the missing program, since clients map its failure. */
static void create_finds_missing(struct t *t) {
    struct bundle b;
    struct snap *before;
    root_make(t, &b);
    bundle_config(&b, &(struct config){.args = "[\"nothing\"]"});
    before = snap_take(t, 0);
    expect(t, 1, "executable file not found in $PATH", "create", "-b", b.path, t->tag);
    expect(t, 1, "container does not exist", "state", t->tag);
    rmdir(t->state);
    CHECK_SNAP(t, before);
}

static void exec_searches(struct t *t) {
    struct bundle b;
    root_make(t, &b);
    root_file(&b, "one/prog", "not executable");
    root_dir(&b, "two");
    CHECK_OK(copy_file(print("%s/payload", b.rootfs), print("%s/two/prog", b.rootfs), 0755));
    struct outcome *out = ran_well(t, &(struct config){.args = "[\"prog\",\"payload-report\"]", .process = "\"env\":[\"PATH=/none:/one:/two\"]"});
    CHECK_REPORT(out, "exe", "/two/prog");
    out = ran_well(t, &(struct config){.args = "[\"./prog\",\"payload-report\"]", .process = "\"cwd\":\"/two\""});
    CHECK_REPORT(out, "exe", "/two/prog");
    out = ran_well(t, &(struct config){.args = "[\"two/prog\",\"payload-report\"]"});
    CHECK_REPORT(out, "exe", "/two/prog");
    refused(t, &(struct config){.args = "[\"prog\"]", .process = "\"env\":[\"A=/two\"]"}, 127, "executable file not found in $PATH");
}

/* Executable for root only: a user is told so. */
static void exec_of_the_user(struct t *t) {
    struct bundle b;
    root_make(t, &b);
    CHECK_OK(copy_file(print("%s/payload", b.rootfs), print("%s/mine", b.rootfs), 0700));
    refused(t, &(struct config){.args = "[\"/mine\",\"payload-report\"]", .process = "\"user\":{\"uid\":1000,\"gid\":1000}"}, 126,
            "exec: \"/mine\": permission denied");
    CHECK_SYS(chown(print("%s/mine", b.rootfs), 1000, 1000));
    struct outcome *out = ran_well(t, &(struct config){.args = "[\"/mine\",\"payload-report\"]", .process = "\"user\":{\"uid\":1000,\"gid\":1000}"});
    CHECK_REPORT(out, "uid", "1000 1000 1000 1000");
    /* on a noexec mount */
    out = ran(t, &(struct config){.args = "[\"/m/payload\",\"payload-report\"]",
        .mounts = print("{\"destination\":\"/m\",\"source\":\"%s\",\"options\":[\"bind\",\"noexec\"]}", b.rootfs)});
    CHECK_INT(out->code, 126);
    CHECK_HAS(out->err, "permission denied");
}

/* A pipe is opened again by an ordinary user's program, as `> /dev/stdout` does; a file of the caller's stays his. */
static void streams_are_the_users(struct t *t) {
    struct bundle b;
    struct outcome out;
    struct stat st;
    char   text[256] = "";
    int    pipes[2];
    const char *const argv[] = {"ocirt", "--root", t->state, "run", "-b", b.path, t->tag, NULL};
    root_make(t, &b);
    bundle_config(&b, &(struct config){.args = "[\"/payload\",\"payload-append\",\"/proc/self/fd/1\",\"again\"]", .process = "\"user\":{\"uid\":1000,\"gid\":1000}"});
    CHECK_SYS(pipe2(pipes, O_CLOEXEC));
    command_run(&(struct command){.argv = argv, .out_fd = pipes[1]}, &out);
    CHECK(out.code == 0, "%d %s", out.code, out.err);
    CHECK_SYS(fstat(pipes[1], &st));
    CHECK_INT(st.st_uid, 1000);
    CHECK_OK(read(pipes[0], text, sizeof text - 1) > 0);
    CHECK_HAS(text, "again");
    close(pipes[0]), close(pipes[1]);
    pipes[1] = open(print("%s/file", t->dir), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    command_run(&(struct command){.argv = argv, .out_fd = pipes[1]}, &out);
    CHECK_SYS(fstat(pipes[1], &st));
    CHECK_INT(st.st_uid, 0);
    close(pipes[1]);
}

/* Pipes that have a name and sockets become the user's too, devices stay whose they are; those are the rule of exec as well. */
static void streams_of_each_kind(struct t *t) {
    static const struct {
        const char *kind;
        unsigned uid;
    } rows[] = {{"a FIFO", 1000}, {"a socket", 1000}, {"a device", 0}, {"a file", 0}};
    struct box x;
    struct bundle b;
    int pair[2];
    struct stat st;
    root_make(t, &b);
    const char *fifo = print("%s/fifo", t->dir), *device = print("%s/device", t->dir), *file = print("%s/file", t->dir);
    CHECK_SYS(mkfifo(fifo, 0600));
    CHECK_SYS(mknod(device, S_IFCHR | 0600, makedev(1, 3)));
    file_write(file, "%s", "");
    CHECK_SYS(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
    const int fds[] = {open(fifo, O_RDWR | O_CLOEXEC), pair[0], open(device, O_RDWR | O_CLOEXEC), open(file, O_RDWR | O_CLOEXEC)};
    for (int exec = 0; exec < 2; exec++) {
        if (exec) box_begin(t, &x, NULL);
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            struct outcome out;
            if (i == 2 && fds[i] < 0) continue; /* below a mount without devices */
            CHECK_OK(fds[i] >= 0);
            CHECK_SYS(fchown(fds[i], 0, 0));
            if (!exec) bundle_config(&b, &(struct config){.args = "payload-exit 0", .process = "\"user\":{\"uid\":1000,\"gid\":1000}"});
            const char **argv = exec ? exec_argv(t, "-u 1000:1000", "/payload payload-exit 0") : ocirt_argv(t, (const char *const[]){"run", "-b", b.path, t->tag, NULL});
            command_run(&(struct command){.argv = argv, .input = "", .out_fd = fds[i], .err_fd = fds[i]}, &out); /* not on the host's null device */
            EXPECT(out.code == 0, "%s: %d", rows[i].kind, out.code);
            CHECK_SYS(fstat(fds[i], &st));
            EXPECT(st.st_uid == rows[i].uid && st.st_gid == 0, "%s%s is %u:%u's", exec ? "exec: " : "", rows[i].kind, st.st_uid, st.st_gid);
        }
        if (exec) box_end(t, &x);
    }
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) close(fds[i]);
    close(pair[1]);
}

const struct test run_process_tests[] = {
    {"process.streams_are_the_users", streams_are_the_users, TEST_ROOT, 0},
    {"process.streams_of_each_kind", streams_of_each_kind, TEST_ROOT, 0},
    {"process.args_and_env", args_and_env, 0, 0},
    {"process.env_is_exact", env_is_exact, 0, 0},
    {"process.home_from_passwd", home_from_passwd, 0, 0},
    {"process.hostile_passwd", hostile_passwd, 0, 0},
    {"process.cwd", cwd, 0, 0},
    {"process.cwd_of_the_user", cwd_of_the_user, TEST_ROOT, 0},
    {"process.cwd_through_descriptor", cwd_through_descriptor, 0, 0},
    {"process.user_and_groups", user_and_groups, TEST_ROOT, 0},
    {"process.umasks", umasks, 0, 0},
    {"process.each_capability", each_capability, 0, 60},
    {"process.capability_sets", capability_sets, TEST_ROOT, 0},
    {"process.unknown_capability", unknown_capability, 0, 0},
    {"process.missing_capability", missing_capability, TEST_ROOT, 0},
    {"process.rlimits", rlimits, TEST_ROOT, 0},
    {"process.rlimits_inherited", rlimits_inherited, 0, 0},
    {"process.oom_score", oom_score, 0, 0},
    {"process.new_privileges", new_privileges, 0, 0},
    {"process.sysctls", sysctls, 0, 0},
    {"process.sysctl_without_proc", sysctl_without_proc, 0, 0},
    {"process.personalities", personalities, 0, 0},
    {"process.scheduling", scheduling, 0, 0},
    {"process.session", session, 0, 0},
    {"process.strays_are_closed", strays_are_closed, 0, 0},
    {"process.closed_stdio", closed_stdio, 0, 0},
    {"process.signals_are_default", signals_are_default, 0, 0},
    {"process.exec_failures", exec_failures, 0, 0},
    {"process.create_finds_missing", create_finds_missing, 0, 0},
    {"process.exec_searches", exec_searches, 0, 0},
    {"process.exec_of_the_user", exec_of_the_user, TEST_ROOT, 0},
    {0}};
