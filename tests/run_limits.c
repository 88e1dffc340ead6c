/* run_limits.c: linux.resources. What is asked for is read back from the kernel's own files of the container's
 * cgroup, or seen from inside. Where the kernel may say no (a device without a scheduler, a file that is not there
 * yet), a cgroup of the test's own is the judge: what it refuses there, ocirt must refuse with the place. */
#include "runs.h"
#include <signal.h>
#include <sys/wait.h>

#define COUNT(list) (sizeof(list) / sizeof *(list))
#define AT "/linux/resources/"

/* ---- a cgroup of the container's, and one beside it that nobody limits ---- */

static char *folder(struct t *t) { return print("%s/%s", cgroup_mount(), t->tag); }
static char *beside(struct t *t) { return print("%s/%s-beside", cgroup_mount(), t->tag); }

static char *value_of(const char *cgroup, const char *file) {
    size_t n = 0;
    char *text = file_read(print("%s/%s", cgroup, file), &n);
    if (text && n && text[n - 1] == '\n') text[n - 1] = 0;
    return text;
}

static const char *in_own(struct t *t, const char *resources) {
    return print("\"cgroupsPath\":\"/%s\",\"resources\":{%s}", t->tag, resources);
}

static struct bundle limited_bundle(struct t *t, const char *resources) {
    struct bundle b;
    root_make(t, &b);
    bundle_config(&b, &(struct config){.args = "payload-sleep 100", .linux_ = in_own(t, resources)});
    return b;
}

static void create(struct t *t, struct outcome *out, const char *resources) {
    struct bundle b = limited_bundle(t, resources);
    run_ocirt(t, out, "create", "-b", b.path, t->tag);
}

static bool told(const struct outcome *out, const char *pointer) {
    return out->code == 1 && strstr(out->err, pointer) && good_text(out->err);
}

/* A refusal leaves neither a container nor its cgroup. */
static void expect_refused(struct t *t, const char *resources, const char *pointer) {
    struct outcome out;
    create(t, &out, resources);
    EXPECT(told(&out, pointer), "%s: %d, no %s in: %s", resources, out.code, pointer, out.err);
    EXPECT(access(folder(t), F_OK), "%s: the cgroup is left", resources);
    delete_all(t);
    outcome_free(&out);
}

struct written {
    const char *resources, *file, *value; /* value NULL: that of a cgroup without limits */
    const char *pointer;                  /* what is told where the kernel has no such file; NULL: nothing, all is as asked */
};

static void expect_written(struct t *t, const struct written *w) {
    struct outcome out;
    const char *plain = value_of(beside(t), w->file);
    if (!plain && w->pointer) {
        printf("# no %s in this kernel\n", w->file);
        expect_refused(t, w->resources, w->pointer);
        return;
    }
    create(t, &out, w->resources);
    EXPECT(out.code == 0, "%s: %d %s", w->resources, out.code, out.err);
    const char *want = w->value ? w->value : plain, *got = value_of(folder(t), w->file);
    if (out.code == 0 && plain) EXPECT(got && !strcmp(got, want), "%s: %s is \"%s\", not \"%s\"", w->resources, w->file, got, want);
    delete_all(t);
    outcome_free(&out);
}

static void all_written(struct t *t, const char *controller, const struct written *cases, size_t n) {
    need_controller(controller);
    CHECK_SYS(mkdir(beside(t), 0755));
    for (size_t i = 0; i < n; i++) expect_written(t, &cases[i]);
    CHECK_SYS(rmdir(beside(t)));
}

/* ---- memory, cpu, pids ---- */

static void memory(struct t *t) {
    static const struct written cases[] = {
        {"\"memory\":{\"limit\":67108864}", "memory.max", "67108864", AT "memory/limit"},
        {"\"memory\":{\"limit\":-1}", "memory.max", "max", AT "memory/limit"},
        {"\"memory\":{\"limit\":0}", "memory.max", NULL, AT "memory/limit"},
        {"\"memory\":{\"reservation\":16777216}", "memory.low", "16777216", AT "memory/reservation"},
        {"\"memory\":{\"reservation\":-1}", "memory.low", "max", AT "memory/reservation"},
        {"\"memory\":{\"reservation\":0}", "memory.low", NULL, AT "memory/reservation"},
        {"\"memory\":{\"limit\":67108864,\"swap\":100663296}", "memory.swap.max", "33554432", AT "memory/swap"},
        {"\"memory\":{\"limit\":67108864,\"swap\":100663296}", "memory.max", "67108864", NULL},
        /* Where swap is not accounted for, these ask for no more than there is. */
        {"\"memory\":{\"limit\":67108864,\"swap\":67108864}", "memory.swap.max", "0", NULL},
        {"\"memory\":{\"limit\":67108864,\"swap\":-1}", "memory.swap.max", "max", NULL},
        {"\"memory\":{\"limit\":67108864,\"swap\":0}", "memory.swap.max", NULL, NULL},
        {"\"memory\":{\"limit\":-1}", "memory.swap.max", "max", NULL},
        {"\"memory\":{\"limit\":-1,\"swap\":-1}", "memory.swap.max", "max", NULL},
        {"\"memory\":{\"limit\":-1,\"swap\":33554432}", "memory.swap.max", "33554432", AT "memory/swap"},
        {"\"memory\":{\"limit\":67108864,\"useHierarchy\":true,\"disableOOMKiller\":false,\"checkBeforeUpdate\":true}", "memory.max", "67108864", NULL},
    };
    /* The second of the swap cases has nothing to look at where the first was refused. */
    need_controller("memory");
    CHECK_SYS(mkdir(beside(t), 0755));
    bool swap = value_of(beside(t), "memory.swap.max") != NULL;
    for (size_t i = 0; i < COUNT(cases); i++)
        if (swap || !strstr(cases[i].resources, "\"swap\":100663296") || cases[i].pointer) expect_written(t, &cases[i]);
    CHECK_SYS(rmdir(beside(t)));
    expect_refused(t, "\"memory\":{\"limit\":67108864,\"swap\":33554432}", AT "memory/swap");
    expect_refused(t, "\"memory\":{\"swap\":33554432}", AT "memory/swap");
}

static void cpu(struct t *t) {
    static const struct written cases[] = {
        {"\"cpu\":{\"shares\":0}", "cpu.weight", NULL, AT "cpu/shares"},
        {"\"cpu\":{\"shares\":2}", "cpu.weight", "1", AT "cpu/shares"},
        {"\"cpu\":{\"shares\":512}", "cpu.weight", "59", AT "cpu/shares"},
        {"\"cpu\":{\"shares\":1024}", "cpu.weight", "100", AT "cpu/shares"},
        {"\"cpu\":{\"shares\":8192}", "cpu.weight", "532", AT "cpu/shares"},
        {"\"cpu\":{\"shares\":262144}", "cpu.weight", "10000", AT "cpu/shares"},
        {"\"cpu\":{\"shares\":18446744073709551615}", "cpu.weight", "10000", AT "cpu/shares"},
        {"\"cpu\":{\"quota\":50000,\"period\":200000}", "cpu.max", "50000 200000", AT "cpu/quota"},
        {"\"cpu\":{\"quota\":50000}", "cpu.max", "50000 100000", AT "cpu/quota"},
        {"\"cpu\":{\"quota\":-1}", "cpu.max", "max 100000", AT "cpu/quota"},
        {"\"cpu\":{\"quota\":-1,\"period\":50000}", "cpu.max", "max 50000", AT "cpu/quota"},
        {"\"cpu\":{\"quota\":0}", "cpu.max", NULL, AT "cpu/quota"},
        {"\"cpu\":{\"period\":50000}", "cpu.max", "max 50000", AT "cpu/period"},
        {"\"cpu\":{\"quota\":50000,\"burst\":40000}", "cpu.max.burst", "40000", AT "cpu/burst"},
        {"\"cpu\":{\"quota\":50000,\"burst\":0}", "cpu.max.burst", "0", AT "cpu/burst"},
        {"\"cpu\":{\"idle\":1}", "cpu.idle", "1", AT "cpu/idle"},
        {"\"cpu\":{\"idle\":0}", "cpu.idle", "0", AT "cpu/idle"},
        {"\"cpu\":{\"idle\":0,\"shares\":512}", "cpu.weight", "59", NULL},
        {"\"cpu\":{\"shares\":512,\"idle\":1}", "cpu.idle", "1", AT "cpu/idle"}, /* the kernel takes no weight then */
        {"\"cpu\":{\"realtimeRuntime\":0,\"realtimePeriod\":0,\"shares\":512}", "cpu.weight", "59", AT "cpu/shares"},
    };
    need_controller("cpu");
    CHECK_SYS(mkdir(beside(t), 0755));
    bool idle = value_of(beside(t), "cpu.idle") != NULL, burst = value_of(beside(t), "cpu.max.burst") != NULL;
    for (size_t i = 0; i < COUNT(cases); i++)
        if (idle || cases[i].pointer) expect_written(t, &cases[i]);
    CHECK_SYS(rmdir(beside(t)));
    expect_refused(t, "\"cpu\":{\"quota\":50}", AT "cpu/quota"); /* less than the kernel's millisecond */
    expect_refused(t, "\"cpu\":{\"period\":50}", AT "cpu/period");
    if (burst) expect_refused(t, "\"cpu\":{\"quota\":50000,\"burst\":60000}", AT "cpu/burst");
}

static void cpuset(struct t *t) {
    static const struct written cases[] = {
        {"\"cpu\":{\"cpus\":\"0\"}", "cpuset.cpus", "0", AT "cpu/cpus"},
        {"\"cpu\":{\"cpus\":\"0\",\"mems\":\"0\"}", "cpuset.mems", "0", AT "cpu/mems"},
        {"\"cpu\":{\"cpus\":\"\",\"mems\":\"\"}", "cpuset.cpus", NULL, AT "cpu/cpus"},
    };
    all_written(t, "cpuset", cases, COUNT(cases));
    expect_refused(t, "\"cpu\":{\"cpus\":\"nonsense\"}", AT "cpu/cpus");
    expect_refused(t, "\"cpu\":{\"mems\":\"1-0\"}", AT "cpu/mems");
    struct outcome *out = ran_well(t, &(struct config){.linux_ = in_own(t, "\"cpu\":{\"cpus\":\"0\"}")});
    CHECK_REPORT(out, "affinity", "0");
}

static void pids(struct t *t) {
    static const struct written cases[] = {
        {"\"pids\":{\"limit\":20}", "pids.max", "20", AT "pids/limit"},
        {"\"pids\":{\"limit\":-1}", "pids.max", "max", AT "pids/limit"},
        {"\"pids\":{\"limit\":-7}", "pids.max", "max", AT "pids/limit"},
        {"\"pids\":{}", "pids.max", NULL, AT "pids/limit"},
    };
    all_written(t, "pids", cases, COUNT(cases));
    expect_refused(t, "\"pids\":{\"limit\":9223372036854775807}", AT "pids/limit");
}

/* 0 is a limit since 1.3: the program runs, and makes no other process. */
static void no_more_pids(struct t *t) {
    struct outcome out;
    need_controller("pids");
    create(t, &out, "\"pids\":{\"limit\":0}");
    CHECK(out.code == 0, "%d %s", out.code, out.err);
    CHECK_TEXT(value_of(folder(t), "pids.max"), "0");
    expect(t, 0, "", "start", t->tag);
    CHECK_TEXT(status_of(t), "running");
    delete_all(t);
}

/* ---- blockIO ---- */

/* A disk that nobody uses, as "major:minor". */
static const char *disk(const char *name) {
    const char *number = value_of(print("/sys/block/%s", name), "dev");
    if (!number) SKIP("device", "no disk %s here", name);
    return number;
}

static const char *numbered(const char *number, const char *more) {
    int major = 0, minor = 0;
    sscanf(number, "%d:%d", &major, &minor);
    return print("{\"major\":%d,\"minor\":%d,%s}", major, minor, more);
}

static void throttles(struct t *t) {
    static const char *const names[] = {"throttleReadBpsDevice", "throttleWriteBpsDevice", "throttleReadIOPSDevice", "throttleWriteIOPSDevice"};
    static const char *const lines[] = {"rbps=1048576 wbps=max riops=max wiops=max", "rbps=max wbps=1048576 riops=max wiops=max",
                                        "rbps=max wbps=max riops=1048576 wiops=max", "rbps=max wbps=max riops=max wiops=1048576"};
    need_controller("io");
    const char *first = disk("ram0"), *second = disk("ram1");
    CHECK_SYS(mkdir(beside(t), 0755));
    struct text all = {0};
    for (int i = 0; i < 4; i++) {
        const char *limited = numbered(first, "\"rate\":1048576"), *open = numbered(first, "\"rate\":0");
        struct written one = {print("\"blockIO\":{\"%s\":[%s]}", names[i], limited), "io.max", print("%s %s", first, lines[i]), print(AT "blockIO/%s/0", names[i])};
        expect_written(t, &one);
        one = (struct written){print("\"blockIO\":{\"%s\":[%s]}", names[i], open), "io.max", "", one.pointer}; /* v1's word for none */
        expect_written(t, &one);
        text_add(&all, "%s\"%s\":[%s,%s]", i ? "," : "", names[i], numbered(first, print("\"rate\":%d", 1000 + i)), numbered(second, print("\"rate\":%d", i == 2 ? 0 : 2000 + i)));
        expect_refused(t, print("\"blockIO\":{\"%s\":[%s,{\"major\":4095,\"minor\":77,\"rate\":5}]}", names[i], limited), print(AT "blockIO/%s/1", names[i]));
    }
    struct outcome out;
    create(t, &out, print("\"blockIO\":{%s}", all.at));
    CHECK(out.code == 0, "%d %s", out.code, out.err);
    char *got = value_of(folder(t), "io.max");
    CHECK_HAS(got, print("%s rbps=1000 wbps=1001 riops=1002 wiops=1003", first));
    CHECK_HAS(got, print("%s rbps=2000 wbps=2001 riops=max wiops=2003", second));
    delete_all(t);
    CHECK_SYS(rmdir(beside(t)));
}

static struct drive_action without_bfq(void *user, struct call *call) {
    (void)user;
    bool it = call->path && strstr(call->path, "io.bfq.weight");
    return it ? (struct drive_action){DRIVE_FAIL, ENOENT} : (struct drive_action){DRIVE_GO, 0};
}

/* Without it, the weights go to the cost model, as on a kernel without that scheduler. */
static void create_weighted(struct t *t, bool bfq, const char *resources, struct outcome *out) {
    if (bfq) {
        create(t, out, resources);
        return;
    }
    struct bundle b = limited_bundle(t, resources);
    struct drive drive = {.decide = without_bfq};
    drive_ocirt(t, &drive, "create", "-b", b.path, t->tag);
    *out = drive.outcome;
}

static const struct weight {
    unsigned v1, v2;
} weights[] = {{10, 1}, {11, 11}, {100, 910}, {500, 4950}, {1000, 10000}};

static bool weight_is(const char *text, unsigned weight) {
    return text && (starts(print("%s\n", text), print("default %u\n", weight)) || !strcmp(text, print("%u", weight)));
}

static void weights_of(struct t *t, bool bfq) {
    const char *file = bfq ? "io.bfq.weight" : "io.weight";
    if (!value_of(beside(t), file)) {
        printf("# no %s in this kernel\n", file);
        return;
    }
    for (size_t i = 0; i < COUNT(weights); i++) {
        struct outcome out;
        create_weighted(t, bfq, print("\"blockIO\":{\"weight\":%u}", weights[i].v1), &out);
        char *got = value_of(folder(t), file);
        EXPECT(out.code == 0 && weight_is(got, bfq ? weights[i].v1 : weights[i].v2), "%s for %u: %s, %d %s", file, weights[i].v1, got, out.code, out.err);
        delete_all(t);
        outcome_free(&out);
    }
}

static void weight(struct t *t) {
    need_controller("io");
    CHECK_SYS(mkdir(beside(t), 0755));
    struct written none = {"\"blockIO\":{\"weight\":0}", "io.weight", NULL, NULL};
    expect_written(t, &none);
    weights_of(t, true);
    weights_of(t, false);
    CHECK_SYS(rmdir(beside(t)));
    for (int i = 0; i < 2; i++) expect_refused(t, print("\"blockIO\":{\"weight\":%d}", i ? 1001 : 9), AT "blockIO/weight");
}

/* What a device takes depends on its scheduler: the kernel is asked first. */
static void device_weight(struct t *t, bool bfq, const char *number) {
    const char *file = bfq ? "io.bfq.weight" : "io.weight", *line = print("%s %u", number, bfq ? 500u : 4950u);
    struct outcome out;
    bool there = value_of(beside(t), file) != NULL, granted = file_put(print("%s/%s", beside(t), file), line);
    if (!there || !granted) printf("# %s of a device: not %s\n", file, there ? "granted" : "there");
    if (!there) return;
    create_weighted(t, bfq, print("\"blockIO\":{\"weightDevice\":[%s]}", numbered(number, "\"weight\":500")), &out);
    if (!granted) EXPECT(told(&out, AT "blockIO/weightDevice/0"), "%d %s", out.code, out.err);
    else {
        char *got = value_of(folder(t), file);
        EXPECT(out.code == 0 && strstr(print("\n%s\n", got), print("\n%s\n", line)), "%s: %s, %d %s", file, got, out.code, out.err);
    }
    delete_all(t);
    outcome_free(&out);
}

static void device_weights(struct t *t) {
    need_controller("io");
    const char *number = disk("loop0"), *scheduler = "/sys/block/loop0/queue/scheduler", *cost = print("%s/io.cost.qos", cgroup_mount());
    char *before = file_read(scheduler, NULL);
    CHECK_SYS(mkdir(beside(t), 0755));
    (void)file_put(scheduler, "bfq");
    device_weight(t, true, number);
    (void)file_put(scheduler, "none");
    (void)file_put(cost, print("%s enable=1", number));
    device_weight(t, false, number);
    (void)file_put(cost, print("%s enable=0", number));
    char *chosen = before ? strchr(before, '[') : NULL;
    if (chosen) (void)file_put(scheduler, print("%.*s", (int)strcspn(chosen + 1, "]"), chosen + 1));
    CHECK_SYS(rmdir(beside(t)));
}

/* ---- hugepageLimits, rdma, unified ---- */

static void hugepages(struct t *t) {
    static const struct written cases[] = {
        {"\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":4194304}]", "hugetlb.2MB.max", "4194304", AT "hugepageLimits/0"},
        {"\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":4194304}]", "hugetlb.2MB.rsvd.max", "4194304", NULL},
        {"\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":0}]", "hugetlb.2MB.max", "0", AT "hugepageLimits/0"},
        {"\"hugepageLimits\":[]", "hugetlb.2MB.max", NULL, AT "hugepageLimits/0"},
    };
    need_controller("hugetlb");
    CHECK_SYS(mkdir(beside(t), 0755));
    if (!value_of(beside(t), "hugetlb.2MB.max")) {
        rmdir(beside(t));
        SKIP("kernel", "no huge pages of 2 MB");
    }
    for (size_t i = 0; i < COUNT(cases); i++) expect_written(t, &cases[i]);
    CHECK_SYS(rmdir(beside(t)));
    expect_refused(t, "\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":0},{\"pageSize\":\"3MB\",\"limit\":0}]", AT "hugepageLimits/1");
}

/* No machine of ours has such a device, so the controller refuses the name. */
static void rdma(struct t *t) {
    need_controller("rdma");
    expect_refused(t, "\"rdma\":{\"mlx5_9\":{\"hcaHandles\":3,\"hcaObjects\":10000}}", AT "rdma/mlx5_9");
    expect_refused(t, "\"rdma\":{\"mlx5_9\":{}}", AT "rdma/mlx5_9");
}

static void unified(struct t *t) {
    need_controller("memory");
    need_controller("pids");
    static const struct written cases[] = {
        {"\"unified\":{\"memory.high\":\"50331648\"}", "memory.high", "50331648", NULL},
        {"\"unified\":{\"memory.high\":\"48M\"}", "memory.high", "50331648", NULL}, /* what the kernel makes of it */
        {"\"unified\":{\"pids.max\":\"77\"},\"pids\":{\"limit\":11}", "pids.max", "77", NULL},
        {"\"unified\":{\"memory.max\":\"max\"},\"memory\":{\"limit\":67108864}", "memory.max", "max", NULL},
        {"\"unified\":{\"cgroup.max.depth\":\"7\"}", "cgroup.max.depth", "7", NULL},
        {"\"unified\":{\"memory.oom.group\":\"1\\n\"}", "memory.oom.group", "1", NULL},
        {"\"unified\":{}", "memory.high", NULL, NULL},
    };
    static const char *const wrong[][2] = {
        {"memory.max", "nonsense"}, {"memory.nothing", "1"}, {"nothing.max", "1"}, {"memory.current", "1"}, {"cgroup.nothing", "1"},
    };
    all_written(t, "memory", cases, COUNT(cases));
    for (size_t i = 0; i < COUNT(wrong); i++) expect_refused(t, print("\"unified\":{\"%s\":\"%s\"}", wrong[i][0], wrong[i][1]), print(AT "unified/%s", wrong[i][0]));
}

/* Files keyed by device take one line in one write. */
static void unified_lines(struct t *t) {
    struct outcome out;
    need_controller("io");
    const char *first = disk("ram0"), *second = disk("ram1");
    create(t, &out, print("\"unified\":{\"io.max\":\"%s rbps=4096\\n%s wiops=9\\n\"}", first, second));
    CHECK(out.code == 0, "%d %s", out.code, out.err);
    char *got = value_of(folder(t), "io.max");
    CHECK_HAS(got, print("%s rbps=4096 wbps=max riops=max wiops=max", first));
    CHECK_HAS(got, print("%s rbps=max wbps=max riops=max wiops=9", second));
    delete_all(t);
    expect_refused(t, print("\"unified\":{\"io.max\":\"%s rbps=4096\\n4095:77 wiops=9\"}", first), AT "unified/io.max");
}

/* ---- order ---- */

/* A cgroup that is there already and empty is taken; what it had before must not stand in the way. */
static void over_old_limits(struct t *t) {
    static const struct {
        const char *max, *burst, *resources, *new_max, *new_burst;
    } cases[] = {
        {"20000 100000", "20000", "\"cpu\":{\"quota\":10000,\"period\":100000,\"burst\":5000}", "10000 100000", "5000"},
        {"20000 100000", "20000", "\"cpu\":{\"quota\":90000,\"period\":100000,\"burst\":80000}", "90000 100000", "80000"},
        {"90000 100000", "80000", "\"cpu\":{\"quota\":10000,\"period\":20000,\"burst\":0}", "10000 20000", "0"},
    };
    need_controller("cpu");
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct outcome out;
        CHECK_SYS(mkdir(folder(t), 0755));
        bool burst = value_of(folder(t), "cpu.max.burst") != NULL;
        if (burst) {
            CHECK_OK(file_put(print("%s/cpu.max", folder(t)), cases[i].max));
            CHECK_OK(file_put(print("%s/cpu.max.burst", folder(t)), cases[i].burst));
            create(t, &out, cases[i].resources);
            EXPECT(out.code == 0, "%s over %s, %s: %s", cases[i].resources, cases[i].max, cases[i].burst, out.err);
            if (out.code == 0) {
                CHECK_TEXT(value_of(folder(t), "cpu.max"), cases[i].new_max);
                CHECK_TEXT(value_of(folder(t), "cpu.max.burst"), cases[i].new_burst);
            }
            delete_all(t);
        }
        rmdir(folder(t)); /* it was not ours to remove for ocirt */
        if (!burst) SKIP("kernel", "no cpu.max.burst");
    }
}

/* ---- what they do ---- */

static void inside(struct t *t) {
    need_controller("memory");
    need_controller("pids");
    need_controller("cpu");
    struct outcome *out = ran_well(t, &(struct config){
        .args = "payload-cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory.low /sys/fs/cgroup/pids.max /sys/fs/cgroup/cpu.max /sys/fs/cgroup/cpu.weight",
        .mounts = "{\"destination\":\"/sys\",\"type\":\"tmpfs\"},{\"destination\":\"/sys/fs/cgroup\",\"type\":\"cgroup\",\"options\":[\"ro\"]}",
        .namespaces = "pid mount ipc uts cgroup",
        .linux_ = in_own(t, "\"memory\":{\"limit\":67108864,\"reservation\":8388608},\"pids\":{\"limit\":21},\"cpu\":{\"shares\":2048,\"quota\":30000,\"period\":60000}")});
    CHECK_TEXT(out->out, "67108864\n8388608\n21\n30000 60000\n174\n");
}

static void memory_ends(struct t *t) {
    need_controller("memory");
    struct outcome *out = ran(t, &(struct config){.args = "payload-eat 48", .linux_ = in_own(t, "\"memory\":{\"limit\":16777216,\"swap\":16777216}")});
    CHECK(out->code == 128 + SIGKILL, "%d %s%s", out->code, out->out, out->err);
    outcome_free(out);
    ran_well(t, &(struct config){.args = "payload-eat 48", .linux_ = in_own(t, "\"memory\":{\"limit\":100663296}")});
}

/* ---- refusals that need no cgroup ---- */

static void absent_controllers(struct t *t) {
    static const char *const cases[][3] = {
        {"memory", "\"memory\":{\"limit\":67108864}", "memory/limit"},
        {"cpu", "\"cpu\":{\"shares\":512}", "cpu/shares"},
        {"cpuset", "\"cpu\":{\"cpus\":\"0\"}", "cpu/cpus"},
        {"pids", "\"pids\":{\"limit\":20}", "pids/limit"},
        {"io", "\"blockIO\":{\"weight\":500}", "blockIO/weight"},
        {"io", "\"blockIO\":{\"throttleReadBpsDevice\":[{\"major\":1,\"minor\":0,\"rate\":5}]}", "blockIO/throttleReadBpsDevice/0"},
        {"hugetlb", "\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":0}]", "hugepageLimits/0"},
        {"rdma", "\"rdma\":{\"mlx5_9\":{\"hcaHandles\":3}}", "rdma/mlx5_9"},
        {"nothing", "\"unified\":{\"nothing.max\":\"1\"}", "unified/nothing.max"},
    };
    if (!cgroup_mount()) SKIP("cgroup", "no cgroup2 mount");
    char *have = value_of(cgroup_mount(), "cgroup.controllers");
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (has_word(have, cases[i][0])) continue;
        expect_refused(t, cases[i][1], print(AT "%s", cases[i][2]));
        refused(t, &(struct config){.linux_ = in_own(t, cases[i][1])}, 125, cases[i][0]);
        refused(t, &(struct config){.linux_ = in_own(t, cases[i][1])}, 125, "hint: ");
    }
}

static void of_v1_only(struct t *t) {
    static const char *const cases[][2] = {
        {"\"memory\":{\"kernel\":1000000}", "memory/kernel"},
        {"\"memory\":{\"kernelTCP\":1000000}", "memory/kernelTCP"},
        {"\"memory\":{\"swappiness\":0}", "memory/swappiness"},
        {"\"memory\":{\"swappiness\":60}", "memory/swappiness"},
        {"\"memory\":{\"disableOOMKiller\":true}", "memory/disableOOMKiller"},
        {"\"cpu\":{\"realtimeRuntime\":950000}", "cpu/realtimeRuntime"},
        {"\"cpu\":{\"realtimePeriod\":1000000}", "cpu/realtimePeriod"},
        {"\"blockIO\":{\"leafWeight\":500}", "blockIO/leafWeight"},
        {"\"blockIO\":{\"weightDevice\":[{\"major\":1,\"minor\":0,\"leafWeight\":500}]}", "blockIO/weightDevice/0"},
        {"\"network\":{\"classID\":1048577}", "network/classID"},
        {"\"network\":{\"priorities\":[{\"name\":\"lo\",\"priority\":5}]}", "network/priorities"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        refused(t, &(struct config){.linux_ = print("\"resources\":{%s}", cases[i][0])}, 125, print(AT "%s", cases[i][1]));
        refused(t, &(struct config){.linux_ = print("\"resources\":{%s}", cases[i][0])}, 125, "v2");
    }
}

/* They ask for nothing, so they need nothing. */
static void of_nothing(struct t *t) {
    static const char *const cases[] = {
        "", "\"memory\":{},\"cpu\":{},\"pids\":{},\"blockIO\":{},\"network\":{}", "\"memory\":{\"useHierarchy\":true,\"disableOOMKiller\":false}",
        "\"memory\":{\"limit\":0,\"reservation\":0}", "\"cpu\":{\"shares\":0,\"quota\":0,\"period\":0,\"cpus\":\"\",\"mems\":\"\"}",
        "\"cpu\":{\"realtimeRuntime\":0,\"realtimePeriod\":0}", "\"blockIO\":{\"weight\":0,\"leafWeight\":0,\"weightDevice\":[],\"throttleReadBpsDevice\":[]}",
        "\"hugepageLimits\":[],\"rdma\":{},\"unified\":{}", "\"network\":{\"priorities\":[]}", "\"unknown\":{\"a\":[1]}",
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct outcome *out = ran(t, &(struct config){.args = "payload-exit 7", .linux_ = print("\"resources\":{%s}", cases[i])});
        EXPECT(out->code == 7, "%s: %d %s", cases[i], out->code, out->err);
        outcome_free(out);
    }
}

/* Wrong types and ranges, each with its pointer, and with line and column of the value. */
static void of_wrong_values(struct t *t) {
    static const char *const cases[][3] = { /* before the value, the value, its pointer; what is open is closed after it */
        {"{\"memory\":", "7", "memory"}, {"{\"memory\":{\"limit\":", "\"64m\"", "memory/limit"}, {"{\"memory\":{\"limit\":", "1.5", "memory/limit"},
        {"{\"memory\":{\"limit\":", "-2", "memory/limit"}, {"{\"memory\":{\"limit\":", "9223372036854775808", "memory/limit"},
        {"{\"memory\":{\"reservation\":", "-2", "memory/reservation"}, {"{\"memory\":{\"limit\":5,\"swap\":", "-2", "memory/swap"},
        {"{\"memory\":{\"swappiness\":", "101", "memory/swappiness"}, {"{\"memory\":{\"disableOOMKiller\":", "1", "memory/disableOOMKiller"},
        {"{\"cpu\":{\"shares\":", "-1", "cpu/shares"}, {"{\"cpu\":{\"period\":", "18446744073709551616", "cpu/period"},
        {"{\"cpu\":{\"quota\":", "true", "cpu/quota"}, {"{\"cpu\":{\"idle\":", "2", "cpu/idle"}, {"{\"cpu\":{\"cpus\":", "0", "cpu/cpus"},
        {"{\"pids\":{\"limit\":", "\"max\"", "pids/limit"}, {"{\"blockIO\":{\"weight\":", "1001", "blockIO/weight"}, {"{\"blockIO\":{\"weight\":", "9", "blockIO/weight"},
        {"{\"blockIO\":{\"throttleReadBpsDevice\":", "{}", "blockIO/throttleReadBpsDevice"},
        {"{\"blockIO\":{\"throttleReadIOPSDevice\":[{\"major\":1,\"minor\":0,\"rate\":", "-1", "blockIO/throttleReadIOPSDevice/0/rate"},
        {"{\"blockIO\":{\"weightDevice\":[{\"major\":1,\"minor\":0,\"weight\":", "1001", "blockIO/weightDevice/0/weight"},
        {"{\"blockIO\":{\"weightDevice\":[", "{\"major\":1,\"minor\":0}", "blockIO/weightDevice/0"},
        {"{\"blockIO\":{\"weightDevice\":[", "{\"minor\":0,\"weight\":10}", "blockIO/weightDevice/0"},
        {"{\"hugepageLimits\":[{\"limit\":5,\"pageSize\":", "\"02MB\"", "hugepageLimits/0/pageSize"}, {"{\"hugepageLimits\":[{\"limit\":5,\"pageSize\":", "\"2mb\"", "hugepageLimits/0/pageSize"},
        {"{\"hugepageLimits\":[{\"limit\":5,\"pageSize\":", "\"../2MB\"", "hugepageLimits/0/pageSize"}, {"{\"hugepageLimits\":[", "{\"pageSize\":\"2MB\"}", "hugepageLimits/0"},
        {"{\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":", "-1", "hugepageLimits/0/limit"},
        {"{\"rdma\":{\"mlx5_1\":{\"hcaHandles\":", "4294967296", "rdma/mlx5_1/hcaHandles"}, {"{\"rdma\":{\"mlx5_1\":", "{}", "rdma/mlx5_1"},
        {"{\"network\":{\"classID\":", "4294967296", "network/classID"}, {"{\"unified\":{\"memory.max\":", "5", "unified/memory.max"},
        {"{\"unified\":{\"../pids.max\":", "\"5\"", "unified/..~1pids.max"}, {"{\"unified\":{\"a/pids.max\":", "\"5\"", "unified/a~1pids.max"},
        {"{\"unified\":{\"\":", "\"5\"", "unified/"}, {"{\"unified\":{\"nodot\":", "\"5\"", "unified/nodot"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct text closing = {0};
        text_add(&closing, "%s", "");
        for (const char *at = cases[i][0] + strlen(cases[i][0]); at-- > cases[i][0];)
            if (*at == '{' || *at == '[') text_add(&closing, "%c", *at == '{' ? '}' : ']');
        struct config config = {.linux_ = print("\"resources\":%s\n   %s%s", cases[i][0], cases[i][1], closing.at)};
        refused(t, &config, 125, print("config.json:2:4 " AT "%s\n", cases[i][2]));
    }
}

/* ---- F31: the edges of integer types ---- */

static const char *const edges[] = {"-1", "0", "1", "2147483647", "2147483649", "4294967295", "4294967297", "9007199254740991", "9007199254740993",
                                    "9223372036854775807", "18446744073709551615"};

static bool is(const char *value, const char *this) { return !strcmp(value, this); }
static bool is_unsigned_only(const char *value) { return is(value, "18446744073709551615"); }

/* What each value means, said a second time: what is written, "" for nothing, NULL for a refusal that needs no kernel. */
static const char *as_limit(const char *v) { return is_unsigned_only(v) ? NULL : is(v, "-1") ? "max" : is(v, "0") ? "" : v; }
static const char *as_shares(const char *v) { return is(v, "-1") ? NULL : is(v, "0") ? "" : is(v, "1") ? "1" : "10000"; }
static const char *as_quota(const char *v) { return is_unsigned_only(v) ? NULL : is(v, "-1") ? "max 100000" : is(v, "0") ? "" : print("%s 100000", v); }
static const char *as_period(const char *v) { return is(v, "-1") ? NULL : is(v, "0") ? "" : print("max %s", v); }
static const char *as_bytes(const char *v) { return is(v, "-1") ? NULL : v; }
static const char *as_switch(const char *v) { return is(v, "0") || is(v, "1") ? v : NULL; }
static const char *as_pids(const char *v) { return is_unsigned_only(v) ? NULL : is(v, "-1") ? "max" : v; }
static const char *as_weight(const char *v) { return is(v, "0") ? "" : NULL; }
static const char *as_rate(const char *v) { return is(v, "-1") ? NULL : is(v, "0") ? "" : print("1:0 rbps=%s", v); }
static const char *as_v1(const char *v) { return is(v, "0") || is(v, "-1") ? "" : NULL; } /* none, or no limit */

static const struct edge {
    const char *resources; /* # is the value */
    const char *controller, *file, *pointer;
    const char *(*means)(const char *value);
    const char *first[2]; /* a file that has to have another value before */
} edge_rows[] = {
    {"\"memory\":{\"limit\":#}", "memory", "memory.max", AT "memory/limit", as_limit, {0}},
    {"\"memory\":{\"reservation\":#}", "memory", "memory.low", AT "memory/reservation", as_limit, {0}},
    {"\"memory\":{\"limit\":-1,\"swap\":#}", "memory", "memory.swap.max", AT "memory/swap", as_limit, {"memory.swap.max", "max"}},
    {"\"memory\":{\"kernel\":#}", "memory", "memory.max", AT "memory/kernel", as_v1, {0}},
    {"\"cpu\":{\"shares\":#}", "cpu", "cpu.weight", AT "cpu/shares", as_shares, {0}},
    {"\"cpu\":{\"quota\":#}", "cpu", "cpu.max", AT "cpu/quota", as_quota, {0}},
    {"\"cpu\":{\"period\":#}", "cpu", "cpu.max", AT "cpu/period", as_period, {0}},
    {"\"cpu\":{\"quota\":50000,\"burst\":#}", "cpu", "cpu.max.burst", AT "cpu/burst", as_bytes, {"cpu.max", "50000 100000"}},
    {"\"cpu\":{\"idle\":#}", "cpu", "cpu.idle", AT "cpu/idle", as_switch, {0}},
    {"\"pids\":{\"limit\":#}", "pids", "pids.max", AT "pids/limit", as_pids, {0}},
    {"\"blockIO\":{\"weight\":#}", "io", "io.weight", AT "blockIO/weight", as_weight, {0}},
    {"\"blockIO\":{\"throttleReadBpsDevice\":[{\"major\":1,\"minor\":0,\"rate\":#}]}", "io", "io.max", AT "blockIO/throttleReadBpsDevice/0", as_rate, {0}},
    {"\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":#}]", "hugetlb", "hugetlb.2MB.max", AT "hugepageLimits/0", as_bytes, {0}},
};

static char *filled(const char *pattern, const char *value) {
    struct text text = {0};
    for (; *pattern; pattern++) text_add(&text, *pattern == '#' ? "%s" : "%.1s", *pattern == '#' ? value : pattern);
    return text.at;
}

static void edges_refused(struct t *t) {
    for (size_t i = 0; i < COUNT(edge_rows); i++)
        for (size_t k = 0; k < COUNT(edges); k++)
            if (!edge_rows[i].means(edges[k])) refused(t, &(struct config){.linux_ = print("\"resources\":{%s}", filled(edge_rows[i].resources, edges[k]))}, 125, edge_rows[i].pointer);
}

/* The kernel is asked first, in a cgroup beside: what it refuses there is refused, what it makes of it is what the container has. */
static void edge(struct t *t, const struct edge *e, const char *value) {
    const char *text = e->means(value);
    if (!text || (is(e->file, "memory.max") && is(value, "1"))) return; /* nothing runs in no memory */
    CHECK_SYS(mkdir(beside(t), 0755));
    if (e->first[0]) CHECK_OK(file_put(print("%s/%s", beside(t), e->first[0]), e->first[1]));
    bool granted = !*text || file_put(print("%s/%s", beside(t), e->file), text);
    char *want = value_of(beside(t), e->file), *resources = filled(e->resources, value);
    CHECK_SYS(rmdir(beside(t)));
    if (granted) {
        struct written w = {resources, e->file, want, e->pointer};
        CHECK_SYS(mkdir(beside(t), 0755));
        expect_written(t, &w);
        CHECK_SYS(rmdir(beside(t)));
    } else
        expect_refused(t, resources, e->pointer);
}

static void edges_of(struct t *t, const char *controller) {
    need_controller(controller);
    if (is(controller, "io")) disk("ram0");
    for (size_t i = 0; i < COUNT(edge_rows); i++) {
        const struct edge *e = &edge_rows[i];
        if (!is(e->controller, controller)) continue;
        CHECK_SYS(mkdir(beside(t), 0755));
        bool there = value_of(beside(t), e->file) != NULL;
        CHECK_SYS(rmdir(beside(t)));
        if (!there) printf("# no %s in this kernel\n", e->file);
        for (size_t k = 0; there && k < COUNT(edges); k++) edge(t, e, edges[k]);
    }
}

static void edges_of_memory(struct t *t) { edges_of(t, "memory"); }
static void edges_of_cpu(struct t *t) { edges_of(t, "cpu"); }
static void edges_of_pids(struct t *t) { edges_of(t, "pids"); }
static void edges_of_io(struct t *t) { edges_of(t, "io"); }
static void edges_of_hugepages(struct t *t) { edges_of(t, "hugetlb"); }

/* The same of the process: what the program has of it. */
static const char *as_id(const char *v) { return is(v, "-1") || strlen(v) > 10 || strtoull(v, NULL, 10) > 4294967294 ? NULL : v; }
static const char *as_four(const char *v) { return as_id(v) ? print("%s %s %s %s", v, v, v, v) : NULL; }
static const char *as_rlimit(const char *v) { return is(v, "-1") ? NULL : is_unsigned_only(v) ? "unlimited unlimited" : print("%s %s", v, v); }
static const char *as_score(const char *v) { return strlen(v) <= 2 ? v : NULL; }
static const char *as_mask(const char *v) { return as_switch(v) ? print("000%s", v) : NULL; }

static void edges_of_process(struct t *t) {
    static const struct {
        const char *process, *pointer, *key;
        const char *(*means)(const char *value);
    } rows[] = {
        {"\"user\":{\"uid\":#,\"gid\":0}", "/process/user/uid", "uid", as_four},
        {"\"user\":{\"uid\":0,\"gid\":#}", "/process/user/gid", "gid", as_four},
        {"\"user\":{\"uid\":0,\"gid\":0,\"additionalGids\":[#]}", "/process/user/additionalGids/0", "groups", as_id},
        {"\"user\":{\"uid\":0,\"gid\":0,\"umask\":#}", "/process/user/umask", "umask", as_mask},
        {"\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"soft\":#,\"hard\":#}]", "/process/rlimits/0/soft", "rlimit.core", as_rlimit},
        {"\"oomScoreAdj\":#", "/process/oomScoreAdj", "oom_score_adj", as_score},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        for (size_t k = 0; k < COUNT(edges); k++) {
            struct config config = {.process = filled(rows[i].process, edges[k])};
            const char *want = rows[i].means(edges[k]);
            if (!want) {
                refused(t, &config, 125, rows[i].pointer);
                continue;
            }
            if (is(rows[i].key, "oom_score_adj") && !file_put("/proc/self/oom_score_adj", want)) continue; /* nor may we */
            struct outcome *out = ran(t, &config);
            const char *got = report_get(out, rows[i].key);
            EXPECT(out->code == 0 && got && !strcmp(got, want), "%s: %s is %s, not %s; %d %s", config.process, rows[i].key, got, want, out->code, out->err);
            outcome_free(out);
        }
}

/* F59: lists of processors and nodes go to the kernel as they are. What it takes, it takes; what not, is told. */
static void lists_of_cpus(struct t *t) {
    static const char *const lists[] = {"0-4096", "3-1", " 0", "0 ", "0,0", "0-0", "0,", ",0", "0-0:1/2", "0x0", "1023", "99999999999999999999", "-1", "0--0", "all", "0\n", "0,\n0", "\t"};
    need_controller("cpuset");
    for (size_t i = 0; i < COUNT(lists); i++)
        for (int mems = 0; mems < 2; mems++) {
            const char *file = mems ? "cpuset.mems" : "cpuset.cpus", *pointer = mems ? AT "cpu/mems" : AT "cpu/cpus";
            struct text quoted = {0};
            struct outcome out;
            text_add_json(&quoted, lists[i]);
            CHECK_SYS(mkdir(beside(t), 0755));
            bool granted = file_put(print("%s/%s", beside(t), file), lists[i]);
            char *want = value_of(beside(t), file), *got;
            CHECK_SYS(rmdir(beside(t)));
            create(t, &out, print("\"cpu\":{\"%s\":%s}", mems ? "mems" : "cpus", quoted.at));
            got = value_of(folder(t), file);
            bool same = out.code == 0 && granted && got && want && !strcmp(got, want);
            EXPECT(same || told(&out, pointer), "%s %s: %s, the kernel says %s; %d %s", file, quoted.at, got, granted ? want : "no", out.code, out.err);
            EXPECT(same || out.code || !granted, "%s %s", file, quoted.at);
            delete_all(t);
            outcome_free(&out);
        }
}

const struct test run_limits_tests[] = {
    {"limits.memory", memory, TEST_ROOT, 0},
    {"limits.cpu", cpu, TEST_ROOT, 0},
    {"limits.cpuset", cpuset, TEST_ROOT, 0},
    {"limits.pids", pids, TEST_ROOT, 0},
    {"limits.no_more_pids", no_more_pids, TEST_ROOT, 0},
    {"limits.throttles", throttles, TEST_ROOT, 0},
    {"limits.weight", weight, TEST_ROOT, 0},
    {"limits.device_weights", device_weights, TEST_ROOT | TEST_ALONE, 0},
    {"limits.hugepages", hugepages, TEST_ROOT, 0},
    {"limits.rdma", rdma, TEST_ROOT, 0},
    {"limits.unified", unified, TEST_ROOT, 0},
    {"limits.unified_lines", unified_lines, TEST_ROOT, 0},
    {"limits.over_old_limits", over_old_limits, TEST_ROOT, 0},
    {"limits.inside", inside, TEST_ROOT, 0},
    {"limits.memory_ends", memory_ends, TEST_ROOT, 0},
    {"limits.absent_controllers", absent_controllers, TEST_ROOT, 0},
    {"limits.of_v1_only", of_v1_only, 0, 0},
    {"limits.of_nothing", of_nothing, 0, 0},
    {"limits.of_wrong_values", of_wrong_values, 0, 0},
    {"limits.edges_refused", edges_refused, 0, 0},
    {"limits.edges_of_memory", edges_of_memory, TEST_ROOT, 30},
    {"limits.edges_of_cpu", edges_of_cpu, TEST_ROOT, 30},
    {"limits.edges_of_pids", edges_of_pids, TEST_ROOT, 0},
    {"limits.edges_of_io", edges_of_io, TEST_ROOT, 0},
    {"limits.edges_of_hugepages", edges_of_hugepages, TEST_ROOT, 0},
    {"limits.edges_of_process", edges_of_process, TEST_ROOT, 30},
    {"limits.lists_of_cpus", lists_of_cpus, TEST_ROOT, 30},
    {0},
};
