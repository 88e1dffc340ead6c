/* run_commands.c: the commands on a container that is there: pause, resume, update, ps, events, stats, state,
 * list; and features. */
#include "runs.h"
#include <dirent.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

static bool is_frozen(const struct live *l) { return strstr(file_read(print("%s/cgroup.events", l->cgroup), NULL), "frozen 1") != NULL; }

static long long number_at(const char *text, const char *path) {
    char *value = json_value(text, path);
    CHECK(value && strspn(value, "0123456789") == strlen(value), "%s is %s in %s", path, value ? value : "missing", text);
    return (long long)strtoull(value, NULL, 10);
}

/* ---- pause, resume ---- */

static const struct config trapped = {.args = "payload-trap 10 12"};

/* Frozen by the kernel's own word when the command returns; a signal waits for the end of it. */
static void pause_and_resume(struct t *t) {
    struct live l;
    struct outcome out;
    begin_in_cgroup(t, &l, &trapped);
    for (int i = 0; i < 3; i++) {
        quiet(t, "pause", t->tag);
        CHECK_OK(is_frozen(&l));
        CHECK_TEXT(status_of(t), "paused");
        CHECK_INT(atoi(state_get(t, t->tag, "pid")), l.pid);
        run_ocirt(t, &out, "list");
        CHECK_HAS(out.out, " paused ");
        run_ocirt(t, &out, "list", "--format", "json");
        CHECK_TEXT(json_value(out.out, "0/status"), "paused");
        if (i == 2) quiet(t, "kill", t->tag, "USR1");
        outcome_refresh(&l.out);
        CHECK_OK(!strstr(l.out.out, "got"));
        quiet(t, "resume", t->tag);
        CHECK_OK(i == 2 || !is_frozen(&l));
        if (i < 2) CHECK_TEXT(status_of(t), "running");
    }
    command_wait(l.runtime, 5, &l.out);
    CHECK(l.out.code == 10 && strstr(l.out.out, "got 10"), "%d %s", l.out.code, l.out.out);
}

/* One that waits for start waits on, and is created again afterwards. */
static void pause_created(struct t *t) {
    struct bundle b;
    struct outcome out;
    root_make(t, &b);
    bundle_config(&b, &(struct config){.args = "payload-sleep 100"});
    quiet(t, "create", "-b", b.path, t->tag);
    char *cgroup = cgroup_of(t, atoi(state_get(t, t->tag, "pid")));
    if (!cgroup) {
        delete_all(t);
        SKIP("cgroup", "the container has no cgroup of its own");
    }
    quiet(t, "pause", t->tag);
    CHECK_TEXT(status_of(t), "paused");
    run_ocirt(t, &out, "start", t->tag);
    CHECK(out.code == 1 && strstr(out.err, "paused") && !strstr(out.err, "already running"), "%d %s", out.code, out.err);
    CHECK_TEXT(status_of(t), "paused");
    quiet(t, "resume", t->tag);
    CHECK_TEXT(status_of(t), "created");
    quiet(t, "start", t->tag);
    CHECK_TEXT(status_of(t), "running");
    delete_all(t);
    CHECK_OK(access(cgroup, F_OK));
}

/* Engines forget a container whose error says that it is not running, or that it does not exist. */
static void pause_is_refused(struct t *t, const char *command, const char *word) {
    struct outcome out;
    run_ocirt(t, &out, command, t->tag);
    CHECK(out.code == 1 && strstr(out.err, word), "%s: %d %s", command, out.code, out.err);
    CHECK(!strstr(out.err, "does not exist") && !strstr(out.err, "not running") && !strstr(out.err, "no such process"), "%s: %s", command, out.err);
    CHECK_OK(good_text(out.err));
    outcome_free(&out);
}

static void pause_refusals(struct t *t) {
    struct live l;
    struct bundle b;
    struct outcome out;
    expect(t, 1, "container does not exist", "pause", t->tag);
    expect(t, 1, "container does not exist", "resume", t->tag);
    begin_in_cgroup(t, &l, &trapped);
    pause_is_refused(t, "resume", "not paused");
    CHECK_TEXT(status_of(t), "running");
    quiet(t, "pause", t->tag);
    pause_is_refused(t, "pause", "paused");
    CHECK_TEXT(status_of(t), "paused");
    expect(t, 1, "cannot delete container that is not stopped", "delete", t->tag);
    CHECK_TEXT(status_of(t), "paused");
    live_end(t, &l);
    root_make(t, &b);
    bundle_config(&b, &(struct config){.args = "payload-exit 0"});
    run_ocirt(t, &out, "run", "--keep", "-b", b.path, t->tag);
    CHECK_INT(out.code, 0);
    expect(t, 1, "container not running: no such process", "pause", t->tag);
    expect(t, 1, "", "resume", t->tag);
    CHECK_TEXT(status_of(t), "stopped");
    quiet(t, "delete", t->tag);
}

/* A paused one ends at once all the same. Without a pid namespace those beside init are frozen too. */
static void paused_ends(struct t *t) {
    static const char *const ways[][3] = {{"kill", NULL, "KILL"}, {"kill", "--all", "KILL"}, {"delete", "--force", NULL}};
    for (int shared = 0; shared < (geteuid() ? 1 : 2); shared++)
        for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
            struct live l;
            struct outcome out;
            begin_in_cgroup(t, &l, &(struct config){.args = "payload-script fork-bomb-ish 3 -- trap 10", .namespaces = shared ? "mount ipc uts" : NULL});
            quiet(t, "pause", t->tag);
            const char *args[] = {ways[i][0], ways[i][1] ? ways[i][1] : t->tag, ways[i][1] ? t->tag : ways[i][2], ways[i][1] ? ways[i][2] : NULL, NULL};
            run_ocirt_list(t, &out, args);
            CHECK(out.code == 0, "%s: %s", args[0], out.err);
            command_wait(l.runtime, 10, &l.out);
            CHECK(l.out.code == 128 + SIGKILL, "way %zu: %d %s", i, l.out.code, l.out.err);
            reap_all();
            CHECK(access(l.cgroup, F_OK) == -1, "%s is left", l.cgroup);
            expect(t, 1, "container does not exist", "state", t->tag);
        }
}

/* Init dies of a stranger's signal while paused. An engine resumes it then, and deletes. */
static void paused_dies(struct t *t) {
    for (int resumed = 0; resumed < 2; resumed++)
        for (int shared = 0; shared < (geteuid() ? 1 : 2); shared++) {
            struct bundle b;
            struct outcome out;
            root_make(t, &b);
            bundle_config(&b, &(struct config){.args = "payload-script fork-bomb-ish 2 -- sleep 100", .namespaces = shared ? "mount ipc uts" : NULL});
            expect(t, 0, "", "run", "-d", "-b", b.path, t->tag);
            pid_t pid = atoi(state_get(t, t->tag, "pid"));
            char *cgroup = cgroup_of(t, pid);
            if (!cgroup) {
                delete_all(t);
                SKIP("cgroup", "the container has no cgroup of its own");
            }
            quiet(t, "pause", t->tag);
            kill(pid, SIGKILL);
            await_status(t, "stopped");
            CHECK_INT(atoi(state_get(t, t->tag, "pid")), 0);
            if (resumed) {
                run_ocirt(t, &out, "resume", t->tag);
                CHECK(out.code <= 1, "%d %s", out.code, out.err);
            }
            reap_all();
            run_ocirt(t, &out, "delete", t->tag);
            CHECK(out.code == 0, "delete: %s", out.err);
            reap_all();
            CHECK(access(cgroup, F_OK) == -1, "%s is left", cgroup);
        }
}

/* What its processes have moved into cgroups below is frozen as well. (The kernel calls a cgroup frozen when its own
 * processes are, whatever those below it do yet.) */
static void pause_subtree(struct t *t) {
    struct live l;
    begin_in_cgroup(t, &l, &(struct config){.args = "payload-script fork-bomb-ish 12 -- trap 10"});
    char *below = print("%s/below/it", l.cgroup), *list;
    make_dirs(below, 0755);
    list = file_read(print("%s/cgroup.procs", l.cgroup), NULL);
    unsigned moved = 0;
    for (char *pid = strtok(list, "\n"); pid && moved < 5; pid = strtok(NULL, "\n"))
        if (atoi(pid) != l.pid) moved += file_put(print("%s/cgroup.procs", below), pid);
    CHECK_INT(moved, 5);
    quiet(t, "pause", t->tag);
    CHECK_HAS(file_read(print("%s/cgroup.events", below), NULL), "frozen 1");
    CHECK_OK(is_frozen(&l));
    quiet(t, "resume", t->tag);
    CHECK_HAS(file_read(print("%s/cgroup.events", below), NULL), "frozen 0");
    quiet(t, "pause", t->tag);
    live_end(t, &l);
    CHECK_OK(access(l.cgroup, F_OK));
}

/* Those that run need a moment to stop, more of it than there are processors: it is waited for. */
static void pause_busy(struct t *t) {
    struct live l;
    struct text args = {0};
    text_add(&args, "payload-script");
    for (int i = 0; i < 12; i++) text_add(&args, " background spin --");
    text_add(&args, " trap 10");
    begin_in_cgroup(t, &l, &(struct config){.args = args.at});
    for (int i = 0; i < 5; i++) {
        quiet(t, "pause", t->tag);
        CHECK_OK(is_frozen(&l));
        quiet(t, "resume", t->tag);
    }
    live_end(t, &l);
}

/* Several at once: none hangs, and what is told afterwards is true. */
static void pause_races(struct t *t) {
    struct live l;
    enum { N = 8 };
    begin_in_cgroup(t, &l, &trapped);
    for (int round = 0; round < 3; round++) {
        struct outcome outs[N];
        pid_t pids[N];
        for (int i = 0; i < N; i++)
            pids[i] = command_start(&(struct command){.argv = ocirt_argv(t, (const char *const[]){i & 1 ? "resume" : "pause", t->tag, NULL})}, &outs[i]);
        for (int i = 0; i < N; i++) {
            command_wait(pids[i], 10, &outs[i]);
            EXPECT(outs[i].code == 0 || (outs[i].code == 1 && strstr(outs[i].err, "paused")), "%d: %s", outs[i].code, outs[i].err);
            outcome_free(&outs[i]);
        }
        bool frozen = is_frozen(&l);
        CHECK_TEXT(status_of(t), frozen ? "paused" : "running");
        if (frozen) quiet(t, "resume", t->tag);
        quiet(t, "pause", t->tag);
        CHECK_OK(is_frozen(&l));
        quiet(t, "resume", t->tag);
    }
    live_end(t, &l);
}

/* The command is killed before each of its calls, and each call fails: the container is paused or running, can be
 * made the other, and the failure is told. */
static void pause_disturbed(struct t *t) {
    struct live l;
    struct drive all = {0};
    begin_in_cgroup(t, &l, &trapped);
    drive_ocirt(t, &all, "pause", t->tag);
    CHECK_INT(all.outcome.code, 0);
    quiet(t, "resume", t->tag);
    for (size_t i = 0; i < all.n_calls; i++)
        for (int kills = 0; kills < 2; kills++) {
            const struct call *c = &all.calls[i];
            struct aim aim = {.role = c->role, .nr = c->nr, .nth = c->nth, .action = kills ? (struct drive_action){DRIVE_KILL, DRIVE_SELF} : (struct drive_action){DRIVE_FAIL, EIO}};
            struct drive drive = {.decide = drive_aim, .user = &aim};
            if (c->role || (!kills && (c->nr == SYS_exit_group || c->nr == SYS_brk || c->nr == SYS_mmap || !strcmp(call_name(c->nr), "arch_prctl")))) continue;
            drive_ocirt(t, &drive, "pause", t->tag);
            const char *status = status_of(t);
            bool frozen = !strcmp(in_cgroup(&l, "cgroup.freeze"), "1"); /* killed before it had waited: on the way */
            EXPECT(!drive.timed_out && !strcmp(status, frozen ? "paused" : "running"), "%s %zu: %s", call_name(c->nr), i, status);
            EXPECT(kills || !frozen || is_frozen(&l), "%s %zu fails: not frozen yet", call_name(c->nr), i);
            EXPECT(kills || drive.outcome.code == (strcmp(status, "paused") ? 1 : 0), "%s %zu fails: code %d, %s: %s", call_name(c->nr), i, drive.outcome.code, status, drive.outcome.err);
            if (!strcmp(status, "paused")) quiet(t, "resume", t->tag);
            drive_free(&drive);
        }
    quiet(t, "pause", t->tag);
    live_end(t, &l);
}

/* A container without a cgroup can't be frozen or limited: the error says so and what to do. */
static void without_cgroup(struct t *t) {
    static const char *const words[] = {"pause", "update", "events"};
    struct bundle b;
    struct outcome out;
    root_make(t, &b);
    bundle_config(&b, &(struct config){.args = "payload-sleep 100"});
    quiet(t, "--cgroup-manager", "disabled", "run", "-d", "-b", b.path, t->tag);
    for (size_t i = 0; i < 3; i++) {
        if (i == 1) run_ocirt(t, &out, "update", "--pids-limit", "5", t->tag);
        else run_ocirt(t, &out, words[i], t->tag);
        EXPECT(out.code == 1 && strstr(out.err, "cgroup") && strstr(out.err, "hint: "), "%s: %d %s", words[i], out.code, out.err);
        EXPECT(!out.out_n && !strstr(out.err, "does not exist") && !strstr(out.err, "not running"), "%s: %s%s", words[i], out.out, out.err);
    }
    CHECK_TEXT(status_of(t), "running");
    run_ocirt(t, &out, "ps", "--format", "json", t->tag); /* init at least, or the reason */
    if (out.code == 0) CHECK_TEXT(json_value(out.out, "0"), state_get(t, t->tag, "pid"));
    else CHECK_HAS(out.err, "cgroup");
    run_ocirt(t, &out, "stats");
    CHECK(out.code == 0, "%s", out.err);
    delete_all(t);
}

/* ---- ps ---- */

static unsigned lines_of(const char *text) {
    unsigned n = 0;
    for (; *text; text++) n += *text == '\n';
    return n;
}

/* All pids of the subtree, as the kernel lists them: "1 2 3" by number. */
static int by_number(const void *a, const void *b) { return *(const int *)a < *(const int *)b ? -1 : *(const int *)a > *(const int *)b; }

static unsigned pids_in(const char *text, int *pids, unsigned most) {
    unsigned n = 0;
    for (const char *at = text; *at && n < most;) {
        size_t digits = strspn(at, "0123456789");
        if (digits) pids[n++] = atoi(at), at += digits;
        else at++;
    }
    qsort(pids, n, sizeof *pids, by_number);
    return n;
}

static void ps_json(struct t *t) {
    struct live l;
    struct outcome out;
    begin_in_cgroup(t, &l, &(struct config){.args = "payload-script fork-bomb-ish 6 -- trap 10"});
    char *below = print("%s/below", l.cgroup);
    make_dirs(below, 0755);
    char *list = file_read(print("%s/cgroup.procs", l.cgroup), NULL);
    for (char *pid = strtok(list, "\n"); pid; pid = strtok(NULL, "\n"))
        if (atoi(pid) != l.pid && atoi(pid) & 1) CHECK_OK(file_put(print("%s/cgroup.procs", below), pid));
    for (int paused = 0; paused < 2; paused++) {
        int want[16], got[16];
        unsigned n = pids_in(print("%s %s", file_read(print("%s/cgroup.procs", l.cgroup), NULL), file_read(print("%s/cgroup.procs", below), NULL)), want, 16);
        CHECK_INT(n, 7);
        run_ocirt(t, &out, "ps", "--format", "json", t->tag);
        CHECK(out.code == 0 && is_json(out.out) && out.out[0] == '[' && !out.err_n, "%d %s%s", out.code, out.out, out.err);
        CHECK_INT(pids_in(out.out, got, 16), 7);
        CHECK(!memcmp(want, got, sizeof *got * 7), "%s", out.out);
        run_ocirt(t, &out, "ps", "-f=json", t->tag);
        CHECK_INT(pids_in(out.out, got, 16), 7);
        if (!paused) quiet(t, "pause", t->tag);
    }
    live_end(t, &l);
}

/* A line for each process, whatever its name is; no escape code gets through to a terminal. */
static void ps_table(struct t *t) {
    struct live l;
    struct outcome out;
    int pids[16];
    begin_in_cgroup(t, &l, &(struct config){.args = "[\"/payload\",\"payload-script\",\"background\",\"sleep\",\"100\",\"two\\n9 9 lines\\u001b[31m\\t\\u009b\",\"--\",\"background\",\"disguise\",\"\\u001b[2Jpayload\",\"--\",\"fork-bomb-ish\",\"1\",\"--\",\"trap\",\"10\"]"});
    unsigned n = pids_in(file_read(print("%s/cgroup.procs", l.cgroup), NULL), pids, 16);
    CHECK_INT(n, 4);
    static const char *const forms[][4] = {{NULL}, {"--format", "table"}, {"-f", "table"}};
    for (size_t form = 0; form < 3; form++) {
        run_ocirt(t, &out, "ps", forms[form][0] ? forms[form][0] : t->tag, forms[form][1] ? forms[form][1] : NULL, forms[form][0] ? t->tag : NULL);
        CHECK(out.code == 0 && !out.err_n, "%d %s", out.code, out.err);
        CHECK(lines_of(out.out) == n + 1, "%s", out.out);
        for (const char *at = out.out; *at; at++) CHECK(*at == '\n' || (unsigned char)*at >= ' ', "byte %d in %s", *at, out.out);
        CHECK(!strstr(out.out, "\xc2\x9b") && strstr(out.out, "2Jpayload]"), "%s", out.out);
        char *head = print("%.*s", (int)strcspn(out.out, "\n"), out.out);
        CHECK(has_word(head, "PID") && has_word(head, "UID") && has_word(head, "PPID") && has_word(head, "CMD"), "%s", head);
        unsigned column = 0; /* where PID is, for all lines */
        for (char *word = strtok(head, " "); strcmp(word, "PID"); word = strtok(NULL, " ")) column++;
        char *line = strchr(out.out, '\n') + 1;
        unsigned found = 0;
        for (; *line; line += strcspn(line, "\n") + 1) {
            const char *at = line + strspn(line, " ");
            for (unsigned i = 0; i < column; i++) at += strcspn(at, " "), at += strspn(at, " ");
            int pid = atoi(at);
            found += bsearch(&pid, pids, n, sizeof *pids, by_number) != NULL;
            CHECK_OK(strstr(line, "payload"));
        }
        CHECK_INT(found, n);
        outcome_free(&out);
    }
    /* docker top and people pass options of the host's ps */
    run_ocirt(t, &out, "ps", t->tag, "-e", "-o", "pid,cmd");
    CHECK(out.code == 0 && has_word(print("%.*s", (int)strcspn(out.out, "\n"), out.out), "PID"), "%d %s%s", out.code, out.out, out.err);
    run_ocirt(t, &out, "ps", t->tag, "aux");
    CHECK_INT(out.code, 0);
    live_end(t, &l);
}

static void ps_refusals(struct t *t) {
    struct bundle b;
    struct outcome out;
    expect(t, 1, "container does not exist", "ps", t->tag);
    root_make(t, &b);
    bundle_config(&b, &(struct config){.args = "payload-exit 0"});
    run_ocirt(t, &out, "run", "--keep", "-b", b.path, t->tag);
    expect(t, 1, "unknown format yaml", "ps", "--format", "yaml", t->tag);
    run_ocirt(t, &out, "ps", "--format", "json", t->tag); /* nobody is left, or that there is nobody */
    if (out.code == 0) CHECK(json_skip(out.out) && !strcspn(out.out, "[ \n]"), "%s", out.out);
    else CHECK_HAS(out.err, "container not running");
    quiet(t, "delete", t->tag);
}

/* ---- update ---- */

#define M(n) ((n) << 20)
static const char limited_resources[] = "\"resources\":{\"memory\":{\"limit\":67108864,\"swap\":134217728,\"reservation\":16777216},"
                                        "\"cpu\":{\"shares\":512,\"quota\":50000,\"period\":100000},\"pids\":{\"limit\":20}}";

static void begin_limited(struct t *t, struct live *l) {
    static const char *const controllers[] = {"memory", "cpu", "pids"};
    for (size_t i = 0; i < 3; i++) need_controller(controllers[i]);
    begin_in_cgroup(t, l, &(struct config){.args = "payload-trap 10", .linux_ = limited_resources});
}

/* A flag, and what the kernel's own file says afterwards. All others are as they were. */
static void update_flags(struct t *t) {
    static const struct {
        const char *args, *file, *value;
    } cases[] = {
        {"--memory 100663296", "memory.max", "100663296"},
        {"--memory=96m", "memory.max", "100663296"},
        {"--memory 98304k", "memory.max", "100663296"},
        {"--memory 96M", "memory.max", "100663296"},
        {"--memory-reservation 32m", "memory.low", "33554432"},
        {"--memory-reservation -1", "memory.low", "max"},
        {"--memory 1g --memory-swap 2g", "memory.max memory.swap.max", "1073741824"},
        {"--memory 32m --memory-swap 64m", "memory.max memory.swap.max", "33554432"},
        {"--memory-swap -1", "memory.swap.max", "max"},
        {"--memory -1", "memory.max memory.swap.max", "max"},
        {"--cpu-share 1024", "cpu.weight", "100"},
        {"--cpu-share 2", "cpu.weight", "1"},
        {"--cpu-quota 20000", "cpu.max", "20000 100000"}, /* the period is not lost */
        {"--cpu-period 200000", "cpu.max", "50000 200000"},
        {"--cpu-quota -1", "cpu.max", "max 100000"},
        {"--cpu-quota 30000 --cpu-period 60000", "cpu.max", "30000 60000"},
        {"--cpu-burst 10000", "cpu.max.burst", "10000"},
        {"--cpu-idle 1", "cpu.idle cpu.weight", NULL},
        {"--cpuset-cpus 0", "cpuset.cpus", "0"},
        {"--cpuset-mems 0", "cpuset.mems", "0"},
        {"--pids-limit 33", "pids.max", "33"},
        {"--pids-limit -1", "pids.max", "max"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct live l;
        const char *list[8] = {"update"};
        size_t n = 1;
        struct outcome out;
        begin_limited(t, &l);
        char *before = limits_of(&l);
        char *first = print("%.*s", (int)strcspn(cases[i].file, " "), cases[i].file);
        if (!in_cgroup(&l, first)) { /* not in this kernel: told, and nothing is changed */
            for (char *word = strtok(print("%s", cases[i].args), " "); word; word = strtok(NULL, " ")) list[n++] = word;
            list[n] = t->tag;
            run_ocirt_list(t, &out, list);
            EXPECT(out.code == 1 && strstr(out.err, first), "%s: %d %s", cases[i].args, out.code, out.err);
            live_end(t, &l);
            continue;
        }
        for (char *word = strtok(print("%s", cases[i].args), " "); word; word = strtok(NULL, " ")) list[n++] = word;
        list[n] = t->tag;
        run_ocirt_list(t, &out, list);
        EXPECT(out.code == 0 && !out.out_n && !out.err_n, "%s: %d %s%s", cases[i].args, out.code, out.out, out.err);
        for (size_t k = 0; limit_files[k]; k++) {
            char *value = in_cgroup(&l, limit_files[k]);
            if (!value) continue;
            if (!has_word(cases[i].file, limit_files[k])) EXPECT(strstr(before, print("%s = %s", limit_files[k], value)), "%s: %s is %s", cases[i].args, limit_files[k], value);
            else if (cases[i].value) EXPECT(!strcmp(value, cases[i].value), "%s: %s is %s", cases[i].args, limit_files[k], value);
            else EXPECT(strcmp(limit_files[k], "cpu.idle") || !strcmp(value, "1"), "%s: %s is %s", cases[i].args, limit_files[k], value);
        }
        outcome_free(&out);
        live_end(t, &l);
    }
}

static void put_back(struct t *t, const struct live *l, const char *before) {
    struct outcome out;
    update_with(t, &out, "--resources=-", strchr(limited_resources, '{'));
    CHECK(out.code == 0, "%s", out.err);
    CHECK_TEXT(limits_of(l), before);
    outcome_free(&out);
}

/* JSON by file or stdin; what it does not name stays; flags win over it. */
static void update_resources(struct t *t) {
    static const char *const forms[] = {"--resources=FILE", "-r=FILE", "--resources=-", "--resources -", "-r -"};
    struct live l;
    struct outcome out;
    begin_limited(t, &l);
    char *before = limits_of(&l);
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        update_with(t, &out, forms[i], "{}");
        CHECK(out.code == 0 && !out.out_n && !out.err_n, "%s: %d %s", forms[i], out.code, out.err);
        CHECK_TEXT(limits_of(&l), before);
        update_with(t, &out, forms[i], print("{\"pids\":{\"limit\":%zu},\"cpu\":{\"shares\":1024},\"unknown\":{\"x\":[1]}}", 50 + i));
        CHECK(out.code == 0 && !out.out_n && !out.err_n, "%s: %d %s", forms[i], out.code, out.err);
        CHECK_TEXT(in_cgroup(&l, "pids.max"), print("%zu", 50 + i));
        CHECK_TEXT(in_cgroup(&l, "cpu.weight"), "100");
        CHECK_TEXT(in_cgroup(&l, "memory.max"), "67108864");
        CHECK_TEXT(in_cgroup(&l, "cpu.max"), "50000 100000");
        quiet(t, "update", "--pids-limit", "20", "--cpu-share", "512", t->tag);
        CHECK_TEXT(limits_of(&l), before);
    }
    update_with(t, &out, "--resources=-", "{\"unified\":{\"memory.high\":\"50331648\",\"pids.max\":\"77\"},\"pids\":{\"limit\":11}}");
    CHECK(out.code == 0, "%s", out.err);
    CHECK_TEXT(in_cgroup(&l, "memory.high"), "50331648");
    CHECK_TEXT(in_cgroup(&l, "pids.max"), "77"); /* unified is last */
    live_end(t, &l);
}

/* What is refused is named, and not one file is other than before, whatever came before it in the order. */
#define GOOD "\"memory\":{\"limit\":100663296,\"swap\":201326592,\"reservation\":8388608},\"pids\":{\"limit\":7}"
static void update_is_whole(struct t *t) {
    static const struct {
        const char *resources, *word;
    } cases[] = {
        {"{" GOOD ",\"cpu\":{\"shares\":2048,\"cpus\":\"nonsense\"}}", "/cpu/cpus"},
        {"{" GOOD ",\"cpu\":{\"shares\":2048,\"cpus\":\"4000\"}}", "/cpu/cpus"},
        {"{" GOOD ",\"cpu\":{\"quota\":20000,\"burst\":30000}}", "burst"},
        {"{" GOOD ",\"cpu\":{\"quota\":1}}", "/cpu/quota"},
        {"{" GOOD ",\"cpu\":{\"shares\":2048,\"realtimeRuntime\":1000}}", "realtimeRuntime"},
        {"{" GOOD ",\"unified\":{\"memory.high\":\"nonsense\"}}", "memory.high"},
        {"{" GOOD ",\"unified\":{\"cpu.max\":\"10000 100000\",\"pids.max\":\"-5\"}}", "pids.max"},
        {"{" GOOD ",\"unified\":{\"nothing.here\":\"1\"}}", "nothing"},
        {"{" GOOD ",\"unified\":{\"../cgroup.procs\":\"1\"}}", "../cgroup.procs"},
        {"{" GOOD ",\"blockIO\":{\"throttleReadBpsDevice\":[{\"major\":99,\"minor\":99,\"rate\":100}]}}", "throttleReadBpsDevice"},
        {"{" GOOD ",\"hugepageLimits\":[{\"pageSize\":\"3MB\",\"limit\":100}]}", "/hugepageLimits/0"},
        {"{" GOOD ",\"rdma\":{\"none0\":{\"hcaHandles\":1}}}", "rdma"},
        {"{" GOOD ",\"network\":{\"classID\":5}}", "/network"},
        {"{" GOOD ",\"devices\":[{\"allow\":true,\"access\":\"q\"}]}", "/devices/0"},
        {"{\"pids\":{\"limit\":7},\"memory\":{\"limit\":100663296,\"swap\":1000000}}", "/memory/swap"},
        {"{\"pids\":{\"limit\":7},\"memory\":{\"limit\":100663296,\"swappiness\":10}}", "swappiness"},
        {"{\"pids\":{\"limit\":7},\"memory\":{\"limit\":100663296,\"kernel\":1000000}}", "kernel"},
        {"{\"pids\":{\"limit\":7},\"memory\":{\"limit\":\"much\"}}", "/memory/limit"},
        {"{\"pids\":{\"limit\":7},\"pids\":{\"limit\":8}}", "duplicate key"},
        {"{\"pids\":{\"limit\":7}", "resources.json:1"},
        {"[]", "an object"},
        {"", "resources.json"},
    };
    struct live l;
    begin_limited(t, &l);
    char *before = limits_of(&l);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct outcome out;
        update_with(t, &out, "--resources=FILE", cases[i].resources);
        EXPECT(out.code == 1 && good_text(out.err) && strstr(out.err, cases[i].word), "%s: %d %s", cases[i].resources, out.code, out.err);
        EXPECT(!strcmp(limits_of(&l), before), "%s: now\n%s", cases[i].resources, limits_of(&l));
        if (strcmp(limits_of(&l), before)) put_back(t, &l, before);
        outcome_free(&out);
    }
    CHECK_TEXT(status_of(t), "running");
    live_end(t, &l);
}

/* Each write fails once: all of the old or all of the new. */
static void update_disturbed(struct t *t) {
    static const char *const args[] = {"update", "--memory", "96m", "--memory-swap", "192m", "--memory-reservation", "32m", "--cpu-quota", "20000", "--cpu-share", "1024", "--pids-limit", "7", NULL};
    struct live l;
    const char *list[16];
    size_t n = 0;
    for (; args[n]; n++) list[n] = args[n];
    list[n] = t->tag, list[n + 1] = NULL;
    begin_limited(t, &l);
    char *before = limits_of(&l), *after = NULL;
    for (unsigned nth = 1; nth < 64; nth++) {
        struct aim aim = {.nr = SYS_write, .nth = nth, .action = {DRIVE_FAIL, EIO}};
        struct drive drive = {.decide = drive_aim, .user = &aim};
        if (nth == 1) { /* undisturbed, and back */
            quiet_list(t, list);
            after = limits_of(&l);
            CHECK_OK(strcmp(after, before));
            put_back(t, &l, before);
        }
        drive_ocirt_list(t, &drive, list);
        char *now_is = limits_of(&l);
        EXPECT(!strcmp(now_is, drive.outcome.code ? before : after), "write %u fails, code %d, %s: now\n%s", nth, drive.outcome.code, drive.outcome.err, now_is);
        if (strcmp(now_is, before)) put_back(t, &l, before);
        bool over = !aim.hits;
        drive_free(&drive);
        if (over) break;
    }
    live_end(t, &l);
}

static void update_refuses_flags(struct t *t) {
    static const char *const cases[][3] = { /* flag, value, what the error names: the flag, or its place in the resources */
        {"--memory", "12x", "memory"}, {"--memory", "", "memory"}, {"--memory", "-2", "memory"}, {"--memory", "99999999999g", "memory"}, {"--memory", "m", "memory"},
        {"--memory-swap", "1q", "swap"}, {"--memory-reservation", "x", "reservation"}, {"--cpu-share", "-1", "share"}, {"--cpu-share", "many", "share"},
        {"--cpu-quota", "1.5", "quota"}, {"--cpu-period", "-5", "period"}, {"--cpu-burst", "x", "burst"}, {"--cpu-idle", "2", "idle"}, {"--cpu-idle", "yes", "idle"},
        {"--pids-limit", "abc", "pids"}, {"--pids-limit", "", "pids"}, {"--blkio-weight", "5", "weight"}, {"--blkio-weight", "1001", "weight"},
        {"--cpuset-cpus", "a", "cpus"}, {"--cpuset-mems", "-1", "mems"}, {"--kernel-memory", "1m", "kernel"}, {"--kernel-memory-tcp", "1m", "kernel"},
        {"--cpu-rt-period", "1000", "eriod"}, {"--cpu-rt-runtime", "1000", "untime"}, {"--resources", "/nothing/there", "/nothing/there"}, {"--nonsense", "1", "nonsense"}};
    struct live l;
    struct outcome out;
    begin_in_cgroup(t, &l, &trapped);
    char *before = limits_of(&l);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        run_ocirt(t, &out, "update", cases[i][0], cases[i][1], t->tag);
        EXPECT(out.code == 1 && good_text(out.err) && strstr(out.err, cases[i][2]), "%s %s: %d %s", cases[i][0], cases[i][1], out.code, out.err);
        EXPECT(!strcmp(limits_of(&l), before), "%s %s: now\n%s", cases[i][0], cases[i][1], limits_of(&l));
    }
    char *empty = print("%s/empty.json", t->dir);
    file_write(empty, "{}");
    expect(t, 1, "--pids-limit", "update", "--resources", empty, "--pids-limit", "5", t->tag); /* not passed over */
    if (access("/sys/fs/resctrl/schemata", F_OK)) {
        expect(t, 1, "intelRdt", "update", "--l3-cache-schema", "L3:0=f", t->tag);
        expect(t, 1, "intelRdt", "update", "--mem-bw-schema", "MB:0=10", t->tag);
    }
    live_end(t, &l);
}

/* A limit below what is in use: refused when it is asked to look, and nobody is killed. */
static void update_checks_use(struct t *t) {
    struct live l;
    struct outcome out;
    need_controller("memory");
    begin_in_cgroup(t, &l, &(struct config){.args = "payload-script eat 24 -- trap 10", .linux_ = "\"resources\":{\"memory\":{\"limit\":67108864}}"});
    char *before = limits_of(&l);
    update_with(t, &out, "--resources=-", "{\"memory\":{\"limit\":8388608,\"checkBeforeUpdate\":true}}");
    CHECK(out.code == 1 && strstr(out.err, "/memory/limit"), "%d %s", out.code, out.err);
    CHECK_TEXT(limits_of(&l), before);
    CHECK_TEXT(status_of(t), "running");
    update_with(t, &out, "--resources=-", "{\"memory\":{\"limit\":50331648,\"checkBeforeUpdate\":true}}");
    CHECK(out.code == 0, "%s", out.err);
    CHECK_TEXT(in_cgroup(&l, "memory.max"), "50331648");
    live_end(t, &l);
}

static void update_states(struct t *t) {
    struct bundle b;
    struct outcome out;
    expect(t, 1, "container does not exist", "update", "--pids-limit", "5", t->tag);
    root_make(t, &b);
    bundle_config(&b, &(struct config){.args = "payload-exit 0"});
    run_ocirt(t, &out, "run", "--keep", "-b", b.path, t->tag);
    expect(t, 1, "container not running", "update", "--pids-limit", "5", t->tag);
    quiet(t, "delete", t->tag);
    need_controller("pids");
    bundle_config(&b, &(struct config){.args = "payload-sleep 100", .linux_ = "\"resources\":{\"pids\":{\"limit\":20}}"});
    quiet(t, "create", "-b", b.path, t->tag);
    char *file = print("%s/pids.max", cgroup_of(t, atoi(state_get(t, t->tag, "pid"))));
    quiet(t, "update", "--pids-limit", "21", t->tag);
    CHECK_TEXT(file_read(file, NULL), "21\n");
    quiet(t, "pause", t->tag);
    quiet(t, "update", "--pids-limit", "22", t->tag);
    CHECK_TEXT(file_read(file, NULL), "22\n");
    CHECK_TEXT(status_of(t), "paused");
    quiet(t, "resume", t->tag);
    quiet(t, "start", t->tag);
    quiet(t, "update", "--pids-limit", "23", t->tag);
    CHECK_TEXT(file_read(file, NULL), "23\n");
    delete_all(t);
}

/* What the program may open changes while it runs. Behind the number is no driver: that is seen once it is allowed. */
static void update_devices(struct t *t) {
#define RULES(more) "{\"devices\":[{\"allow\":false,\"access\":\"rwm\"}" more "]}"
    static const struct {
        const char *rules, *before, *after;
    } cases[] = {
        {RULES(",{\"allow\":true,\"type\":\"c\",\"major\":250,\"minor\":5,\"access\":\"r\"}"), "EPERM", "ENXIO"},
        {RULES(",{\"allow\":true,\"type\":\"c\",\"major\":250,\"minor\":5,\"access\":\"w\"}"), "EPERM", "EPERM"},
        {RULES(""), "EPERM", "EPERM"}, /* the same again, as the CRI sends it with each update */
        {"{\"devices\":[]}", "EPERM", "EPERM"},
        {"{}", "EPERM", "EPERM"},
    };
#undef RULES
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct live l;
        struct outcome out;
        begin_in_cgroup(t, &l, &(struct config){.args = "payload-script try-read /dev/odd -- trap 10 -- try-read /dev/odd",
            .linux_ = "\"devices\":[{\"path\":\"/dev/odd\",\"type\":\"c\",\"major\":250,\"minor\":5}],\"resources\":{\"devices\":[{\"allow\":false,\"access\":\"rwm\"}]}"});
        update_with(t, &out, "--resources=-", cases[i].rules);
        EXPECT(out.code == 0 && !out.err_n, "%s: %d %s", cases[i].rules, out.code, out.err);
        quiet(t, "kill", t->tag, "USR1");
        command_wait(l.runtime, 5, &l.out);
        char *second = strstr(l.out.out, "got");
        CHECK(second != NULL, "%s", l.out.out);
        EXPECT(strstr(l.out.out, cases[i].before) < second && strstr(second, cases[i].after), "%s: %s", cases[i].rules, l.out.out);
    }
}

static void update_without_controller(struct t *t) {
    struct live l;
    struct outcome out;
    begin_in_cgroup(t, &l, &trapped);
    if (in_cgroup(&l, "memory.max") || strstr(file_read(print("%s/cgroup.controllers", cgroup_mount()), NULL), "memory")) {
        live_end(t, &l);
        SKIP("controller", "all are here");
    }
    run_ocirt(t, &out, "update", "--memory", "64m", t->tag);
    CHECK(out.code == 1 && strstr(out.err, "controller \"memory\"") && strstr(out.err, "hint: "), "%d %s", out.code, out.err);
    update_with(t, &out, "--resources=-", "{\"pids\":{\"limit\":4}}");
    CHECK(out.code == 1 && strstr(out.err, "controller \"pids\"") && strstr(out.err, "/pids/limit"), "%d %s", out.code, out.err);
    CHECK_TEXT(status_of(t), "running");
    live_end(t, &l);
}

/* ---- events, stats ---- */

/* Exactly these members, in whatever order. `may` are there where the kernel has what they tell. */
static void members(const char *text, const char *path, const char *must, const char *may) {
    char *have = json_words(text, path);
    CHECK(have != NULL, "no object %s in %s", path, text);
    for (char *word = strtok(print("%s", must), " "); word; word = strtok(NULL, " ")) EXPECT(has_word(have, word), "%s has no %s: %s", path, word, have);
    for (char *word = strtok(have, " "); word; word = strtok(NULL, " ")) EXPECT(has_word(must, word) || has_word(may, word), "%s has %s", path, word);
}

static void events_members(struct t *t) {
    struct live l;
    struct outcome out;
    begin_in_cgroup(t, &l, &trapped);
    run_ocirt(t, &out, "events", "--stats", t->tag);
    CHECK(out.code == 0 && !out.err_n, "%d %s", out.code, out.err);
    CHECK(is_json(out.out) && lines_of(out.out) == 1 && out.out[out.out_n - 1] == '\n', "%s", out.out);
    members(out.out, "", "type id data", "");
    CHECK_TEXT(json_value(out.out, "type"), "stats");
    CHECK_TEXT(json_value(out.out, "id"), t->tag);
    members(out.out, "data", "cpu cpuset memory pids blkio hugetlb intel_rdt network_interfaces", "");
    members(out.out, "data/cpu", "usage throttling", "psi");
    members(out.out, "data/cpu/usage", "total kernel user", "percpu percpu_kernel percpu_user");
    members(out.out, "data/cpu/throttling", "periods throttledPeriods throttledTime", "");
    members(out.out, "data/memory", "cache usage swap kernel kernelTCP raw", "psi");
    static const char *const amounts[] = {"usage", "swap", "kernel", "kernelTCP"};
    for (size_t i = 0; i < 4; i++) members(out.out, print("data/memory/%s", amounts[i]), "limit usage max failcnt", "");
    members(out.out, "data/pids", "current limit", "");
    members(out.out, "data/blkio", "ioServiceBytesRecursive ioServicedRecursive ioQueueRecursive ioServiceTimeRecursive ioWaitTimeRecursive ioMergedRecursive ioTimeRecursive sectorsRecursive", "psi");
    static const char *const pressures[] = {"cpu", "memory", "blkio"};
    for (size_t i = 0; i < 3; i++) {
        char *file = print("%s/%s.pressure", l.cgroup, i == 2 ? "io" : pressures[i]), *path = print("data/%s/psi", pressures[i]);
        if (file_read(file, NULL) == NULL) continue;
        members(out.out, path, "some full", "");
        members(out.out, print("%s/some", path), "avg10 avg60 avg300 total", "");
    }
    quiet(t, "pause", t->tag); /* also of a paused one */
    outcome_free(&out);
    run_ocirt(t, &out, "events", "--stats", t->tag);
    CHECK_OK(out.code == 0 && is_json(out.out));
    live_end(t, &l);
}

static unsigned long long keyed(const char *text, const char *key) {
    char *at = strstr(print("\n%s", text), print("\n%s ", key));
    CHECK(at != NULL, "no %s in %s", key, text);
    return strtoull(at + strlen(key) + 2, NULL, 10);
}

/* What it says against the kernel's own files. */
static void events_values(struct t *t) {
    struct live l;
    struct outcome out;
    for (size_t i = 0; i < 3; i++) need_controller(((const char *const[]){"memory", "cpu", "pids"})[i]);
    begin_in_cgroup(t, &l, &(struct config){.args = "payload-script fork-bomb-ish 4 -- eat 8 -- trap 10", .linux_ = limited_resources});
    quiet(t, "pause", t->tag); /* nothing moves now */
    char *stat = file_read(print("%s/cpu.stat", l.cgroup), NULL), *memory = file_read(print("%s/memory.stat", l.cgroup), NULL);
    run_ocirt(t, &out, "events", "--stats", t->tag);
    CHECK(out.code == 0, "%s", out.err);
    CHECK_INT(number_at(out.out, "data/pids/current"), 5);
    CHECK_INT(number_at(out.out, "data/pids/limit"), 20);
    CHECK_INT(number_at(out.out, "data/memory/usage/limit"), 67108864);
    CHECK_INT(number_at(out.out, "data/memory/usage/usage"), strtoll(in_cgroup(&l, "memory.current"), NULL, 10));
    CHECK_OK(number_at(out.out, "data/memory/usage/usage") > 8 << 20);
    if (in_cgroup(&l, "memory.peak")) CHECK_OK(number_at(out.out, "data/memory/usage/max") >= number_at(out.out, "data/memory/usage/usage"));
    if (in_cgroup(&l, "memory.swap.max")) CHECK_INT(number_at(out.out, "data/memory/swap/limit"), 134217728);
    CHECK_INT(number_at(out.out, "data/memory/kernel/limit"), 0);
    CHECK_INT(number_at(out.out, "data/memory/cache"), keyed(memory, "file"));
    CHECK_INT(number_at(out.out, "data/memory/raw/anon"), keyed(memory, "anon"));
    unsigned keys = 0;
    for (char *word = strtok(json_words(out.out, "data/memory/raw"), " "); word; word = strtok(NULL, " ")) keys++;
    CHECK_INT(keys, lines_of(memory));
    CHECK_OK(number_at(out.out, "data/cpu/usage/total") >= (long long)keyed(stat, "usage_usec") * 1000 && number_at(out.out, "data/cpu/usage/total") > 0);
    CHECK_OK(number_at(out.out, "data/cpu/usage/total") % 1000 == 0 && number_at(out.out, "data/cpu/usage/user") % 1000 == 0);
    CHECK_OK(number_at(out.out, "data/cpu/throttling/periods") >= (long long)keyed(stat, "nr_periods")); /* they go on a little */
    quiet(t, "update", "--memory", "-1", "--pids-limit", "-1", t->tag);
    run_ocirt(t, &out, "events", "--stats", t->tag);
    CHECK_TEXT(json_value(out.out, "data/memory/usage/limit"), "18446744073709551615"); /* no limit */
    CHECK_INT(number_at(out.out, "data/pids/limit"), 0);
    live_end(t, &l);
}

static pid_t events_begin(struct t *t, struct outcome *out, const char *interval) {
    need_ocirt();
    return command_start(&(struct command){.argv = ocirt_argv(t, (const char *const[]){"events", "--interval", interval, t->tag, NULL})}, out);
}

/* It goes on until the container ends, and each line is whole. */
static void events_flow(struct t *t) {
    static const char *const intervals[] = {"50ms", "1", "1m"};
    for (size_t i = 0; i < 3; i++) {
        struct live l;
        struct outcome out;
        begin_in_cgroup(t, &l, &trapped);
        pid_t pid = events_begin(t, &out, intervals[i]);
        await_text(&out, "\n");
        for (double late = now() + 8 * time_scale(); now() < late && lines_of(out.out) < 3 - i; nap(0.01)) outcome_refresh(&out);
        CHECK(lines_of(out.out) >= 3 - i, "%s: %s%s", intervals[i], out.out, out.err);
        CHECK_INT(waitpid(pid, NULL, WNOHANG), 0);
        quiet(t, "kill", t->tag, i == 1 ? "USR1" : "KILL");
        command_wait(pid, 10, &out); /* long before a minute is over */
        CHECK(out.code == 0 && !out.err_n && !out.timed_out, "%s: %d %s", intervals[i], out.code, out.err);
        for (char *line = strtok(out.out, "\n"); line; line = strtok(NULL, "\n")) CHECK(is_json(line) && !strcmp(json_value(line, "type"), "stats"), "%s", line);
        live_end(t, &l);
    }
}

/* A reader that has enough closes its end: that ends it, at its next line at the latest. */
static void events_reader_goes(struct t *t) {
    struct live l;
    struct outcome out;
    int pipes[2];
    char byte;
    begin_in_cgroup(t, &l, &trapped);
    CHECK_SYS(pipe2(pipes, O_CLOEXEC));
    pid_t pid = command_start(&(struct command){.argv = ocirt_argv(t, (const char *const[]){"events", "--interval", "50ms", t->tag, NULL}), .out_fd = pipes[1]}, &out);
    close(pipes[1]);
    CHECK_INT(read(pipes[0], &byte, 1), 1);
    close(pipes[0]);
    command_wait(pid, 10, &out);
    CHECK_OK(!out.timed_out);
    CHECK_TEXT(status_of(t), "running");
    live_end(t, &l);
}

static void events_oom(struct t *t) {
    struct live l;
    struct outcome out;
    need_controller("memory");
    begin_in_cgroup(t, &l, &(struct config){.args = "payload-script trap 10 -- fork eat 200 -- sleep 100",
        .linux_ = "\"resources\":{\"memory\":{\"limit\":33554432,\"swap\":33554432}}"});
    pid_t pid = events_begin(t, &out, "50ms");
    await_text(&out, "\n");
    CHECK_OK(!strstr(out.out, "\"oom\""));
    quiet(t, "kill", t->tag, "USR1");
    for (double late = now() + 8 * time_scale(); now() < late && !strstr(out.out, "\"oom\""); nap(0.01)) outcome_refresh(&out);
    char *line = strstr(out.out, "{\"type\":\"oom\"");
    CHECK(line != NULL, "%s%s", out.out, l.out.out);
    line = print("%.*s", (int)strcspn(line, "\n"), line);
    CHECK_OK(is_json(line));
    members(line, "", "type id", "");
    CHECK_TEXT(json_value(line, "id"), t->tag);
    CHECK_TEXT(status_of(t), "running"); /* it was a child */
    live_end(t, &l);
    command_wait(pid, 10, &out);
    CHECK_INT(out.code, 0);
}

static void events_refusals(struct t *t) {
    static const char *const bad[] = {"", "0", "-1s", "x", "5x", "s", "1.2.3s", "99999999999999999999s"};
    struct live l;
    struct outcome out;
    expect(t, 1, "container does not exist", "events", "--stats", t->tag);
    expect(t, 1, "container does not exist", "events", t->tag);
    begin_in_cgroup(t, &l, &trapped);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        run_ocirt(t, &out, "events", "--interval", bad[i], t->tag);
        EXPECT(out.code == 1 && strstr(out.err, "interval") && !out.out_n, "\"%s\": %d %s", bad[i], out.code, out.err);
    }
    for (size_t i = 0; i < 4; i++) {
        run_ocirt(t, &out, "events", "--stats", "--interval", ((const char *const[]){"5", "500ms", "2s", "1m"})[i], t->tag);
        EXPECT(out.code == 0 && lines_of(out.out) == 1, "%zu: %d %s", i, out.code, out.err);
    }
    live_end(t, &l);
    root_make(t, &l.b);
    bundle_config(&l.b, &(struct config){.args = "payload-exit 0"});
    run_ocirt(t, &out, "run", "--keep", "-b", l.b.path, t->tag);
    expect(t, 1, "container not running", "events", "--stats", t->tag);
    quiet(t, "delete", t->tag);
}

static void stats(struct t *t) {
    struct bundle b;
    struct outcome out;
    char *ids[3];
    root_make(t, &b);
    bundle_config(&b, &(struct config){.args = "payload-sleep 100"});
    run_ocirt(t, &out, "stats"); /* nobody there */
    CHECK(out.code == 0 && lines_of(out.out) == 1 && !out.err_n, "%d %s%s", out.code, out.out, out.err);
    for (int i = 0; i < 3; i++) quiet(t, "run", "-d", "-b", b.path, ids[i] = print("%s.%d", t->tag, i));
    run_ocirt(t, &out, "stats");
    CHECK(out.code == 0 && !out.err_n && lines_of(out.out) == 4, "%d %s%s", out.code, out.out, out.err);
    char *head = print("%.*s", (int)strcspn(out.out, "\n"), out.out);
    CHECK(starts(head, "ID ") && has_word(head, "PIDS") && strstr(head, "CPU") && strstr(head, "MEM"), "%s", head);
    for (int i = 0; i < 3; i++) CHECK_HAS(out.out, print("\n%s ", ids[i]));
    outcome_free(&out);
    run_ocirt(t, &out, "stats", ids[2], ids[0]);
    CHECK(out.code == 0 && lines_of(out.out) == 3 && !strstr(out.out, ids[1]), "%d %s%s", out.code, out.out, out.err);
    expect(t, 1, "container does not exist", "stats", ids[0], "nobody");
    delete_all(t);
}

/* ---- features ---- */

/* All members of the features document of runtime-spec 1.3: b is a truth value, l a list that is not empty,
 * a any list, s a text, o an object. What they hold is from the specification. */
static const struct {
    const char *path;
    char kind;
    const char *all; /* of a list: exactly these */
} feature_members[] = {
    {"ociVersionMin", 's', NULL},
    {"ociVersionMax", 's', NULL},
    {"hooks", 'l', "prestart createRuntime createContainer startContainer poststart poststop"},
    {"mountOptions", 'l', NULL},
    {"annotations", 'o', NULL},
    {"potentiallyUnsafeConfigAnnotations", 'a', NULL},
    {"linux/namespaces", 'l', "cgroup ipc mount network pid time user uts"},
    {"linux/capabilities", 'l', NULL},
    {"linux/cgroup/v1", 'b', NULL},
    {"linux/cgroup/v2", 'b', NULL},
    {"linux/cgroup/systemd", 'b', NULL},
    {"linux/cgroup/systemdUser", 'b', NULL},
    {"linux/cgroup/rdma", 'b', NULL},
    {"linux/seccomp/enabled", 'b', NULL},
    {"linux/seccomp/actions", 'l', "SCMP_ACT_ALLOW SCMP_ACT_ERRNO SCMP_ACT_KILL SCMP_ACT_KILL_PROCESS SCMP_ACT_KILL_THREAD SCMP_ACT_LOG SCMP_ACT_NOTIFY SCMP_ACT_TRACE SCMP_ACT_TRAP"},
    {"linux/seccomp/operators", 'l', "SCMP_CMP_EQ SCMP_CMP_GE SCMP_CMP_GT SCMP_CMP_LE SCMP_CMP_LT SCMP_CMP_MASKED_EQ SCMP_CMP_NE"},
    {"linux/seccomp/archs", 'l', NULL},
    {"linux/seccomp/knownFlags", 'l', "SECCOMP_FILTER_FLAG_TSYNC SECCOMP_FILTER_FLAG_LOG SECCOMP_FILTER_FLAG_SPEC_ALLOW SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"},
    {"linux/seccomp/supportedFlags", 'a', NULL},
    {"linux/apparmor/enabled", 'b', NULL},
    {"linux/selinux/enabled", 'b', NULL},
    {"linux/intelRdt/enabled", 'b', NULL},
    {"linux/intelRdt/schemata", 'b', NULL},
    {"linux/intelRdt/monitoring", 'b', NULL},
    {"linux/memoryPolicy/modes", 'l', "MPOL_DEFAULT MPOL_PREFERRED MPOL_BIND MPOL_INTERLEAVE MPOL_LOCAL MPOL_PREFERRED_MANY MPOL_WEIGHTED_INTERLEAVE"},
    {"linux/memoryPolicy/flags", 'l', "MPOL_F_STATIC_NODES MPOL_F_RELATIVE_NODES MPOL_F_NUMA_BALANCING"},
    {"linux/mountExtensions/idmap/enabled", 'b', NULL},
    {"linux/netDevices/enabled", 'b', NULL},
};

static char *features_text(struct t *t) {
    struct outcome out;
    run_ocirt(t, &out, "features");
    CHECK(out.code == 0 && !out.err_n && is_json(out.out), "%d %s", out.code, out.err);
    return out.out;
}

static bool is_true(const char *text, const char *path) {
    char *value = json_value(text, path);
    return value && !strcmp(value, "true");
}

static void list_is(const char *path, const char *have, const char *all) {
    struct text seen = {0};
    for (char *word = strtok(print("%s", have), " "); word; word = strtok(NULL, " ")) {
        EXPECT(!has_word(seen.at, word), "%s has %s twice", path, word);
        EXPECT(!all || has_word(all, word), "%s has %s", path, word);
        text_add(&seen, "%s ", word);
    }
    for (char *word = all ? strtok(print("%s", all), " ") : NULL; word; word = strtok(NULL, " ")) EXPECT(has_word(have, word), "%s has no %s", path, word);
}

static void features_complete(struct t *t) {
    char *text = features_text(t);
    for (size_t i = 0; i < sizeof feature_members / sizeof *feature_members; i++) {
        const char *path = feature_members[i].path;
        char kind = feature_members[i].kind, *value = json_value(text, path), *words = json_words(text, path);
        if (!value) {
            EXPECT(value, "no %s", path);
            continue;
        }
        EXPECT(kind != 'b' || !strcmp(value, "true") || !strcmp(value, "false"), "%s is %s", path, value);
        EXPECT(kind != 'o' || *value == '{', "%s is %s", path, value);
        EXPECT((kind != 'l' && kind != 'a') || (words && *value == '['), "%s is %s", path, value);
        EXPECT(kind != 'l' || (words && *words), "%s is empty", path);
        if (words && *value == '[') list_is(path, words, feature_members[i].all);
    }
    /* nothing that the specification does not know */
    members(text, "", "ociVersionMin ociVersionMax hooks mountOptions linux annotations potentiallyUnsafeConfigAnnotations", "");
    members(text, "linux", "namespaces capabilities cgroup seccomp apparmor selinux intelRdt memoryPolicy mountExtensions netDevices", "");
    bool deep = syscall(442, -1, "", 0, NULL, 0) == 0 || errno != ENOSYS; /* mount_setattr, Linux 5.12: what it lacks is not claimed */
    const char *options = print("rbind ro bind tmpcopyup nosymfollow lazytime iversion silent rprivate runbindable%s", deep ? " rro rrw idmap ridmap" : "");
    for (char *word = strtok(print("%s", options), " "); word; word = strtok(NULL, " ")) EXPECT(has_word(json_words(text, "mountOptions"), word), "no option %s", word);
    EXPECT(has_word(json_words(text, "linux/capabilities"), "CAP_CHOWN") && has_word(json_words(text, "linux/capabilities"), "CAP_CHECKPOINT_RESTORE"), "%s", "capabilities");
    static const char *const annotations[] = {"io.ocirt.landlock.", "org.criu.", "org.systemd.property.", "run.oci.keep_original_groups", "run.oci.mount_context_type", "run.oci.pidfd_receiver", "run.oci.systemd.subgroup"};
    for (size_t i = 0; i < sizeof annotations / sizeof *annotations; i++) EXPECT(has_word(json_words(text, "potentiallyUnsafeConfigAnnotations"), annotations[i]), "no %s", annotations[i]);
    for (char *word = strtok(json_words(text, "linux/seccomp/archs"), " "); word; word = strtok(NULL, " ")) EXPECT(starts(word, "SCMP_ARCH_"), "%s", word);
}

/* Without an environment, a folder to stand in, a state folder, and whoever asks. */
static void features_anywhere(struct t *t) {
    struct outcome out;
    char *want = features_text(t), *gone = print("%s/gone", t->dir);
    CHECK(access(t->state, F_OK) == -1, "%s was made", t->state);
    make_dirs(gone, 0755);
    CHECK_SYS(chdir(gone));
    CHECK_SYS(rmdir(gone));
    static const char *const none[] = {NULL};
    command_run(&(struct command){.argv = (const char *const[]){"ocirt", "features", NULL}, .env = none}, &out);
    CHECK_SYS(chdir("/"));
    CHECK(out.code == 0 && !out.err_n, "%d %s", out.code, out.err);
    CHECK_TEXT(out.out, want);
    if (geteuid()) return;
    outcome_free(&out);
    command_run(&(struct command){.argv = ocirt_argv(t, (const char *const[]){"features", NULL}), .child = become_ordinary}, &out);
    CHECK_TEXT(out.out, want);
}

/* What it claims is not refused as unknown, and what it denies is. */
static void features_true(struct t *t) {
    static const struct {
        const char *path;
        struct config config;
    } cases[] = {
        {"linux/seccomp/enabled", {.linux_ = "\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"swapon\"],\"action\":\"SCMP_ACT_ERRNO\"}]}"}},
        {"linux/apparmor/enabled", {.process = "\"apparmorProfile\":\"some\""}},
        {"linux/selinux/enabled", {.process = "\"selinuxLabel\":\"system_u:system_r:svirt_t:s0\""}},
        {"linux/selinux/enabled", {.linux_ = "\"mountLabel\":\"system_u:object_r:svirt_t:s0\""}},
        {"linux/intelRdt/enabled", {.linux_ = "\"intelRdt\":{\"closID\":\"some\"}"}},
        {"linux/intelRdt/schemata", {.linux_ = "\"intelRdt\":{\"schemata\":[\"MB:0=10\"]}"}},
        {"linux/intelRdt/monitoring", {.linux_ = "\"intelRdt\":{\"enableMonitoring\":true}"}},
        {"linux/netDevices/enabled", {.linux_ = "\"netDevices\":{\"lo9\":{}}", .namespaces = "pid mount ipc uts net"}},
        {"linux/cgroup/rdma", {.linux_ = "\"resources\":{\"rdma\":{\"mlx5_1\":{\"hcaHandles\":3}}}"}},
    };
    struct bundle b;
    struct outcome out;
    char *text = features_text(t);
    root_make(t, &b);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bundle_config(&b, &cases[i].config);
        run_ocirt(t, &out, "check", b.path);
        EXPECT((out.code == 0) == is_true(text, cases[i].path), "%s is %s, but: %d %s%s", cases[i].path, json_value(text, cases[i].path), out.code, out.out, out.err);
        outcome_free(&out);
    }
    CHECK_OK(!is_true(text, "linux/cgroup/v1") && is_true(text, "linux/cgroup/v2"));
    bundle_config(&b, NULL);
    run_ocirt(t, &out, "--systemd-cgroup", "create", "-b", b.path, t->tag);
    EXPECT(is_true(text, "linux/cgroup/systemd") && is_true(text, "linux/cgroup/systemdUser") && (out.code == 0 || strstr(out.err, "start-scope")), "%s", out.err);
    delete_all(t);
    /* each option of mounts is one, and no word for the file system */
    for (char *word = strtok(json_words(text, "mountOptions"), " "); word; word = strtok(NULL, " ")) {
        bundle_config(&b, &(struct config){.mounts = print("{\"destination\":\"/x\",\"source\":\"%s\",\"options\":[\"bind\",\"%s\"]}", t->dir, word)});
        run_ocirt(t, &out, "plan", b.path);
        EXPECT(!strstr(out.err, "unknown option"), "%s: %s", word, out.err);
        outcome_free(&out);
    }
}

/* A flag is told as supported if this kernel knows it: then it looks for the program, which is not there. */
static void features_seccomp_flags(struct t *t) {
    static const struct {
        const char *name;
        unsigned flags;
    } cases[] = {{"SECCOMP_FILTER_FLAG_TSYNC", 1}, {"SECCOMP_FILTER_FLAG_LOG", 2}, {"SECCOMP_FILTER_FLAG_SPEC_ALLOW", 4}, {"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", 0x28}};
    char *text = features_text(t), *have = json_words(text, "linux/seccomp/supportedFlags");
    if (!is_true(text, "linux/seccomp/enabled")) SKIP("ocirt", "no seccomp in this build");
    for (size_t i = 0; i < 4; i++) {
        long r = syscall(SYS_seccomp, 1, cases[i].flags, NULL);
        EXPECT(r < 0 && has_word(have, cases[i].name) == (errno == EFAULT), "%s: %s, %s", cases[i].name, have, errno_name(errno));
    }
}

/* ---- state, list ---- */

static void state_members(struct t *t) {
    static const char must[] = "ociVersion id pid status bundle rootfs created owner";
    static const char *const foreign[] = {"started", "finished", "exitCode", "oomKilled", "seccompKilled", "error", "initPid", "initStartTime", "checkpointedTime", "containerMonitorProcess"};
    struct bundle b;
    struct outcome out, list;
    struct tm when = {0};
    root_make(t, &b);
    bundle_config(&b, &(struct config){.args = "payload-sleep 100", .top = "\"annotations\":{\"a.b/c\":\"d \\\"e\\\"\",\"empty\":\"\"}"});
    quiet(t, "create", "-b", b.path, t->tag);
    for (int i = 0; i < 4; i++) { /* created, running, paused, stopped */
        bool own = cgroup_of(t, atoi(state_get(t, t->tag, "pid"))) != NULL;
        if (i == 1) quiet(t, "start", t->tag);
        if (i == 2 && own) quiet(t, "pause", t->tag);
        if (i == 3) {
            if (!strcmp(status_of(t), "paused")) quiet(t, "resume", t->tag);
            quiet(t, "kill", t->tag, "KILL");
            await_status(t, "stopped");
            reap_all();
        }
        run_ocirt(t, &out, "state", t->tag);
        CHECK(out.code == 0 && !out.err_n && is_json(out.out), "%d %s", out.code, out.err);
        char *have = json_words(out.out, "");
        for (char *word = strtok(print("%s", must), " "); word; word = strtok(NULL, " ")) EXPECT(has_word(have, word), "no %s", word);
        for (size_t k = 0; k < sizeof foreign / sizeof *foreign; k++) EXPECT(!has_word(have, foreign[k]), "%s is CRI-O's", foreign[k]);
        CHECK_TEXT(json_value(out.out, "bundle"), b.path);
        CHECK_TEXT(json_value(out.out, "rootfs"), b.rootfs);
        CHECK_TEXT(json_value(out.out, "annotations/empty"), "");
        CHECK_HAS(out.out, "d \\\"e\\\"");
        CHECK((number_at(out.out, "pid") == 0) == (i == 3), "%s", out.out);
        char *rest = strptime(json_value(out.out, "created"), "%Y-%m-%dT%H:%M:%S", &when);
        CHECK(rest && strchr("Z.+-", *rest), "%s", json_value(out.out, "created"));
        run_ocirt(t, &list, "list", "-f", "json"); /* the same object */
        CHECK(list.code == 0 && !list.err_n && is_json(list.out), "%s", list.out);
        for (char *word = strtok(print("%s", have), " "); word; word = strtok(NULL, " "))
            if (strchr("abcorsp", *word)) EXPECT(json_value(list.out, print("0/%s", word)) && !strcmp(json_value(list.out, print("0/%s", word)), json_value(out.out, word)), "%s differs", word);
        outcome_free(&list);
        run_ocirt(t, &list, "list", "-q");
        CHECK_TEXT(list.out, print("%s\n", t->tag));
        outcome_free(&list);
        outcome_free(&out);
    }
    quiet(t, "delete", t->tag);
    run_ocirt(t, &list, "list", "--format", "json");
    CHECK(list.code == 0 && (starts(list.out, "[]") || starts(list.out, "null")), "%s", list.out);
}

const struct test run_commands_tests[] = {
    {"commands.pause_and_resume", pause_and_resume, 0, 0},
    {"commands.pause_created", pause_created, 0, 0},
    {"commands.pause_refusals", pause_refusals, 0, 0},
    {"commands.paused_ends", paused_ends, 0, 0},
    {"commands.paused_dies", paused_dies, 0, 0},
    {"commands.pause_subtree", pause_subtree, 0, 0},
    {"commands.pause_busy", pause_busy, 0, 0},
    {"commands.pause_races", pause_races, 0, 0},
    {"commands.pause_disturbed", pause_disturbed, 0, 60},
    {"commands.without_cgroup", without_cgroup, 0, 0},
    {"commands.ps_json", ps_json, 0, 0},
    {"commands.ps_table", ps_table, 0, 0},
    {"commands.ps_refusals", ps_refusals, 0, 0},
    {"commands.update_flags", update_flags, 0, 60},
    {"commands.update_resources", update_resources, 0, 0},
    {"commands.update_is_whole", update_is_whole, 0, 0},
    {"commands.update_disturbed", update_disturbed, 0, 60},
    {"commands.update_refuses_flags", update_refuses_flags, 0, 0},
    {"commands.update_checks_use", update_checks_use, 0, 0},
    {"commands.update_states", update_states, 0, 0},
    {"commands.update_devices", update_devices, TEST_ROOT, 0},
    {"commands.update_without_controller", update_without_controller, 0, 0},
    {"commands.events_members", events_members, 0, 0},
    {"commands.events_values", events_values, 0, 0},
    {"commands.events_flow", events_flow, 0, 30},
    {"commands.events_reader_goes", events_reader_goes, 0, 0},
    {"commands.events_oom", events_oom, 0, 0},
    {"commands.events_refusals", events_refusals, 0, 0},
    {"commands.stats", stats, 0, 0},
    {"commands.features_complete", features_complete, 0, 0},
    {"commands.features_anywhere", features_anywhere, 0, 0},
    {"commands.features_true", features_true, 0, 0},
    {"commands.features_seccomp_flags", features_seccomp_flags, 0, 0},
    {"commands.state_members", state_members, 0, 0},
    {0}};
