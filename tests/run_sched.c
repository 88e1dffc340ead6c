/* run_sched.c: scheduler, I/O priority, CPU affinity, memory policy. The kernel is the judge: a
 * process of the test asks it for the same with numbers written down here. What it then has, the
 * program must have; what the kernel refuses it, ocirt must refuse. */
#include "runs.h"
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* ---- the judge ---- */

struct attr {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
    uint32_t util_min, util_max;
};

struct verdict {
    int error; /* of asking */
    struct attr attr;
    int nice;
    long io, memory;
    unsigned long nodes[16];
};

struct wish {
    int start_nice;
    const struct attr *attr;
    long io; /* 0: none */
    bool memory;
    unsigned mode;
    unsigned long nodes;
};

static int ask(const struct wish *wish) {
    cpu_set_t all;
    memset(&all, 0xff, sizeof all);
    if (setpriority(PRIO_PROCESS, 0, wish->start_nice)) return errno;
    if (wish->attr && wish->attr->policy == 6) sched_setaffinity(0, sizeof all, &all);
    if (wish->attr && syscall(SYS_sched_setattr, 0, wish->attr, 0)) return errno;
    if (wish->io && syscall(SYS_ioprio_set, 1, 0, wish->io)) return errno;
    if (wish->memory && syscall(SYS_set_mempolicy, wish->mode, wish->nodes ? &wish->nodes : NULL, wish->nodes ? 65ul : 0ul)) return errno;
    return 0;
}

static struct verdict judge(const struct wish *wish) {
    struct verdict verdict = {0};
    int pipes[2];
    CHECK_SYS(pipe2(pipes, O_CLOEXEC));
    pid_t child = fork();
    if (child == 0) {
        int mode = 0;
        verdict.error = ask(wish);
        syscall(SYS_sched_getattr, 0, &verdict.attr, (unsigned)sizeof verdict.attr, 0);
        verdict.nice = getpriority(PRIO_PROCESS, 0);
        verdict.io = syscall(SYS_ioprio_get, 1, 0);
        if (!syscall(SYS_get_mempolicy, &mode, verdict.nodes, 1024ul, NULL, 0ul)) verdict.memory = mode;
        _exit(write(pipes[1], &verdict, sizeof verdict) != sizeof verdict);
    }
    close(pipes[1]);
    CHECK_INT(read(pipes[0], &verdict, sizeof verdict), sizeof verdict);
    close(pipes[0]);
    waitpid(child, NULL, 0);
    return verdict;
}

static bool is_refused(const struct outcome *out, const char *pointer) {
    return out->code == 125 && strstr(out->err, pointer) && good_text(out->err) && !out->out_n;
}

/* ---- scheduler ---- */

#define MS 1000000ull
enum { OTHER, FIFO, RR, BATCH, IDLE = 5, DEADLINE };

static const struct policy {
    const char *json;
    struct attr attr;
    int start_nice;
    bool may_refuse; /* a wish that contradicts itself: granting it as the kernel does, or an error */
} policies[] = {
    {"\"SCHED_OTHER\"", {.policy = OTHER}, 0, false},
    {"\"SCHED_OTHER\",\"nice\":0,\"priority\":0,\"runtime\":0,\"deadline\":0,\"period\":0,\"flags\":[]", {.policy = OTHER}, 0, false},
    {"\"SCHED_OTHER\",\"nice\":19", {.policy = OTHER, .nice = 19}, 0, false},
    {"\"SCHED_OTHER\",\"nice\":-20", {.policy = OTHER, .nice = -20}, 0, false},
    {"\"SCHED_OTHER\"", {.policy = OTHER}, 5, false}, /* nice is 0 unless it is set */
    {"\"SCHED_BATCH\"", {.policy = BATCH}, 5, false},
    {"\"SCHED_BATCH\",\"nice\":-3", {.policy = BATCH, .nice = -3}, 5, false},
    {"\"SCHED_IDLE\"", {.policy = IDLE}, 0, false},
    {"\"SCHED_IDLE\"", {.policy = IDLE}, 5, false},
    {"\"SCHED_FIFO\",\"priority\":1", {.policy = FIFO, .priority = 1}, 0, false},
    {"\"SCHED_FIFO\",\"priority\":99", {.policy = FIFO, .priority = 99}, 5, false},
    {"\"SCHED_RR\",\"priority\":50", {.policy = RR, .priority = 50}, 0, false},
    {"\"SCHED_BATCH\",\"nice\":4,\"flags\":[\"SCHED_FLAG_RESET_ON_FORK\"]", {.policy = BATCH, .nice = 4, .flags = 1}, 0, false},
    {"\"SCHED_FIFO\",\"priority\":7,\"flags\":[\"SCHED_FLAG_RESET_ON_FORK\"]", {.policy = FIFO, .priority = 7, .flags = 1}, 0, false},
    {"\"SCHED_OTHER\",\"nice\":6,\"flags\":[\"SCHED_FLAG_KEEP_POLICY\"]", {.policy = OTHER, .nice = 6, .flags = 8}, 0, false},
    {"\"SCHED_BATCH\",\"nice\":6,\"flags\":[\"SCHED_FLAG_KEEP_POLICY\"]", {.policy = BATCH, .nice = 6, .flags = 8}, 0, true},
    {"\"SCHED_BATCH\",\"nice\":6,\"flags\":[\"SCHED_FLAG_KEEP_PARAMS\"]", {.policy = BATCH, .nice = 6, .flags = 16}, 0, true},
    {"\"SCHED_OTHER\",\"flags\":[\"SCHED_FLAG_UTIL_CLAMP_MIN\"]", {.policy = OTHER, .flags = 32}, 0, false},
    {"\"SCHED_OTHER\",\"flags\":[\"SCHED_FLAG_UTIL_CLAMP_MAX\"]", {.policy = OTHER, .flags = 64}, 0, false},
    /* Bandwidth is given back late, and all of these fit into that of two CPUs together. */
    {"\"SCHED_DEADLINE\",\"runtime\":20000000,\"deadline\":150000000,\"period\":200000000", {.policy = DEADLINE, .runtime = 20 * MS, .deadline = 150 * MS, .period = 200 * MS}, 0, false},
    {"\"SCHED_DEADLINE\",\"runtime\":20000000,\"deadline\":200000000", {.policy = DEADLINE, .runtime = 20 * MS, .deadline = 200 * MS}, 0, false},
    {"\"SCHED_DEADLINE\",\"runtime\":20000000,\"deadline\":200000000,\"period\":200000000,\"flags\":[\"SCHED_FLAG_RESET_ON_FORK\",\"SCHED_FLAG_RECLAIM\"]",
     {.policy = DEADLINE, .runtime = 20 * MS, .deadline = 200 * MS, .period = 200 * MS, .flags = 3}, 0, false},
    {"\"SCHED_DEADLINE\",\"runtime\":200000000,\"deadline\":400000000,\"period\":400000000,\"flags\":[\"SCHED_FLAG_DL_OVERRUN\"]",
     {.policy = DEADLINE, .runtime = 200 * MS, .deadline = 400 * MS, .period = 400 * MS, .flags = 4}, 0, false},
};

static void expect_policy(const char *name, const struct outcome *out, const struct verdict *want) {
    const struct attr *a = &want->attr;
    const char *const lines[][2] = {
        {"sched", print("%u %u", a->policy | (a->flags & 1 ? 0x40000000u : 0), a->priority)},
        {"nice", print("%d", want->nice)},
        {"sched.flags", print("%#llx", (unsigned long long)a->flags)},
        {"sched.runtime", print("%llu %llu %llu", (unsigned long long)a->runtime, (unsigned long long)a->deadline, (unsigned long long)a->period)},
        {"sched.util", print("%u %u", a->util_min, a->util_max)}};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        const char *got = report_get(out, lines[i][0]);
        EXPECT(got && !strcmp(got, lines[i][1]), "%s: %s is %s, not %s", name, lines[i][0], got, lines[i][1]);
    }
}

static void scheduled(struct t *t, const char *namespaces, const struct policy *p) {
    struct attr attr = p->attr;
    attr.size = sizeof attr;
    CHECK_SYS(setpriority(PRIO_PROCESS, 0, p->start_nice));
    struct verdict want = judge(&(struct wish){.start_nice = p->start_nice, .attr = &attr});
    struct outcome *out = ran(t, &(struct config){.namespaces = namespaces, .process = print("\"scheduler\":{\"policy\":%s}", p->json)});
    const char *name = print("%s from nice %d", p->json, p->start_nice);
    if (want.error)
        EXPECT(is_refused(out, "/process/scheduler"), "%s: %s for us, but: %d %s", name, strerror(want.error), out->code, out->err);
    else if (!(p->may_refuse && is_refused(out, "/process/scheduler"))) {
        EXPECT(out->code == 0, "%s: %d %s", name, out->code, out->err);
        if (out->code == 0) expect_policy(name, out, &want);
    }
    outcome_free(out);
}

/* A nice value, once raised, comes down only for root. */
static void each_policy(struct t *t) {
    for (int nice = 0; nice <= 5; nice += 5)
        for (size_t i = 0; i < sizeof policies / sizeof *policies; i++)
            if (policies[i].start_nice == nice) scheduled(t, NULL, &policies[i]);
}

/* Those that need rights outside of the user namespace, which the program's first process has not. */
static void policies_in_user_namespace(struct t *t) {
    static const struct policy rows[] = {
        {"\"SCHED_FIFO\",\"priority\":10", {.policy = FIFO, .priority = 10}, 0, false},
        {"\"SCHED_OTHER\",\"nice\":-4", {.policy = OTHER, .nice = -4}, 0, false},
        {"\"SCHED_DEADLINE\",\"runtime\":20000000,\"deadline\":200000000,\"period\":200000000", {.policy = DEADLINE, .runtime = 20 * MS, .deadline = 200 * MS, .period = 200 * MS}, 0, false}};
    need_userns();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) scheduled(t, DEFAULT_NAMESPACES " user", &rows[i]);
}

/* Children have it too, unless it is to be reset. */
static void policy_is_inherited(struct t *t) {
    struct outcome *out = ran_well(t, &(struct config){.args = "payload-fork report", .process = "\"scheduler\":{\"policy\":\"SCHED_BATCH\",\"nice\":9}"});
    CHECK_REPORT(out, "sched", "3 0");
    CHECK_REPORT(out, "nice", "9");
    if (geteuid()) return;
    out = ran(t, &(struct config){.args = "payload-fork report", .process = "\"scheduler\":{\"policy\":\"SCHED_RR\",\"priority\":3,\"flags\":[\"SCHED_FLAG_RESET_ON_FORK\"]}"});
    if (out->code) SKIP("kernel", "no realtime budget: %s", out->err);
    CHECK_REPORT(out, "sched", "0 0");
}

static void bad_policies(struct t *t) {
    static const char *const rows[][3] = {
        {"\"policy\":\"SCHED_ISO\"", "/process/scheduler/policy", "SCHED_ISO"},
        {"\"policy\":\"SCHED_EXT\"", "/process/scheduler/policy", "unknown"},
        {"\"policy\":\"\"", "/process/scheduler/policy", "unknown"},
        {"\"nice\":1", "/process/scheduler", "policy"},
        {"\"policy\":\"SCHED_OTHER\",\"nice\":20", "/process/scheduler/nice", "range"},
        {"\"policy\":\"SCHED_OTHER\",\"nice\":-21", "/process/scheduler/nice", "range"},
        {"\"policy\":\"SCHED_FIFO\",\"priority\":1,\"nice\":3", "/process/scheduler/nice", "nice"},
        {"\"policy\":\"SCHED_IDLE\",\"nice\":3", "/process/scheduler/nice", "nice"},
        {"\"policy\":\"SCHED_OTHER\",\"priority\":1", "/process/scheduler/priority", "priority"},
        {"\"policy\":\"SCHED_BATCH\",\"priority\":1", "/process/scheduler/priority", "priority"},
        {"\"policy\":\"SCHED_FIFO\",\"priority\":100", "/process/scheduler/priority", "range"},
        {"\"policy\":\"SCHED_FIFO\",\"priority\":-1", "/process/scheduler/priority", "range"},
        {"\"policy\":\"SCHED_FIFO\"", "/process/scheduler", "priority"},
        {"\"policy\":\"SCHED_RR\",\"priority\":0", "/process/scheduler", "priority"},
        {"\"policy\":\"SCHED_OTHER\",\"runtime\":5000", "/process/scheduler/runtime", "DEADLINE"},
        {"\"policy\":\"SCHED_FIFO\",\"priority\":1,\"deadline\":5000", "/process/scheduler/deadline", "DEADLINE"},
        {"\"policy\":\"SCHED_RR\",\"priority\":1,\"period\":5000", "/process/scheduler/period", "DEADLINE"},
        {"\"policy\":\"SCHED_DEADLINE\"", "/process/scheduler", "1024"},
        {"\"policy\":\"SCHED_DEADLINE\",\"runtime\":1023,\"deadline\":5000,\"period\":5000", "/process/scheduler/runtime", "1024"},
        {"\"policy\":\"SCHED_DEADLINE\",\"runtime\":5000", "/process/scheduler", "deadline"},
        {"\"policy\":\"SCHED_DEADLINE\",\"runtime\":5000,\"deadline\":4999,\"period\":9000", "/process/scheduler/deadline", "runtime"},
        {"\"policy\":\"SCHED_DEADLINE\",\"runtime\":2000,\"deadline\":5000,\"period\":4999", "/process/scheduler/period", "deadline"},
        {"\"policy\":\"SCHED_DEADLINE\",\"runtime\":2000,\"deadline\":9223372036854775808", "/process/scheduler", ""},
        {"\"policy\":\"SCHED_DEADLINE\",\"runtime\":2000,\"deadline\":5000,\"period\":18446744073709551615", "/process/scheduler", ""},
        {"\"policy\":\"SCHED_OTHER\",\"flags\":[\"SCHED_FLAG_RESET_ON_FORK\",\"SCHED_FLAG_TURBO\"]", "/process/scheduler/flags/1", "unknown"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct outcome *out = ran(t, &(struct config){.process = print("\"scheduler\":{%s}", rows[i][0])});
        EXPECT(is_refused(out, rows[i][1]) && strstr(out->err, rows[i][2]), "%s: %d %s", rows[i][0], out->code, out->err);
        outcome_free(out);
    }
}

/* ---- I/O priority ---- */

static void io_priorities(struct t *t) {
    static const struct {
        const char *json;
        long value;
    } rows[] = {{"\"IOPRIO_CLASS_BE\",\"priority\":0", 2 << 13}, {"\"IOPRIO_CLASS_BE\",\"priority\":7", 2 << 13 | 7}, {"\"IOPRIO_CLASS_BE\"", 2 << 13},
                {"\"IOPRIO_CLASS_IDLE\"", 3 << 13}, {"\"IOPRIO_CLASS_IDLE\",\"priority\":4", 3 << 13 | 4}, /* config.md's own example */
                {"\"IOPRIO_CLASS_RT\",\"priority\":0", 1 << 13}, {"\"IOPRIO_CLASS_RT\",\"priority\":5", 1 << 13 | 5}};
    const char *const spaces[] = {NULL, DEFAULT_NAMESPACES " user"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t k = 0; k < (geteuid() ? 1 : 2); k++) {
            struct verdict want = judge(&(struct wish){.io = rows[i].value});
            struct outcome *out = ran(t, &(struct config){.namespaces = spaces[k], .args = "payload-fork report", .process = print("\"ioPriority\":{\"class\":%s}", rows[i].json)});
            if (want.error)
                EXPECT(is_refused(out, "/process/ioPriority"), "%s: %s for us, but: %d %s", rows[i].json, strerror(want.error), out->code, out->err);
            else {
                const char *got = report_get(out, "ioprio"), *wanted = print("%ld %ld", want.io >> 13, want.io & 0x1fff);
                EXPECT(out->code == 0 && got && !strcmp(got, wanted), "%s: %s, not %s, %s", rows[i].json, got, wanted, out->err);
            }
            outcome_free(out);
        }
    static const char *const bad[][2] = {{"\"class\":\"IOPRIO_CLASS_NONE\"", "/process/ioPriority/class"}, {"\"priority\":1", "/process/ioPriority"},
        {"\"class\":\"IOPRIO_CLASS_BE\",\"priority\":-1", "/process/ioPriority/priority"}, {"\"class\":\"IOPRIO_CLASS_IDLE\",\"priority\":8", "/process/ioPriority/priority"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) refused(t, &(struct config){.process = print("\"ioPriority\":{%s}", bad[i][0])}, 125, bad[i][1]);
}

/* ---- CPU affinity: it is for exec ---- */

static void affinity_is_not_of_init(struct t *t) {
    cpu_set_t have, one;
    CHECK_SYS(sched_getaffinity(0, sizeof have, &have));
    unsigned first = 0;
    while (!CPU_ISSET(first, &have)) first++;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    CHECK_SYS(sched_setaffinity(0, sizeof one, &one));
    const char *want = report_get(ran_well(t, NULL), "affinity"); /* some kernels give all that the cgroup has */
    static const char *const rows[] = {"\"initial\":\"%u\",\"final\":\"%u\"", "\"final\":\"0-%u\"", "\"initial\":\"0,%u\"", "\"initial\":\"\",\"final\":\"\"", ""};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char json[200];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(json, sizeof json, rows[i], first + 1, first + 1);
#pragma GCC diagnostic pop
        struct outcome *out = ran_well(t, &(struct config){.process = print("\"execCPUAffinity\":{%s}", json)});
        CHECK_REPORT(out, "affinity", want);
        outcome_free(out);
    }
}

static void bad_affinities(struct t *t) {
    static const char *const lists[] = {"0-", "-1", "a", "1-0", "0,,1", ",0", "0,", "0 1", " 0", "0-1-2", "0x1", "99999999999999999999", "0\\n", "0-18446744073709551615"};
    static const char *const names[] = {"initial", "final"};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        for (int k = 0; k < 2; k++)
            refused(t, &(struct config){.process = print("\"execCPUAffinity\":{\"%s\":\"%s\"}", names[k], lists[i])}, 125, print("/process/execCPUAffinity/%s", names[k]));
}

/* Of an exec the first one is before it is in the cgroup; the last one is what the program has. */
static void affinity_of_exec(struct t *t) {
    static const char *const bad[] = {"0-", "a", "1-0", "99999"};
    struct box x;
    box_begin(t, &x, NULL);
    cpu_set_t have;
    CHECK_SYS(sched_getaffinity(0, sizeof have, &have));
    unsigned last = CPU_SETSIZE - 1;
    while (!CPU_ISSET(last, &have)) last--;
    const char *const rows[] = {print("\"final\":\"%u\"", last), print("\"initial\":\"0\",\"final\":\"%u\"", last), print("\"initial\":\"%u\",\"final\":\"%u\"", last, last)};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        CHECK_REPORT(execed_well(t, process_option(t, &(struct config){.process = print("\"execCPUAffinity\":{%s}", rows[i])}), ""), "affinity", print("%u", last));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        not_executed(t, process_option(t, &(struct config){.process = print("\"execCPUAffinity\":{\"final\":\"%s\"}", bad[i])}), "", 0, "/execCPUAffinity/final");
    box_end(t, &x);
}

static void policies_of_exec(struct t *t) {
    struct box x;
    box_begin(t, &x, &(struct config){.process = "\"scheduler\":{\"policy\":\"SCHED_BATCH\",\"nice\":3}"});
    for (size_t i = 0; i < sizeof policies / sizeof *policies; i++) {
        struct attr attr = policies[i].attr;
        if (policies[i].start_nice || policies[i].may_refuse) continue;
        attr.size = sizeof attr;
        struct verdict want = judge(&(struct wish){.attr = &attr});
        struct outcome *out = execed(t, process_option(t, &(struct config){.process = print("\"scheduler\":{\"policy\":%s}", policies[i].json)}), "");
        if (want.error) EXPECT(out->code == 255 && strstr(out->err, "/scheduler") && good_text(out->err), "%s: %s for us, but: %d %s", policies[i].json, strerror(want.error), out->code, out->err);
        else EXPECT(out->code == 0, "%s: %d %s", policies[i].json, out->code, out->err);
        if (!want.error && !out->code) expect_policy(policies[i].json, out, &want);
    }
    box_end(t, &x);
}

/* ---- memory policy ---- */

static void memory_policies(struct t *t) {
    static const struct {
        const char *json;
        unsigned mode;
        unsigned long nodes;
    } rows[] = {{"\"MPOL_DEFAULT\"", 0, 0}, {"\"MPOL_DEFAULT\",\"nodes\":\"\",\"flags\":[]", 0, 0},
                {"\"MPOL_LOCAL\"", 4, 0}, {"\"MPOL_PREFERRED\"", 1, 0}, {"\"MPOL_PREFERRED\",\"nodes\":\"0\"", 1, 1},
                {"\"MPOL_BIND\",\"nodes\":\"0\"", 2, 1}, {"\"MPOL_INTERLEAVE\",\"nodes\":\"0\"", 3, 1},
                {"\"MPOL_BIND\",\"nodes\":\"1\"", 2, 2}, {"\"MPOL_BIND\",\"nodes\":\"0-1\"", 2, 3}, {"\"MPOL_INTERLEAVE\",\"nodes\":\"0,1\"", 3, 3},
                {"\"MPOL_PREFERRED_MANY\",\"nodes\":\"0-1\"", 5, 3}, {"\"MPOL_WEIGHTED_INTERLEAVE\",\"nodes\":\"0-1\"", 6, 3},
                {"\"MPOL_BIND\",\"nodes\":\"0\",\"flags\":[\"MPOL_F_STATIC_NODES\"]", 2 | 1 << 15, 1},
                {"\"MPOL_INTERLEAVE\",\"nodes\":\"0-1\",\"flags\":[\"MPOL_F_RELATIVE_NODES\"]", 3 | 1 << 14, 3},
                {"\"MPOL_BIND\",\"nodes\":\"0\",\"flags\":[\"MPOL_F_NUMA_BALANCING\"]", 2 | 1 << 13, 1},
                {"\"MPOL_BIND\",\"nodes\":\"0\",\"flags\":[\"MPOL_F_NUMA_BALANCING\",\"MPOL_F_STATIC_NODES\"]", 2 | 1 << 13 | 1 << 15, 1},
                {"\"MPOL_BIND\",\"nodes\":\"63\"", 2, 1ul << 63}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct verdict want = judge(&(struct wish){.memory = true, .mode = rows[i].mode, .nodes = rows[i].nodes});
        struct outcome *out = ran(t, &(struct config){.args = "payload-fork report", .linux_ = print("\"memoryPolicy\":{\"mode\":%s}", rows[i].json)});
        if (want.error)
            EXPECT(is_refused(out, "/linux/memoryPolicy"), "%s: %s for us, but: %d %s", rows[i].json, strerror(want.error), out->code, out->err);
        else {
            const char *got = report_get(out, "mempolicy"), *wanted = print("%#x %#lx", (unsigned)want.memory, want.nodes[0]);
            EXPECT(out->code == 0 && got && !strcmp(got, wanted), "%s: %s, not %s, %s", rows[i].json, got, wanted, out->err);
        }
        outcome_free(out);
    }
}

static void bad_memory_policies(struct t *t) {
    static const char *const rows[][2] = {
        {"\"mode\":\"MPOL_SPREAD\"", "mode"}, {"\"nodes\":\"0\"", ""},
        {"\"mode\":\"MPOL_DEFAULT\",\"nodes\":\"0\"", "nodes"}, {"\"mode\":\"MPOL_LOCAL\",\"nodes\":\"0\"", "nodes"},
        {"\"mode\":\"MPOL_BIND\"", ""}, {"\"mode\":\"MPOL_INTERLEAVE\",\"nodes\":\"\"", ""},
        {"\"mode\":\"MPOL_WEIGHTED_INTERLEAVE\"", ""}, {"\"mode\":\"MPOL_PREFERRED_MANY\"", ""},
        {"\"mode\":\"MPOL_BIND\",\"nodes\":\"all\"", "nodes"}, {"\"mode\":\"MPOL_BIND\",\"nodes\":\"0-\"", "nodes"}, {"\"mode\":\"MPOL_BIND\",\"nodes\":\"1-0\"", "nodes"},
        {"\"mode\":\"MPOL_BIND\",\"nodes\":\"0,\"", "nodes"}, {"\"mode\":\"MPOL_BIND\",\"nodes\":\"-1\"", "nodes"}, {"\"mode\":\"MPOL_BIND\",\"nodes\":\"4294967296\"", "nodes"},
        {"\"mode\":\"MPOL_BIND\",\"nodes\":\"0\\n1\"", "nodes"},
        {"\"mode\":\"MPOL_BIND\",\"nodes\":\"0\",\"flags\":[\"MPOL_F_NEAR\"]", "flags/0"},
        {"\"mode\":\"MPOL_BIND\",\"nodes\":\"0\",\"flags\":[\"MPOL_F_STATIC_NODES\",\"MPOL_F_RELATIVE_NODES\"]", "flags"},
        {"\"mode\":\"MPOL_INTERLEAVE\",\"nodes\":\"0\",\"flags\":[\"MPOL_F_NUMA_BALANCING\"]", "flags"},
        {"\"mode\":\"MPOL_LOCAL\",\"flags\":[\"MPOL_F_STATIC_NODES\"]", "flags"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        refused(t, &(struct config){.linux_ = print("\"memoryPolicy\":{%s}", rows[i][0])}, 125, print("/linux/memoryPolicy%s%s", *rows[i][1] ? "/" : "", rows[i][1]));
}

const struct test run_sched_tests[] = {
    {"sched.each_policy", each_policy, 0, 0},
    {"sched.policies_in_user_namespace", policies_in_user_namespace, TEST_ROOT, 0},
    {"sched.policy_is_inherited", policy_is_inherited, 0, 0},
    {"sched.bad_policies", bad_policies, 0, 0},
    {"sched.io_priorities", io_priorities, 0, 0},
    {"sched.affinity_is_not_of_init", affinity_is_not_of_init, 0, 0},
    {"sched.bad_affinities", bad_affinities, 0, 0},
    {"sched.affinity_of_exec", affinity_of_exec, 0, 0},
    {"sched.policies_of_exec", policies_of_exec, 0, 0},
    {"sched.memory_policies", memory_policies, 0, 0},
    {"sched.bad_memory_policies", bad_memory_policies, 0, 0},
    {0}};
