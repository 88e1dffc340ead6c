/* run_ns.c: namespaces, made and joined, and id maps. */
#include "runs.h"
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif
#ifndef CLONE_NEWCGROUP
#define CLONE_NEWCGROUP 0x02000000
#endif

static const struct {
    const char *word, *file;
    int flag;
} kinds[] = {{"pid", "pid", CLONE_NEWPID},       {"network", "net", CLONE_NEWNET}, {"ipc", "ipc", CLONE_NEWIPC},
             {"uts", "uts", CLONE_NEWUTS},       {"user", "user", CLONE_NEWUSER},  {"cgroup", "cgroup", CLONE_NEWCGROUP},
             {"time", "time", CLONE_NEWTIME},    {"mount", "mnt", CLONE_NEWNS}};
#define KINDS (sizeof kinds / sizeof *kinds)

static unsigned long long told(const struct outcome *out, const char *file) {
    const char *value = report_get(out, print("ns.%s", file));
    CHECK(value != NULL, "no ns.%s in the report", file);
    return strtoull(value, NULL, 10);
}

static void all_are_new(struct t *t) {
    struct outcome *out = ran_well(t, &(struct config){.namespaces = "pid mount ipc uts network user cgroup time"});
    for (size_t i = 0; i < KINDS; i++) EXPECT(told(out, kinds[i].file) != ns_of(0, kinds[i].file), "%s is ours", kinds[i].word);
    CHECK_REPORT(out, "pid", "1");
    CHECK_REPORT(out, "lo.up", "1");
    CHECK_REPORT(out, "netdev", print("lo flags=%s", report_get(out, "lo")));
    CHECK_OK(!report_nth(out, "netdev", 1));
    CHECK_TEXT(report_get(out, "ns.time_for_children"), report_get(out, "ns.time"));
    CHECK_TEXT(report_get(out, "ns.pid_for_children"), report_get(out, "ns.pid"));
    CHECK_REPORT(out, "uid", "0 0 0 0");
}

/* Each subset of seven, with a mount namespace: what is named is new, what is not is shared. */
static void every_subset(struct t *t) {
    for (unsigned set = 0; set < 128; set++) {
        struct text words = {0};
        bool user = set & 16, pid = set & 1;
        text_add(&words, "mount");
        for (size_t i = 0; i < 7; i++)
            if (set >> i & 1) text_add(&words, " %s", kinds[i].word);
        if (geteuid() && !user) continue;
        /* proc needs a pid namespace of the same user namespace; else what is there is bound */
        const char *mounts = pid ? "{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"}"
                                 : "{\"destination\":\"/proc\",\"source\":\"/proc\",\"options\":[\"rbind\"]}";
        char *text = config_text(&(struct config){.namespaces = words.at, .no_mounts = true, .mounts = mounts});
        if (!(set & 8)) text = replaced(text, ",\"hostname\":\"box\"", "");
        struct bundle b;
        root_make(t, &b);
        if (!geteuid()) CHECK_SYS(chown(b.rootfs, user ? TEST_FIRST_ID : 0, 0));
        struct outcome *out = ran_text(t, text);
        EXPECT(out->code == 0, "%s: %s", words.at, out->err);
        if (out->code) continue;
        for (size_t i = 0; i < KINDS; i++) {
            bool fresh = told(out, kinds[i].file) != ns_of(0, kinds[i].file);
            bool wanted = i == 7 || set >> i & 1;
            EXPECT(fresh == wanted, "%s: %s is %s", words.at, kinds[i].word, fresh ? "new" : "shared");
        }
        outcome_free(out);
    }
}

static char *join_list(const char *word, const char *path, const char *others) {
    struct text text = {0};
    text_add(&text, "[{\"type\":\"%s\",\"path\":\"%s\"}", word, path);
    char *words = print("%s", others);
    for (char *at = strtok(words, " "); at; at = strtok(NULL, " "))
        if (strcmp(at, word)) text_add(&text, ",{\"type\":\"%s\"}", at);
    text_add(&text, "]");
    return text.at;
}

static void join_one(struct t *t, const char *word, const char *file, int flag) {
    struct snap *before = snap_take(t, SNAP_HOST);
    pid_t pid = holder(flag, NULL);
    struct outcome *out =
        ran_well(t, &(struct config){.namespaces = join_list(word, ns_path(pid, file), DEFAULT_NAMESPACES)});
    CHECK(told(out, file) == ns_of(pid, file), "%s: %llu, not %llu", word, told(out, file), ns_of(pid, file));
    CHECK(ns_of(pid, file) != ns_of(0, file), "%s", word);
    for (size_t i = 0; i < KINDS; i++) {
        if (!strcmp(kinds[i].word, word)) continue;
        bool fresh = told(out, kinds[i].file) != ns_of(0, kinds[i].file);
        EXPECT(fresh == (strstr(DEFAULT_NAMESPACES, kinds[i].word) != NULL), "joined %s: %s is %s", word,
               kinds[i].word, fresh ? "new" : "shared");
    }
    outcome_free(out);
    holders_end();
    remove_tree(print("%s/" BUNDLE, t->dir));
    remove_tree(t->state);
    CHECK_SNAP(t, before);
}
static void join_ipc(struct t *t) { join_one(t, "ipc", "ipc", CLONE_NEWIPC); }
static void join_uts(struct t *t) { join_one(t, "uts", "uts", CLONE_NEWUTS); }
static void join_net(struct t *t) { join_one(t, "network", "net", CLONE_NEWNET); }
static void join_cgroup(struct t *t) { join_one(t, "cgroup", "cgroup", CLONE_NEWCGROUP); }

/* Joined by path: nothing is mounted in what belongs to another. */
static void join_mount(struct t *t) {
    pid_t pid = holder(CLONE_NEWNS, NULL);
    char *list = join_list("mount", ns_path(pid, "mnt"), DEFAULT_NAMESPACES);
    char *before = file_read(print("/proc/%d/mountinfo", (int)pid), NULL);
    refused(t, &(struct config){.namespaces = list}, 125, "mount namespace");
    struct outcome *out = ran_well(t, &(struct config){.args = "payload-ls /", .namespaces = list, .no_mounts = true});
    CHECK_HAS(out->out, "payload=file");
    CHECK_OK(!strstr(out->out, "etc="));
    CHECK_TEXT(file_read(print("/proc/%d/mountinfo", (int)pid), NULL), before);
    holders_end();
}
static void join_pid(struct t *t) { join_one(t, "pid", "pid", CLONE_NEWPID); }

static const char *lair; /* a folder that is another's in the namespace of the holder */

static void make_lair(void) {
    static const char *const parts[] = {"place", "host"};
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) _exit(1);
    for (int i = 0; i < 2; i++)
        if (mount("lair", print("%s/%s", lair, parts[i]), "tmpfs", 0, NULL)) _exit(2);
    make_dirs(print("%s/place/inside", lair), 0755);
    if (!copy_file(payload_exe(), print("%s/place/inside/payload", lair), 0755)) _exit(3);
}

/* CVE-2024-21626 by root.path: whoever owns the namespace makes a link of it to what we hold open. */
static void join_mount_of_liar(struct t *t) {
    struct bundle b;
    struct outcome out;
    root_make(t, &b);
    lair = print("%s/lair", t->dir);
    make_dirs(print("%s/place", lair), 0755);
    make_dirs(print("%s/host", lair), 0755);
    make_dirs(print("%s/place/root", lair), 0755); /* what the host finds by that path */
    CHECK_OK(copy_file(payload_exe(), print("%s/host/payload", lair), 0755));
    pid_t pid = holder(CLONE_NEWNS, make_lair);
    const char *link = print("/proc/%d/root%s/place/root", (int)pid, lair);
    struct config c = {.args = "payload-echo ran", .root = print("\"path\":\"%s/place/root\"", lair), .namespaces = join_list("mount", ns_path(pid, "mnt"), DEFAULT_NAMESPACES), .no_mounts = true};
    for (int exec = 0; exec < 2; exec++) {
        CHECK_SYS(symlink("inside", link));
        bundle_config(&b, &c);
        run_ocirt(t, &out, "run", exec ? "-d" : "-b", exec ? "-b" : b.path, exec ? b.path : t->tag, exec ? t->tag : NULL);
        CHECK(out.code == 0 && !strcmp(out.out, exec ? "" : "ran\n"), "%d %s", out.code, out.err);
        for (int fd = 3; fd < 20; fd++) {
            CHECK_SYS(unlink(link));
            CHECK_SYS(symlink(print("/proc/self/fd/%d/../../../../../../../../../../..%s/host", fd, lair), link));
            if (exec) run_ocirt(t, &out, "exec", t->tag, "/payload", "payload-echo", "ran");
            else run_ocirt(t, &out, "run", "-b", b.path, t->tag);
            EXPECT(out.code && !out.out_n, "%s, fd %d: %d %s%s", exec ? "exec" : "run", fd, out.code, out.out, out.err);
            outcome_free(&out);
        }
        CHECK_SYS(unlink(link));
        c.args = "payload-sleep";
    }
    CHECK_SYS(symlink("inside", link));
    run_ocirt(t, &out, "exec", t->tag, "/payload", "payload-echo", "ran");
    CHECK(out.code == 0 && !strcmp(out.out, "ran\n"), "%d %s", out.code, out.err);
    delete_all(t);
    holders_end();
}

/* The stage that a joined pid namespace needs is gone; the program is the holder's neighbour. */
static void join_pid_looks_right(struct t *t) {
    pid_t pid = holder(CLONE_NEWPID, NULL);
    struct outcome *out = ran_well(t, &(struct config){.namespaces = join_list("pid", ns_path(pid, "pid"), DEFAULT_NAMESPACES)});
    CHECK_OK(atoi(report_get(out, "pid")) > 1);
    CHECK_REPORT(out, "ppid", "0");
    out = ran(t, &(struct config){.args = "payload-exit 9",
                                  .namespaces = join_list("pid", ns_path(pid, "pid"), DEFAULT_NAMESPACES)});
    CHECK_INT(out->code, 9);
    out = ran(t, &(struct config){.args = "payload-signal 9",
                                  .namespaces = join_list("pid", ns_path(pid, "pid"), DEFAULT_NAMESPACES)});
    CHECK_INT(out->code, 137);
    holders_end();
}

/* create, kill, delete of a program in a joined pid namespace; the holder survives. */
static void join_pid_life(struct t *t) {
    struct bundle b;
    pid_t pid = holder(CLONE_NEWPID, NULL);
    root_make(t, &b);
    bundle_config(&b, &(struct config){.args = "payload-sleep 100",
                                       .namespaces = join_list("pid", ns_path(pid, "pid"), DEFAULT_NAMESPACES)});
    expect(t, 0, "", "create", "-b", b.path, t->tag);
    CHECK_TEXT(status_of(t), "created");
    expect(t, 0, "", "start", t->tag);
    CHECK_TEXT(status_of(t), "running");
    expect(t, 0, "", "kill", t->tag, "KILL");
    await_status(t, "stopped");
    reap_all();
    expect(t, 0, "", "delete", t->tag);
    CHECK(!kill(pid, 0), "the holder is dead: %s", strerror(errno));
    holders_end();
}

static void set_offsets(void) {
    if (!file_put("/proc/self/timens_offsets", "monotonic 500 0\nboottime 700 0\n")) _exit(1);
}

static void need_time(void) {
    if (access("/proc/self/ns/time", F_OK)) SKIP("kernel", "no time namespaces");
}

static void join_time(struct t *t) {
    need_time();
    pid_t pid = holder(CLONE_NEWTIME, set_offsets);
    struct outcome *out = ran_well(t, &(struct config){.namespaces = join_list("time", ns_path(pid, "time"), DEFAULT_NAMESPACES)});
    CHECK_INT(told(out, "time"), ns_of(pid, "time"));
    CHECK_REPORT(out, "timens", "monotonic 500 0");
    CHECK_TEXT(report_nth(out, "timens", 1), "boottime 700 0");
    /* offsets belong to a new one */
    refused(t, &(struct config){.namespaces = join_list("time", ns_path(pid, "time"), DEFAULT_NAMESPACES),
                                .linux_ = "\"timeOffsets\":{\"boottime\":{\"secs\":1}}"}, 125, "timeOffsets");
    holders_end();
}

/* A process with namespaces of a user namespace of its own, which we, root, map. */
static pid_t mapped_holder(int flags) {
    int ready[2], go[2];
    char byte;
    CHECK_SYS(pipe2(ready, O_CLOEXEC));
    CHECK_SYS(pipe2(go, O_CLOEXEC));
    pid_t pid = fork();
    if (pid == 0) {
        close(go[1]);
        if (unshare(CLONE_NEWUSER) || write(ready[1], "x", 1) != 1) _exit(1);
        if (read(go[0], &byte, 1) < 0) _exit(1);
        if (setresuid(0, 0, 0) || setresgid(0, 0, 0) || unshare(flags)) _exit(1);
        if (write(ready[1], "x", 1) != 1) _exit(1);
        close(ready[1]);
        for (;;) pause();
    }
    close(ready[1]);
    CHECK_INT(read(ready[0], &byte, 1), 1);
    CHECK_OK(file_put(print("/proc/%d/uid_map", (int)pid), "0 300000 1000\n"));
    CHECK_OK(file_put(print("/proc/%d/gid_map", (int)pid), "0 400000 1000\n"));
    close(go[1]);
    CHECK(read(ready[0], &byte, 1) == 1, "the holder failed");
    close(ready[0]), close(go[0]);
    return pid;
}

static void end_mapped(pid_t pid) {
    kill(pid, 9);
    waitpid(pid, NULL, 0);
}

static void join_user(struct t *t) {
    struct bundle b;
    pid_t pid = mapped_holder(0);
    root_make(t, &b);
    root_dir(&b, "proc"), root_dir(&b, "dev/mqueue"), root_dir(&b, "sys");
    struct outcome *out = ran_well(t, &(struct config){.namespaces = join_list("user", ns_path(pid, "user"), DEFAULT_NAMESPACES),
                                                       .linux_ = ""});
    CHECK_INT(told(out, "user"), ns_of(pid, "user"));
    CHECK_REPORT(out, "uid_map", "0 300000 1000");
    CHECK_REPORT(out, "gid_map", "0 400000 1000");
    CHECK_REPORT(out, "uid", "0 0 0 0");
    CHECK_REPORT(out, "gid", "0 0 0 0");
    CHECK_REPORT(out, "pid", "1");
    end_mapped(pid);
}

/* What an engine does for the second container of a pod. */
static void join_pod(struct t *t) {
    struct bundle b;
    pid_t pid = mapped_holder(CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS);
    root_make(t, &b);
    root_dir(&b, "proc"), root_dir(&b, "dev/mqueue"), root_dir(&b, "sys");
    char *list = print("[{\"type\":\"user\",\"path\":\"/proc/%d/ns/user\"},{\"type\":\"network\",\"path\":\"/proc/%d/ns/net\"},"
                       "{\"type\":\"ipc\",\"path\":\"/proc/%d/ns/ipc\"},{\"type\":\"uts\",\"path\":\"/proc/%d/ns/uts\"},"
                       "{\"type\":\"pid\"},{\"type\":\"mount\"},{\"type\":\"cgroup\"}]", (int)pid, (int)pid, (int)pid, (int)pid);
    struct outcome *out = ran_well(t, &(struct config){.namespaces = list, .mounts =
        "{\"destination\":\"/dev/mqueue\",\"type\":\"mqueue\",\"source\":\"mqueue\"},"
        "{\"destination\":\"/sys\",\"type\":\"sysfs\",\"source\":\"sysfs\",\"options\":[\"ro\"]}"});
    CHECK_INT(told(out, "user"), ns_of(pid, "user"));
    CHECK_INT(told(out, "net"), ns_of(pid, "net"));
    CHECK_INT(told(out, "ipc"), ns_of(pid, "ipc"));
    CHECK_INT(told(out, "uts"), ns_of(pid, "uts"));
    CHECK_REPORT(out, "hostname", "box");
    CHECK_OK(report_mount(out, "/dev/mqueue"));
    CHECK_OK(report_mount(out, "/sys"));
    end_mapped(pid);
}

/* Namespaces of the host (their owner is not the new user namespace) beside a new user namespace. */
static void join_with_new_user(struct t *t) {
    pid_t pid = holder(CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWPID, NULL);
    char *list = print("[{\"type\":\"user\"},{\"type\":\"network\",\"path\":\"/proc/%d/ns/net\"},"
                       "{\"type\":\"ipc\",\"path\":\"/proc/%d/ns/ipc\"},{\"type\":\"uts\"},"
                       "{\"type\":\"pid\"},{\"type\":\"mount\"}]", (int)pid, (int)pid);
    struct outcome *out = ran_well(t, &(struct config){.namespaces = list, .linux_ =
        "\"uidMappings\":[{\"containerID\":0,\"hostID\":100000,\"size\":1000}],\"gidMappings\":[{\"containerID\":0,\"hostID\":100000,\"size\":1000}]"});
    CHECK_INT(told(out, "net"), ns_of(pid, "net"));
    CHECK_INT(told(out, "ipc"), ns_of(pid, "ipc"));
    CHECK_OK(told(out, "user") != ns_of(0, "user"));
    CHECK_REPORT(out, "uid_map", "0 100000 1000");
    holders_end();
}

/* A joined network is somebody's: it is not touched. */
static void join_net_untouched(struct t *t) {
    pid_t pid = holder(CLONE_NEWNET, NULL);
    struct outcome *out = ran_well(t, &(struct config){.namespaces = join_list("network", ns_path(pid, "net"), DEFAULT_NAMESPACES)});
    CHECK_REPORT(out, "lo.up", "0");
    out = ran_well(t, &(struct config){.namespaces = DEFAULT_NAMESPACES " network"});
    CHECK_REPORT(out, "lo.up", "1");
    holders_end();
}

static void time_offsets(struct t *t) {
    need_time();
    double host = 0, inside = 0;
    char *uptime = file_read("/proc/uptime", NULL);
    host = strtod(uptime, NULL);
    struct outcome *out = ran_well(t, &(struct config){
        .namespaces = geteuid() ? DEFAULT_NAMESPACES " time user" : DEFAULT_NAMESPACES " time",
        .linux_ = "\"timeOffsets\":{\"monotonic\":{\"secs\":100,\"nanosecs\":5},\"boottime\":{\"secs\":86400}}"});
    CHECK_REPORT(out, "timens", "monotonic 100 5");
    CHECK_TEXT(report_nth(out, "timens", 1), "boottime 86400 0");
    inside = strtod(report_get(out, "uptime"), NULL);
    CHECK(inside >= host + 86399 && inside < host + 86500, "%f and %f", host, inside);
    out = ran_well(t, &(struct config){
        .namespaces = geteuid() ? DEFAULT_NAMESPACES " time user" : DEFAULT_NAMESPACES " time",
        .linux_ = "\"timeOffsets\":{\"boottime\":{\"secs\":-1,\"nanosecs\":500000000}}"});
    CHECK_TEXT(report_nth(out, "timens", 1), "boottime -1 500000000");
    refused(t, &(struct config){.linux_ = "\"timeOffsets\":{\"boottime\":{\"secs\":1}}"}, 125, "time");
}

static void names(struct t *t) {
    char ours[256] = "", after[256] = "";
    gethostname(ours, sizeof ours);
    struct outcome *out = ran_well(t, &(struct config){.top = "\"hostname\":\"in.side\",\"domainname\":\"example.org\""});
    CHECK_REPORT(out, "hostname", "in.side");
    CHECK_REPORT(out, "domainname", "example.org");
    gethostname(after, sizeof after);
    CHECK_TEXT(after, ours);
    const char *without = geteuid() ? "pid mount ipc user" : "pid mount ipc";
    refused(t, &(struct config){.namespaces = without}, 125, "uts");
    refused(t, &(struct config){.namespaces = without}, 125, "/hostname");
    char *text = replaced(config_text(&(struct config){.namespaces = without, .top = "\"domainname\":\"x\""}), ",\"hostname\":\"box\"", "");
    out = ran_text(t, text);
    CHECK_INT(out->code, 125);
    CHECK_HAS(out->err, "/domainname");
    gethostname(after, sizeof after);
    CHECK_TEXT(after, ours);
    /* 64 bytes are the kernel's most */
    refused(t, &(struct config){.top = "\"hostname\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\""}, 125, "/hostname");
    out = ran_well(t, &(struct config){.top = "\"hostname\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\""});
    CHECK_INT(strlen(report_get(out, "hostname")), 64);
}

static void bad_namespaces(struct t *t) {
    file_write(print("%s/plain", t->dir), "x");
    refused(t, &(struct config){.namespaces = "pid mount uts ipc planet"}, 125, "planet");
    refused(t, &(struct config){.namespaces = "pid mount uts ipc pid"}, 125, "/linux/namespaces/4");
    refused(t, &(struct config){.namespaces = join_list("ipc", "proc/self/ns/ipc", DEFAULT_NAMESPACES)}, 125, "/linux/namespaces/0");
    refused(t, &(struct config){.namespaces = join_list("ipc", "/not/there", DEFAULT_NAMESPACES)}, 125, "/not/there");
    refused(t, &(struct config){.namespaces = join_list("ipc", print("%s/plain", t->dir), DEFAULT_NAMESPACES)}, 125, "plain");
    refused(t, &(struct config){.namespaces = join_list("ipc", "/proc/self/ns/uts", DEFAULT_NAMESPACES)}, 125, "/linux/namespaces/0");
    refused(t, &(struct config){.namespaces = join_list("network", "/proc/self/ns/ipc", DEFAULT_NAMESPACES)}, 125, "/linux/namespaces/0");
    char *loop = print("%s/fifo", t->dir); /* opening it must not wait */
    CHECK_SYS(mkfifo(loop, 0600));
    refused(t, &(struct config){.namespaces = join_list("ipc", loop, DEFAULT_NAMESPACES)}, 125, "fifo");
}

/* ---- id maps ---- */

#define MAPS(uids, gids) "\"uidMappings\":[" uids "],\"gidMappings\":[" gids "]"
#define LINE(c, h, n) "{\"containerID\":" #c ",\"hostID\":" #h ",\"size\":" #n "}"

static void maps_of_many_lines(struct t *t) {
    struct bundle b;
    root_make(t, &b);
    root_file(&b, "owned", "x");
    CHECK_SYS(chown(print("%s/owned", b.rootfs), 200009, 100005));
    root_dir(&b, "proc"), root_dir(&b, "dev");
    struct outcome *out = ran_well(t, &(struct config){
        .namespaces = DEFAULT_NAMESPACES " user",
        .linux_ = MAPS(LINE(0, 150000, 1) "," LINE(1, 200000, 10) "," LINE(1000, 300000, 5), LINE(0, 100000, 6) "," LINE(100, 7, 1)),
        .process = "\"user\":{\"uid\":1000,\"gid\":100,\"additionalGids\":[5]}"});
    CHECK_REPORT(out, "uid_map", "0 150000 1");
    CHECK_TEXT(report_nth(out, "uid_map", 1), "1 200000 10");
    CHECK_TEXT(report_nth(out, "uid_map", 2), "1000 300000 5");
    CHECK_REPORT(out, "gid_map", "0 100000 6");
    CHECK_TEXT(report_nth(out, "gid_map", 1), "100 7 1");
    CHECK_REPORT(out, "top.owned", "file 0644 10 5");
    CHECK_REPORT(out, "uid", "1000 1000 1000 1000");
    CHECK_REPORT(out, "gid", "100 100 100 100");
    CHECK_REPORT(out, "groups", "5");
    CHECK_REPORT(out, "setgroups", "allow");
    CHECK_REPORT(out, "cap.effective", "0000000000000000");
}

static void most_map_lines(struct t *t) {
    struct text lines = {0};
    for (unsigned i = 0; i < 340; i++)
        text_add(&lines, "%s{\"containerID\":%u,\"hostID\":%u,\"size\":1}", i ? "," : "", i * 2, 1000 + i * 3);
    struct bundle b;
    root_make(t, &b);
    root_dir(&b, "proc"), root_dir(&b, "dev");
    struct outcome *out = ran_well(t, &(struct config){
        .namespaces = DEFAULT_NAMESPACES " user", .linux_ = print("\"uidMappings\":[%s],\"gidMappings\":[%s]", lines.at, lines.at)});
    CHECK_TEXT(report_nth(out, "uid_map", 339), "678 2017 1");
    text_add(&lines, ",{\"containerID\":900,\"hostID\":9000,\"size\":1}");
    refused(t, &(struct config){.namespaces = DEFAULT_NAMESPACES " user",
                                .linux_ = print("\"uidMappings\":[%s],\"gidMappings\":[%s]", lines.at, lines.at)}, 125, "Mappings");
}

static void bad_maps(struct t *t) {
    const char *user = DEFAULT_NAMESPACES " user";
    refused(t, &(struct config){.namespaces = user, .linux_ = MAPS(LINE(0, 100000, 0), LINE(0, 100000, 1))}, 125, "/linux/uidMappings/0");
    refused(t, &(struct config){.namespaces = user, .linux_ = MAPS(LINE(0, 100000, 5) "," LINE(3, 200000, 5), LINE(0, 100000, 1))}, 125, "/linux/uidMappings");
    refused(t, &(struct config){.namespaces = user, .linux_ = MAPS(LINE(0, 100000, 5), LINE(0, 100000, 5) "," LINE(10, 100004, 5))}, 125, "/linux/gidMappings");
    refused(t, &(struct config){.namespaces = user, .linux_ = MAPS(LINE(0, 4294967295, 5), LINE(0, 100000, 1))}, 125, "/linux/uidMappings");
    refused(t, &(struct config){.namespaces = DEFAULT_NAMESPACES, .linux_ = MAPS(LINE(0, 100000, 5), LINE(0, 100000, 5))}, 125, "Mappings");
    refused(t, &(struct config){.namespaces = user, .linux_ = MAPS(LINE(0, 100000, 5), LINE(0, 100000, 5)),
                                .process = "\"user\":{\"uid\":5,\"gid\":0}"}, 125, "/process/user");
    refused(t, &(struct config){.namespaces = user, .linux_ = MAPS(LINE(0, 100000, 5), LINE(0, 100000, 5)),
                                .process = "\"user\":{\"uid\":0,\"gid\":77}"}, 125, "/process/user");
    refused(t, &(struct config){.namespaces = user, .linux_ = MAPS(LINE(0, 100000, 5), LINE(0, 100000, 5)),
                                .process = "\"user\":{\"uid\":0,\"gid\":0,\"additionalGids\":[1,9]}"}, 125, "/process/user");
}

/* The file that a map is for may belong to nobody; the container has no privilege outside. */
static void root_inside_is_nobody(struct t *t) {
    struct bundle b;
    root_make(t, &b);
    root_file(&b, "host", "secret");
    CHECK_SYS(chmod(print("%s/host", b.rootfs), 0600));
    struct outcome *out = ran(t, &(struct config){.args = "payload-script cat /host -- stat /host -- chmod 0666 /host",
                                                  .namespaces = DEFAULT_NAMESPACES " user",
                                                  .process = "\"capabilities\":{\"bounding\":[\"CAP_DAC_OVERRIDE\",\"CAP_FOWNER\"],"
                                                             "\"effective\":[\"CAP_DAC_OVERRIDE\",\"CAP_FOWNER\"],\"permitted\":[\"CAP_DAC_OVERRIDE\",\"CAP_FOWNER\"]}"});
    CHECK_HAS(out->out, "cat /host: EACCES");
    CHECK_HAS(out->out, "/host=file 0600 65534 65534");
    CHECK_HAS(out->out, "chmod /host: EPERM");
}

static void ordinary_bundle(struct t *t, struct bundle *b, const struct config *config) {
    root_make(t, b);
    bundle_config(b, config);
    CHECK_SYS(chown(b->rootfs, ORDINARY, ORDINARY));
}

static void ordinary_one_id(struct t *t) {
    struct bundle b;
    struct outcome out;
    ordinary_bundle(t, &b, &(struct config){.namespaces = "pid mount ipc uts network cgroup user",
                                            .linux_ = MAPS(LINE(0, 65534, 1), LINE(0, 65534, 1))});
    run_ordinary(t, &out, (const char *const[]){"run", "-b", b.path, t->tag, NULL});
    CHECK(out.code == 0, "%d: %s", out.code, out.err);
    CHECK_REPORT(&out, "uid_map", "0 65534 1");
    CHECK_REPORT(&out, "gid_map", "0 65534 1");
    CHECK_REPORT(&out, "setgroups", "deny");
    CHECK_REPORT(&out, "uid", "0 0 0 0");
    CHECK_REPORT(&out, "root.mode", "0755 0 0");
    CHECK_REPORT(&out, "lo.up", "1");
    /* another id than 0 inside */
    ordinary_bundle(t, &b, &(struct config){.namespaces = "pid mount ipc uts user",
                                            .linux_ = MAPS(LINE(7, 65534, 1), LINE(8, 65534, 1)),
                                            .process = "\"user\":{\"uid\":7,\"gid\":8}"});
    run_ordinary(t, &out, (const char *const[]){"run", "-b", b.path, t->tag, NULL});
    CHECK(out.code == 0, "%d: %s", out.code, out.err);
    CHECK_REPORT(&out, "uid", "7 7 7 7");
    CHECK_REPORT(&out, "gid", "8 8 8 8");
}

/* As an ordinary user without a user namespace, or with a map of others' ids: an error that says so. */
static void ordinary_refusals(struct t *t) {
    struct bundle b;
    struct outcome out;
    ordinary_bundle(t, &b, &(struct config){.namespaces = "pid mount ipc uts"});
    run_ordinary(t, &out, (const char *const[]){"run", "-b", b.path, t->tag, NULL});
    CHECK_INT(out.code, 125);
    CHECK_HAS(out.err, "user namespace");
    ordinary_bundle(t, &b, &(struct config){.namespaces = "pid mount ipc uts user", .linux_ = MAPS(LINE(0, 1000, 1), LINE(0, 65534, 1))});
    run_ordinary(t, &out, (const char *const[]){"run", "-b", b.path, t->tag, NULL});
    CHECK_INT(out.code, 125);
    CHECK_HAS(out.err, "id");
    CHECK_OK(out.out_n == 0);
}

static void lend_file(struct t *t, const char *target, const char *text) {
    char *path = print("%s/lent-%s", t->dir, strrchr(target, '/') + 1);
    file_write(path, "%s", text);
    if (access(target, F_OK)) SKIP("tool", "no %s", target);
    CHECK_SYS(mount(path, target, NULL, MS_BIND, NULL));
}

/* newuidmap and newgidmap write what one may not write oneself. */
static void ordinary_many_ids(struct t *t) {
    struct bundle b;
    struct outcome out;
    struct stat info;
    if (stat("/usr/bin/newuidmap", &info)) SKIP("tool", "no newuidmap");
    lend_file(t, "/etc/subuid", print("%u:500000:1000\nnobody:500000:1000\n", ORDINARY));
    lend_file(t, "/etc/subgid", print("%u:600000:1000\nnobody:600000:1000\n", ORDINARY));
    ordinary_bundle(t, &b, &(struct config){.namespaces = "pid mount ipc uts user",
                                            .linux_ = MAPS(LINE(0, 65534, 1) "," LINE(1, 500000, 1000), LINE(0, 65534, 1) "," LINE(1, 600000, 1000)),
                                            .process = "\"user\":{\"uid\":5,\"gid\":6,\"additionalGids\":[7,8]}"});
    run_ordinary(t, &out, (const char *const[]){"run", "-b", b.path, t->tag, NULL});
    CHECK(out.code == 0, "%d: %s", out.code, out.err);
    CHECK_REPORT(&out, "uid_map", "0 65534 1");
    CHECK_TEXT(report_nth(&out, "uid_map", 1), "1 500000 1000");
    CHECK_TEXT(report_nth(&out, "gid_map", 1), "1 600000 1000");
    CHECK_REPORT(&out, "uid", "5 5 5 5");
    CHECK_REPORT(&out, "gid", "6 6 6 6");
    CHECK_REPORT(&out, "groups", "7 8");
    /* What does not belong to the caller is refused before anything is made. */
    ordinary_bundle(t, &b, &(struct config){.namespaces = "pid mount ipc uts user",
                                            .linux_ = MAPS(LINE(0, 65534, 1) "," LINE(1, 700000, 1000), LINE(0, 65534, 1) "," LINE(1, 600000, 1000))});
    run_ordinary(t, &out, (const char *const[]){"run", "-b", b.path, t->tag, NULL});
    CHECK_INT(out.code, 125);
    CHECK_HAS(out.err, "/etc/subuid");
    CHECK_SYS(umount2("/etc/subuid", MNT_DETACH));
    CHECK_SYS(umount2("/etc/subgid", MNT_DETACH));
}

static void cgroup_ns_shows_root(struct t *t) {
    if (!cgroup_mount()) SKIP("cgroup", "no cgroup2");
    struct outcome *out = ran_well(t, &(struct config){.namespaces = "pid mount ipc uts cgroup"});
    bool found = false;
    for (unsigned i = 0; report_nth(out, "cgroup", i); i++)
        if (!strncmp(report_nth(out, "cgroup", i), "0::", 3)) {
            CHECK_TEXT(report_nth(out, "cgroup", i), "0::/");
            found = true;
        }
    CHECK_OK(found);
    out = ran_well(t, &(struct config){.namespaces = "pid mount ipc uts"});
    CHECK_HAS(out->out, t->tag); /* its cgroup is named after it */
}

const struct test run_ns_tests[] = {
    {"ns.all_are_new", all_are_new, 0, 0},
    {"ns.every_subset", every_subset, 0, 60},
    {"ns.join_ipc", join_ipc, TEST_ROOT, 0},
    {"ns.join_uts", join_uts, TEST_ROOT, 0},
    {"ns.join_net", join_net, TEST_ROOT, 0},
    {"ns.join_cgroup", join_cgroup, TEST_ROOT, 0},
    {"ns.join_mount", join_mount, TEST_ROOT, 0},
    {"ns.join_mount_of_liar", join_mount_of_liar, TEST_ROOT, 0},
    {"ns.join_pid", join_pid, TEST_ROOT, 0},
    {"ns.join_pid_looks_right", join_pid_looks_right, TEST_ROOT, 0},
    {"ns.join_pid_life", join_pid_life, TEST_ROOT, 0},
    {"ns.join_time", join_time, TEST_ROOT, 0},
    {"ns.join_user", join_user, TEST_ROOT, 0},
    {"ns.join_pod", join_pod, TEST_ROOT, 0},
    {"ns.join_with_new_user", join_with_new_user, TEST_ROOT, 0},
    {"ns.join_net_untouched", join_net_untouched, TEST_ROOT, 0},
    {"ns.time_offsets", time_offsets, 0, 0},
    {"ns.names", names, 0, 0},
    {"ns.bad_namespaces", bad_namespaces, TEST_ROOT, 0},
    {"ns.maps_of_many_lines", maps_of_many_lines, TEST_ROOT, 0},
    {"ns.most_map_lines", most_map_lines, TEST_ROOT, 0},
    {"ns.bad_maps", bad_maps, TEST_ROOT, 0},
    {"ns.root_inside_is_nobody", root_inside_is_nobody, TEST_ROOT, 0},
    {"ns.ordinary_one_id", ordinary_one_id, TEST_ROOT, 0},
    {"ns.ordinary_refusals", ordinary_refusals, TEST_ROOT, 0},
    {"ns.ordinary_many_ids", ordinary_many_ids, TEST_ROOT, 0},
    {"ns.cgroup_ns_shows_root", cgroup_ns_shows_root, TEST_ROOT, 0},
    {0}};
