/* run_resources.c: linux.resources as the container sees it, of root and of an ordinary user; what limits do to births;
 * and each of them under `update`. (What create writes, and refuses: run_limits.c.) */
#include "runs.h"
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define CGROUP_MOUNT "{\"destination\":\"/sys\",\"type\":\"tmpfs\"},{\"destination\":\"/sys/fs/cgroup\",\"type\":\"cgroup\",\"options\":[\"ro\"]}"
static const struct config waiting = {.args = "payload-trap 10"};

static char *resources(const char *members) { return print("\"resources\":{%s}", members); }

/* ---- refused with their place, on any machine ---- */

/* The config with these resources. The value that is at fault stands behind a "@". */
static char *marked_config(const char *members, char **place, const char *pointer) {
    char *text = config_text(&(struct config){.linux_ = print("\n \"resources\":{\n  %s}", members)}), *mark = strchr(text, '@');
    unsigned line = 1, column = 1;
    CHECK(mark != NULL, "no mark in %s", members);
    for (const char *at = text; at < mark; at++) *at == '\n' ? (void)(line++, column = 1) : (void)column++;
    memmove(mark, mark + 1, strlen(mark));
    *place = print("config.json:%u:%u %s\n", line, column, pointer);
    return text;
}

static void check_refusal(struct t *t, const char *members, const char *pointer, const char *word) {
    struct bundle b;
    struct outcome out;
    char *place, *text = marked_config(members, &place, print("/linux/resources/%s", pointer));
    root_make(t, &b);
    bundle_write(&b, "%s", text);
    for (int without = 0; without < 2; without++) { /* with cgroups switched off it is as wrong */
        run_ocirt(t, &out, "--cgroup-manager", without ? "disabled" : "cgroupfs", "run", "-b", b.path, t->tag);
        EXPECT(out.code == 125 && !out.out_n && good_text(out.err), "%s%s: %d %s%s", members, without ? " without cgroups" : "", out.code, out.out, out.err);
        EXPECT(strstr(out.err, place) && strstr(out.err, word), "%s: not \"%s\" at %s but: %s", members, word, place, out.err);
        outcome_free(&out);
    }
}

static void v1_only(struct t *t) {
    static const struct {
        const char *members, *pointer;
    } cases[] = {
        {"\"memory\":{\"kernel\":@1048576}", "memory/kernel"},
        {"\"memory\":{\"limit\":33554432,\"kernel\":@1048576}", "memory/kernel"},
        {"\"memory\":{\"kernelTCP\":@1048576}", "memory/kernelTCP"},
        {"\"memory\":{\"swappiness\":@60}", "memory/swappiness"},
        {"\"memory\":{\"swappiness\":@0,\"limit\":33554432}", "memory/swappiness"},
        {"\"memory\":{\"disableOOMKiller\":@true}", "memory/disableOOMKiller"},
        {"\"cpu\":{\"realtimeRuntime\":@95000}", "cpu/realtimeRuntime"},
        {"\"cpu\":{\"realtimePeriod\":@100000}", "cpu/realtimePeriod"},
        {"\"blockIO\":{\"leafWeight\":@100}", "blockIO/leafWeight"},
        {"\"blockIO\":{\"weightDevice\":[{\"major\":8,\"minor\":0,\"weight\":10},{\"major\":8,\"minor\":16,\"leafWeight\":@10}]}", "blockIO/weightDevice/1/leafWeight"},
        {"\"network\":{\"classID\":@1048577}", "network/classID"},
        {"\"network\":{\"priorities\":@[{\"name\":\"eth0\",\"priority\":5}]}", "network/priorities"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) check_refusal(t, cases[i].members, cases[i].pointer, "exists in cgroup v1 only");
}

/* A limit that is asked for is never left out in silence. */
static void without_cgroups(struct t *t) {
    static const char *const cases[] = {
        "\"pids\":{\"limit\":5}", "\"memory\":{\"limit\":33554432}", "\"cpu\":{\"cpus\":\"0\"}", "\"blockIO\":{\"weight\":500}",
        "\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":0}]", "\"rdma\":{\"mlx5_0\":{\"hcaHandles\":1}}", "\"unified\":{\"memory.high\":\"max\"}"};
    struct bundle b;
    struct outcome out;
    root_make(t, &b);
    for (size_t i = 0; i < COUNT(cases); i++) {
        bundle_config(&b, &(struct config){.linux_ = resources(cases[i])});
        run_ocirt(t, &out, "--cgroup-manager", "disabled", "run", "-b", b.path, t->tag);
        EXPECT(out.code == 125 && strstr(out.err, "cgroups are switched off") && strstr(out.err, "/linux/resources"), "%s: %d %s", cases[i], out.code, out.err);
        outcome_free(&out);
    }
}

/* ---- what the kernel has, seen from inside ---- */

struct row {
    const char *members; /* of resources */
    const char *files;   /* "FILE=VALUE;FILE=VALUE": what the container reads */
    const char *pointer; /* of what some kernels have no file for; NULL: all have */
};

static struct outcome *ran_reading(struct t *t, const char *members, const char *args) {
    return ran(t, &(struct config){.args = args, .mounts = CGROUP_MOUNT, .linux_ = resources(members),
                                   .namespaces = geteuid() ? DEFAULT_NAMESPACES " cgroup user" : DEFAULT_NAMESPACES " cgroup"});
}

/* "payload-cat PATH...", and the text that it prints when the files are as they should be. */
static char *reader_of(const char *files, struct text *want) {
    struct text args = {0};
    text_add(&args, "payload-cat");
    for (char *file = strtok(print("%s", files), ";"); file; file = strtok(NULL, ";")) {
        char *value = strchr(file, '=');
        *value++ = 0;
        text_add(&args, " /sys/fs/cgroup/%s", file);
        text_add(want, "%s\n", value);
    }
    return args.at;
}

static void check_rows(struct t *t, const char *controller, const struct row *rows, size_t count) {
    size_t lacking = 0;
    need_controller(controller);
    for (size_t i = 0; i < count; i++) {
        struct text want = {0};
        struct outcome *out = ran_reading(t, rows[i].members, reader_of(rows[i].files, &want));
        if (rows[i].pointer && out->code == 125 && strstr(out->err, "no such file")) { /* told, with place and reason */
            EXPECT(strstr(out->err, print(" /linux/resources/%s\n", rows[i].pointer)) && strstr(out->err, "hint: "), "%s: %s", rows[i].members, out->err);
            lacking++;
            continue;
        }
        EXPECT(out->code == 0 && !strcmp(out->out, want.at), "%s: code %d, not\n%s but\n%s%s", rows[i].members, out->code, want.at, out->out, out->err);
    }
    CHECK(lacking < count, "%s", "nothing of it is in this kernel");
}

static void memory(struct t *t) {
    static const struct row rows[] = {
        {"\"memory\":{\"limit\":67108864}", "memory.max=67108864;memory.swap.max=max;memory.low=0", NULL},
        {"\"memory\":{\"limit\":67108864,\"swap\":134217728}", "memory.max=67108864;memory.swap.max=67108864", NULL},
        {"\"memory\":{\"limit\":67108864,\"swap\":67108864}", "memory.max=67108864;memory.swap.max=0", NULL},
        {"\"memory\":{\"limit\":67108864,\"swap\":-1}", "memory.max=67108864;memory.swap.max=max", NULL},
        {"\"memory\":{\"limit\":67108864,\"swap\":0}", "memory.max=67108864;memory.swap.max=max", NULL},
        {"\"memory\":{\"limit\":-1}", "memory.max=max;memory.swap.max=max", NULL},
        {"\"memory\":{\"limit\":-1,\"swap\":33554432}", "memory.max=max;memory.swap.max=33554432", NULL},
        {"\"memory\":{\"limit\":4294967296,\"swap\":12884901888}", "memory.max=4294967296;memory.swap.max=8589934592", NULL}, /* 32 bits are too few */
        {"\"memory\":{\"limit\":67108864,\"reservation\":16777216}", "memory.max=67108864;memory.low=16777216", NULL},
        {"\"memory\":{\"reservation\":-1}", "memory.max=max;memory.low=max", NULL},
        {"\"memory\":{\"limit\":67108864},\"unified\":{\"memory.high\":\"50331648\",\"memory.max\":\"100663296\",\"cgroup.max.depth\":\"3\"}",
         "memory.high=50331648;memory.max=100663296;cgroup.max.depth=3", NULL}, /* unified is last */
    };
    check_rows(t, "memory", rows, COUNT(rows));
}

static void cpu(struct t *t) {
    static const struct row rows[] = {
        {"\"cpu\":{\"shares\":1024}", "cpu.weight=100;cpu.max=max 100000", NULL},
        {"\"cpu\":{\"shares\":2}", "cpu.weight=1", NULL},
        {"\"cpu\":{\"shares\":512}", "cpu.weight=59", NULL},
        {"\"cpu\":{\"shares\":4096}", "cpu.weight=303", NULL},
        {"\"cpu\":{\"shares\":262144}", "cpu.weight=10000", NULL},
        {"\"cpu\":{\"quota\":50000,\"period\":20000}", "cpu.max=50000 20000", NULL},
        {"\"cpu\":{\"quota\":150000}", "cpu.max=150000 100000", NULL},
        {"\"cpu\":{\"period\":50000}", "cpu.max=max 50000", NULL},
        {"\"cpu\":{\"quota\":-1,\"period\":50000}", "cpu.max=max 50000", NULL},
        {"\"cpu\":{\"quota\":50000,\"burst\":50000}", "cpu.max=50000 100000;cpu.max.burst=50000", "cpu/burst"},
        {"\"cpu\":{\"quota\":50000,\"burst\":0}", "cpu.max=50000 100000;cpu.max.burst=0", "cpu/burst"},
        {"\"cpu\":{\"idle\":1}", "cpu.idle=1", "cpu/idle"},
        {"\"cpu\":{\"shares\":2048,\"idle\":1}", "cpu.idle=1", "cpu/idle"}, /* the kernel takes no weight then */
        {"\"cpu\":{\"shares\":2048,\"idle\":0}", "cpu.idle=0;cpu.weight=174", "cpu/idle"},
        {"\"cpu\":{\"shares\":2048,\"quota\":50000},\"unified\":{\"cpu.weight\":\"77\",\"cpu.max\":\"20000 40000\"}", "cpu.weight=77;cpu.max=20000 40000", NULL},
        {"\"unified\":{\"cpu.max\":\"30000 60000\\nmax\"}", "cpu.max=max 60000", NULL}, /* one line in one write */
    };
    check_rows(t, "cpu", rows, COUNT(rows));
}

static void pids(struct t *t) {
    static const struct row rows[] = {
        {"\"pids\":{\"limit\":20}", "pids.max=20", NULL}, {"\"pids\":{\"limit\":1}", "pids.max=1", NULL},
        {"\"pids\":{\"limit\":0}", "pids.max=0", NULL}, {"\"pids\":{\"limit\":-1}", "pids.max=max", NULL},
        {"\"pids\":{\"limit\":20},\"unified\":{\"pids.max\":\"33\"}", "pids.max=33", NULL}};
    check_rows(t, "pids", rows, COUNT(rows));
}

/* However the container is born, the limit counts what is in it, and not what brought it there. */
static void pids_few(struct t *t) {
    const struct {
        const char *namespaces, *linux_, *top;
    } ways[] = {
        {NULL, NULL, NULL},
        {"mount ipc uts", NULL, NULL},
        {DEFAULT_NAMESPACES " user", NULL, NULL},
        {DEFAULT_NAMESPACES " time", ",\"timeOffsets\":{\"boottime\":{\"secs\":5}}", NULL},
        {"[{\"type\":\"pid\"},{\"type\":\"mount\"},{\"type\":\"uts\"},{\"type\":\"network\",\"path\":\"/proc/self/ns/net\"}]", NULL, NULL},
        {NULL, NULL, print("\"hooks\":{\"createRuntime\":[{\"path\":\"%s\",\"args\":[\"payload\",\"payload-exit\",\"0\"]}]}", test_exe())}, /* the runtime's, not the container's */
    };
    need_controller("pids");
    for (size_t i = 0; i < COUNT(ways); i++)
        for (int limit = 0; limit < 3; limit++) {
            if (geteuid() && (i == 1 || i == 4)) continue;
            struct outcome *out = ran(t, &(struct config){.args = "payload-fork-bomb-ish 3", .namespaces = geteuid() && i == 3 ? DEFAULT_NAMESPACES " time user" : ways[i].namespaces,
                .top = ways[i].top, .linux_ = print("\"resources\":{\"pids\":{\"limit\":%d}}%s", limit, ways[i].linux_ ? ways[i].linux_ : "")});
            const char *want = limit < 2 ? "forked 0 EAGAIN\n" : "forked 3\n"; /* 2: each in its turn */
            EXPECT(!strcmp(out->out, want), "way %zu, limit %d: code %d, %s%s", i, limit, out->code, out->out, out->err);
        }
}

/* ---- cpusets ---- */

static const char *report_line(struct outcome *out, const char *key) {
    const char *value = report_get(out, key);
    return value ? value : "";
}

/* In the files, and in what the kernel lets the program use. */
static void cpusets(struct t *t) {
    need_controller("cpuset");
    if (sysconf(_SC_NPROCESSORS_ONLN) < 2) SKIP("kernel", "one processor leaves nothing to choose");
    bool nodes = !access("/sys/devices/system/node/node1", F_OK);
    for (int i = 0; i < 2; i++) {
        const char *members = print("\"cpu\":{\"cpus\":\"%d\",\"mems\":\"%d\"}", i, nodes ? i : 0);
        struct text want = {0};
        struct outcome *out = ran_reading(t, members, reader_of(print("cpuset.cpus=%d;cpuset.cpus.effective=%d;cpuset.mems=%d", i, i, nodes ? i : 0), &want));
        EXPECT(out->code == 0 && !strcmp(out->out, want.at), "%s: %d %s%s", members, out->code, out->out, out->err);
        out = ran_reading(t, members, "payload-report");
        EXPECT(!strcmp(report_line(out, "affinity"), print("%d", i)) && !strcmp(report_line(out, "status.Mems_allowed_list"), print("%d", nodes ? i : 0)),
               "%s: %s, %s", members, report_line(out, "affinity"), report_line(out, "status.Mems_allowed_list"));
    }
    refused(t, &(struct config){.linux_ = resources("\"cpu\":{\"cpus\":\"0-\"}")}, 125, "/linux/resources/cpu/cpus");
    refused(t, &(struct config){.linux_ = resources("\"cpu\":{\"cpus\":\"0\",\"mems\":\"4000\"}")}, 125, "/linux/resources/cpu/mems");
}

/* ---- huge pages ---- */

static void hugepages(struct t *t) {
    static const struct row rows[] = {
        {"\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":4194304}]", "hugetlb.2MB.max=4194304;hugetlb.2MB.rsvd.max=4194304", NULL},
        {"\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":0}]", "hugetlb.2MB.max=0;hugetlb.2MB.rsvd.max=0", NULL},
        {"\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":18446744073709551615}]", "hugetlb.2MB.max=max;hugetlb.2MB.rsvd.max=max", NULL},
        {"\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":0}],\"unified\":{\"hugetlb.2MB.max\":\"2097152\"}", "hugetlb.2MB.max=2097152;hugetlb.2MB.rsvd.max=0", NULL},
    };
    if (access("/sys/kernel/mm/hugepages/hugepages-2048kB", F_OK)) SKIP("kernel", "no pages of 2 MiB here");
    check_rows(t, "hugetlb", rows, COUNT(rows));
    refused(t, &(struct config){.linux_ = resources("\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":0},{\"pageSize\":\"3MB\",\"limit\":0}]")}, 125, "/linux/resources/hugepageLimits/1");
    refused(t, &(struct config){.linux_ = resources("\"hugepageLimits\":[{\"pageSize\":\"3MB\",\"limit\":0}]")}, 125, "no pages of that size");
}

/* The pages that there are, asked for beyond the limit: told at once, and not by a signal at the first touch. */
static void hugepages_used(struct t *t) {
    static const char pool[] = "/proc/sys/vm/nr_hugepages";
    need_controller("hugetlb");
    if (access("/sys/kernel/mm/hugepages/hugepages-2048kB", F_OK)) SKIP("kernel", "no pages of 2 MiB here");
    char *had = file_read(pool, NULL);
    CHECK_OK(had && file_put(pool, print("%d", atoi(had) + 2)));
    if (atoi(file_read(pool, NULL)) != atoi(had) + 2) {
        file_put(pool, had);
        SKIP("kernel", "no two huge pages to be had");
    }
    char *args = print("payload-syscall %d 0 %d 3 0x40022 -1 0", SYS_mmap, 2 << 21);
    struct outcome *below = ran_reading(t, "\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":2097152}]", args);
    struct outcome *fits = ran_reading(t, "\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":4194304}]", args);
    file_put(pool, had);
    EXPECT(strstr(below->out, ": ENOMEM"), "%d %s%s", below->code, below->out, below->err);
    EXPECT(fits->code == 0 && strstr(fits->out, ": ok"), "%d %s%s", fits->code, fits->out, fits->err);
}

/* ---- RDMA: no device in any machine of ours ---- */

static void rdma(struct t *t) {
    need_controller("rdma");
    refused(t, &(struct config){.linux_ = resources("\"rdma\":{\"none0\":{\"hcaHandles\":3,\"hcaObjects\":10}}")}, 125, "rdma.max = none0 hca_handle=3 hca_object=10");
    refused(t, &(struct config){.linux_ = resources("\"rdma\":{\"none0\":{\"hcaObjects\":10}}")}, 125, "/linux/resources/rdma/none0");
    refused(t, &(struct config){.linux_ = resources("\"rdma\":{\"none0\":{\"hcaHandles\":3}}")}, 125, "no such RDMA device");
}

/* ---- block devices ---- */

/* "MAJOR:MINOR" */
static char *device_of(const char *path) {
    struct stat info;
    if (stat(path, &info) || !S_ISBLK(info.st_mode)) SKIP("kernel", "no %s", path);
    return print("%u:%u", major(info.st_rdev), minor(info.st_rdev));
}

static char *device_members(const char *device) { return print("\"major\":%d,\"minor\":%s", atoi(device), strchr(device, ':') + 1); }

/* A list of one throttle. */
static char *throttle(const char *name, const char *device, const char *rate) { return print("\"throttle%sDevice\":[{%s,\"rate\":%s}]", name, device_members(device), rate); }

/* What io.max says of a device, without its name. */
static char *io_max(const struct live *l, const char *device) {
    const char *text = file_read(print("%s/io.max", l->cgroup), NULL), *at = text ? strstr(text, print("%s ", device)) : NULL;
    if (at) at += strlen(device) + 1;
    return at ? print("%.*s", (int)strcspn(at, "\n"), at) : print("%s", "");
}

static void throttles(struct t *t) {
    need_controller("io");
    static const char *const names[] = {"ReadBps", "WriteBps", "ReadIOPS", "WriteIOPS"};
    char *a = device_of("/dev/ram0"), *b = device_of("/dev/ram1");
    struct live l;
    struct outcome out;
    begin_in_cgroup(t, &l, &(struct config){.args = "payload-trap 10", .linux_ = resources(print("\"blockIO\":{%s,%s,%s,%s}", throttle(names[0], a, "1048576"),
        throttle(names[1], b, "18446744073709551614"), throttle(names[2], a, "1000"), throttle(names[3], a, "4294967296")))});
    CHECK_TEXT(io_max(&l, a), "rbps=1048576 wbps=max riops=1000 wiops=max"); /* the kernel has 32 bits for operations: what is more is no limit */
    CHECK_TEXT(io_max(&l, b), "rbps=max wbps=18446744073709551614 riops=max wiops=max");
    for (int i = 0; i < 4; i++) { /* each changes its own number */
        update_with(t, &out, "--resources=-", print("{\"blockIO\":{%s}}", throttle(names[i], b, print("%d", 2000 + i))));
        EXPECT(out.code == 0 && !out.err_n, "%s: %d %s", names[i], out.code, out.err);
    }
    CHECK_TEXT(io_max(&l, b), "rbps=2000 wbps=2001 riops=2002 wiops=2003");
    CHECK_TEXT(io_max(&l, a), "rbps=1048576 wbps=max riops=1000 wiops=max");
    update_with(t, &out, "--resources=-", print("{\"blockIO\":{%s}}", throttle(names[1], b, "0"))); /* as in v1: no limit */
    CHECK(out.code == 0, "%s", out.err);
    CHECK_TEXT(io_max(&l, b), "rbps=2000 wbps=max riops=2002 wiops=2003");
    char *before = limits_of(&l);
    update_with(t, &out, "--resources=-", print("{\"blockIO\":{%s,%s}}", throttle(names[0], a, "5"), throttle(names[1], "99:777", "5")));
    CHECK(out.code == 1 && strstr(out.err, "/blockIO/throttleWriteBpsDevice/0") && strstr(out.err, "no such block device"), "%d %s", out.code, out.err);
    CHECK_TEXT(limits_of(&l), before);
    update_with(t, &out, "--resources=-", print("{\"blockIO\":{%s},\"unified\":{\"io.max\":\"%s rbps=7\\n%s wiops=8\\n99:99 rbps=5\"}}", throttle(names[0], a, "5"), a, b));
    CHECK(out.code == 1 && strstr(out.err, "/unified/io.max") && !strstr(out.err, "put back"), "%d %s", out.code, out.err);
    CHECK_TEXT(limits_of(&l), before);
    update_with(t, &out, "--resources=-", print("{\"blockIO\":{%s},\"unified\":{\"io.max\":\"%s rbps=7777\\n%s wiops=88\\n\"}}", throttle(names[0], a, "5555"), a, b));
    CHECK(out.code == 0, "%d %s", out.code, out.err);
    CHECK_TEXT(io_max(&l, a), "rbps=7777 wbps=max riops=1000 wiops=max");
    CHECK_TEXT(io_max(&l, b), "rbps=2000 wbps=max riops=2002 wiops=88");
    live_end(t, &l);
    refused(t, &(struct config){.linux_ = resources(print("\"blockIO\":{%s}", throttle(names[3], "99:99", "5")))}, 125, "/linux/resources/blockIO/throttleWriteIOPSDevice/0");
}

/* A block device with this scheduler, or with none. */
static const char queue[] = "/sys/block/loop7/queue/scheduler";

static char *scheduler_of(void) {
    char *text = file_read(queue, NULL), *at = text ? strchr(text, '[') : NULL;
    return at ? print("%.*s", (int)strcspn(at + 1, "]"), at + 1) : NULL;
}

struct missing {
    const char *files; /* words between commas: not there for the command */
    unsigned hits;
};

static struct drive_action miss(void *user, struct call *call) {
    struct missing *m = user;
    if (!call->path || !word_in_list(call->path, m->files)) return (struct drive_action){DRIVE_GO, 0};
    m->hits++;
    return (struct drive_action){DRIVE_FAIL, ENOENT};
}

/* `create` where the kernel has not these files: its words; what the files say, if it succeeds. */
static char *created_missing(struct t *t, const char *files, const char *members, const char *read) {
    struct bundle b;
    struct missing missing = {.files = files};
    struct drive drive = {.decide = miss, .user = &missing};
    root_make(t, &b);
    bundle_config(&b, &(struct config){.args = "payload-sleep 100", .linux_ = resources(members)});
    drive_ocirt(t, &drive, "create", "-b", b.path, t->tag);
    CHECK(!*files || missing.hits, "none of %s was opened", files);
    char *text = print("%s", drive.outcome.err);
    if (drive.outcome.code == 0) text = file_read(print("%s/%s", cgroup_of(t, atoi(state_get(t, t->tag, "pid"))), read), NULL);
    delete_all(t);
    return text;
}

static void weights(struct t *t) {
    static const struct {
        int weight, other;
    } cases[] = {{10, 1}, {500, 4950}, {1000, 10000}};
    struct bundle b;
    struct outcome out;
    need_controller("io");
    root_make(t, &b);
    bundle_config(&b, &(struct config){.args = "payload-sleep 100", .linux_ = resources("\"blockIO\":{\"weight\":600}")});
    run_ocirt(t, &out, "create", "-b", b.path, t->tag);
    CHECK(out.code == 0, "%s", out.err);
    char *cgroup = cgroup_of(t, atoi(state_get(t, t->tag, "pid"))), *bfq = print("%s/io.bfq.weight", cgroup);
    bool has_bfq = !access(bfq, F_OK), has_cost = !access(print("%s/io.weight", cgroup), F_OK);
    if (has_bfq) {
        EXPECT(starts(file_read(bfq, NULL), "default 600\n"), "%s", file_read(bfq, NULL));
        quiet(t, "update", "--blkio-weight", "700", t->tag);
        EXPECT(starts(file_read(bfq, NULL), "default 700\n"), "%s", file_read(bfq, NULL));
        update_with(t, &out, "--resources=-", "{\"blockIO\":{\"weight\":20},\"unified\":{\"io.bfq.weight\":\"nonsense\"}}");
        EXPECT(out.code == 1 && strstr(out.err, "/unified/io.bfq.weight") && !strstr(out.err, "put back"), "%d %s", out.code, out.err);
        EXPECT(starts(file_read(bfq, NULL), "default 700\n"), "%s", file_read(bfq, NULL));
    }
    delete_all(t);
    for (size_t i = 0; has_cost && i < COUNT(cases); i++) {
        char *text = created_missing(t, has_bfq ? "io.bfq.weight" : "", print("\"blockIO\":{\"weight\":%d}", cases[i].weight), "io.weight");
        EXPECT(starts(text, print("default %d\n", cases[i].other)), "weight %d: %s", cases[i].weight, text);
    }
    char *text = created_missing(t, "io.bfq.weight,io.weight", "\"blockIO\":{\"weight\":500}", "io.weight");
    EXPECT(strstr(text, "/linux/resources/blockIO/weight\n") && strstr(text, "load the module bfq"), "%s", text);
    if (!has_bfq && !has_cost) SKIP("kernel", "no weights for block devices in this kernel");
}

/* For a device by its scheduler; by the cost model, where that has been switched on for it. */
static void device_weights(struct t *t) {
    need_controller("io");
    char *device = device_of("/dev/loop7"), *had = scheduler_of();
    char *members = print("\"blockIO\":{\"weight\":100,\"weightDevice\":[{%s,\"weight\":250}]}", device_members(device));
    char *cost = print("%s/io.cost.qos", cgroup_mount());
    struct live l;
    struct outcome out;
    if (had && !strcmp(had, "none")) {
        refused(t, &(struct config){.linux_ = resources(members)}, 125, "/linux/resources/blockIO/weightDevice/0\n");
        refused(t, &(struct config){.linux_ = resources(members)}, 125, "/queue/scheduler");
    }
    if (!had || !file_put(queue, "bfq") || strcmp(scheduler_of(), "bfq")) SKIP("kernel", "no bfq for %s: %s", device, had ? file_read(queue, NULL) : "");
    begin_in_cgroup(t, &l, &(struct config){.args = "payload-trap 10", .linux_ = resources(members)});
    char *file = print("%s/io.bfq.weight", l.cgroup), *first = file_read(file, NULL);
    update_with(t, &out, "--resources=-", print("{\"blockIO\":{\"weightDevice\":[{%s,\"weight\":300}]}}", device_members(device)));
    char *second = file_read(file, NULL), *failed, *third;
    update_with(t, &out, "--resources=-", print("{\"blockIO\":{\"weightDevice\":[{%s,\"weight\":310}]},\"pids\":{\"limit\":-1},\"unified\":{\"pids.max\":\"x\"}}", device_members(device)));
    failed = out.err, third = file_read(file, NULL);
    live_end(t, &l);
    file_put(queue, had);
    EXPECT(!strcmp(first, print("default 100\n%s 250\n", device)), "%s", first);
    EXPECT(!strcmp(second, print("default 100\n%s 300\n", device)), "%s", second);
    EXPECT(strstr(failed, "/unified/pids.max") && !strstr(failed, "put back") && !strcmp(third, second), "%s%s", failed, third);
    if (access(cost, F_OK)) return;
    for (int on = 0; on < 2; on++) { /* once on, some kernels keep it for the device */
        if (on && !file_put(cost, print("%s enable=1", device))) return;
        char *text = created_missing(t, "io.bfq.weight", members, "io.weight"), *want = print("default 910\n%s 2425\n", device);
        if (on) file_put(cost, print("%s enable=0", device));
        EXPECT(!strcmp(text, want) || (!on && strstr(text, "/linux/resources/blockIO/weightDevice/0\n")), "%s: %s", on ? "on" : "off", text);
    }
}

/* ---- update ---- */

/* Says what is other than it should be: these files have these values (*: any), and all others those from before. */
static void check_changes(const struct live *l, const char *name, const char *before, const char *files) {
    struct text changed = {0};
    text_add(&changed, "%s", "");
    for (char *file = strtok(print("%s", files), ";"); file; file = strtok(NULL, ";")) {
        char *value = strchr(file, '=');
        *value++ = 0;
        char *have = in_cgroup(l, file);
        EXPECT(have && (!strcmp(value, "*") || !strcmp(have, value)), "%s: %s is %s", name, file, have ? have : "missing");
        text_add(&changed, "%s,", file);
    }
    for (size_t i = 0; limit_files[i]; i++) {
        char *have = file_read(print("%s/%s", l->cgroup, limit_files[i]), NULL);
        if (have && starts(limit_files[i], "cpuset.") && strstr(before, print("%s = \n", limit_files[i])) &&
            !strcmp(have, file_read(print("%s/../%s.effective", l->cgroup, limit_files[i]), NULL))) continue; /* 6.1 lets none be emptied again */
        if (have && !word_in_list(limit_files[i], changed.at)) EXPECT(strstr(before, print("%s = %s", limit_files[i], have)), "%s: %s has changed to %s", name, limit_files[i], have);
    }
}

struct step {
    const char *members; /* of the resources */
    const char *files;   /* that change, and how: "FILE=VALUE;..." */
    const char *refusal; /* a word of the error; NULL: it succeeds */
};

/* One update after the other. What the kernel has no file for is refused and changes nothing. */
static void check_steps(struct t *t, struct live *l, const struct step *steps, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const struct step *s = &steps[i];
        struct outcome out;
        char *before = limits_of(l), *lacks = NULL;
        for (char *file = strtok(print("%s", s->files), ";"); file; file = strtok(NULL, ";")) {
            file[strcspn(file, "=")] = 0;
            if (access(print("%s/%s", l->cgroup, file), F_OK)) lacks = file;
        }
        update_with(t, &out, "--resources=-", print("{%s}", s->members));
        if (s->refusal || lacks) {
            EXPECT(out.code == 1 && good_text(out.err) && strstr(out.err, lacks ? lacks : s->refusal) && !strstr(out.err, "put back"), "%s: %d %s", s->members, out.code, out.err);
            check_changes(l, s->members, before, "");
        } else {
            EXPECT(out.code == 0 && !out.out_n && !out.err_n, "%s: %d %s%s", s->members, out.code, out.out, out.err);
            check_changes(l, s->members, before, s->files);
        }
        outcome_free(&out);
    }
}

static void update_steps(struct t *t, const char *controller, const char *members, const struct step *steps, size_t count) {
    struct live l;
    need_controller(controller);
    begin_in_cgroup(t, &l, &(struct config){.args = "payload-trap 10", .linux_ = resources(members)});
    check_steps(t, &l, steps, count);
    CHECK_TEXT(status_of(t), "running");
    live_end(t, &l);
}

#define WRONG ",\"unified\":{\"cgroup.max.depth\":\"x\"}"
static void update_memory(struct t *t) {
    static const struct step steps[] = {
        {"\"memory\":{\"limit\":33554432,\"swap\":50331648}", "memory.max=33554432;memory.swap.max=16777216", NULL},
        {"\"memory\":{\"limit\":268435456,\"swap\":805306368}", "memory.max=268435456;memory.swap.max=536870912", NULL},
        {"\"memory\":{\"swap\":402653184}", "memory.swap.max=134217728", NULL}, /* it is of both: what is above the limit in force */
        {"\"memory\":{\"swap\":268435456}", "memory.swap.max=0", NULL},
        {"\"memory\":{\"swap\":268435455}", "", "/memory/swap"},
        {"\"memory\":{\"swap\":-1}", "memory.swap.max=max", NULL},
        {"\"memory\":{\"limit\":134217728}", "memory.max=134217728", NULL},
        {"\"memory\":{\"limit\":134217728,\"swap\":100}", "", "/memory/swap"},
        {"\"memory\":{\"reservation\":67108864}", "memory.low=67108864", NULL},
        {"\"memory\":{\"reservation\":4096}", "memory.low=4096", NULL},
        {"\"memory\":{\"reservation\":-1}", "memory.low=max", NULL},
        {"\"memory\":{\"limit\":33554432,\"swap\":67108864,\"reservation\":8192}" WRONG, "", "/unified/cgroup.max.depth"},
        {"\"memory\":{\"limit\":-1}", "memory.max=max;memory.swap.max=max", NULL},
        {"\"memory\":{\"swap\":134217728}", "memory.swap.max=134217728", NULL}, /* above no limit */
        {"\"memory\":{\"limit\":0,\"swap\":0,\"reservation\":0,\"useHierarchy\":true,\"disableOOMKiller\":false}", "", NULL},
        {"\"memory\":{\"limit\":67108864,\"disableOOMKiller\":true}", "", "/memory/disableOOMKiller"},
    };
    update_steps(t, "memory", "\"memory\":{\"limit\":67108864,\"swap\":134217728}", steps, COUNT(steps));
}

static void update_cpu(struct t *t) {
    static const struct step steps[] = {
        {"\"cpu\":{\"quota\":20000}", "cpu.max=20000 50000", NULL},
        {"\"cpu\":{\"period\":80000}", "cpu.max=20000 80000", NULL},
        {"\"cpu\":{\"quota\":30000,\"period\":60000}", "cpu.max=30000 60000", NULL},
        {"\"cpu\":{\"quota\":-1}", "cpu.max=max 60000", NULL},
        {"\"cpu\":{\"period\":70000}", "cpu.max=max 70000", NULL},
        {"\"cpu\":{\"quota\":1}", "", "/cpu/quota"},
        {"\"cpu\":{\"period\":2000000}", "", "/cpu/period"},
        {"\"cpu\":{\"quota\":0,\"period\":0,\"shares\":0}", "", NULL},
        {"\"cpu\":{\"shares\":262144}", "cpu.weight=10000", NULL},
        {"\"cpu\":{\"shares\":2}", "cpu.weight=1", NULL},
        {"\"cpu\":{\"idle\":1,\"shares\":1024}", "cpu.idle=1;cpu.weight=*", NULL},
        {"\"cpu\":{\"quota\":15000,\"idle\":0,\"shares\":1024}", "cpu.max=15000 70000;cpu.idle=0;cpu.weight=100", NULL},
        {"\"cpu\":{\"realtimePeriod\":5,\"shares\":512}", "", "/cpu/realtimePeriod"},
    };
    update_steps(t, "cpu", "\"cpu\":{\"quota\":25000,\"period\":50000}", steps, COUNT(steps));
}

/* The kernel refuses a burst above the quota: which of them goes first depends on which way they go. */
static void update_burst(struct t *t) {
    static const struct step steps[] = {
        {"\"cpu\":{\"quota\":60000,\"burst\":60000}", "cpu.max=60000 80000;cpu.max.burst=60000", NULL}, /* the quota first */
        {"\"cpu\":{\"quota\":10000,\"burst\":5000}", "cpu.max=10000 80000;cpu.max.burst=5000", NULL},   /* the burst first */
        {"\"cpu\":{\"burst\":20000}", "", "burst"},
        {"\"cpu\":{\"quota\":50000,\"burst\":50000}" WRONG, "", "/unified/cgroup.max.depth"},
        {"\"cpu\":{\"quota\":4000,\"burst\":4000}" WRONG, "", "/unified/cgroup.max.depth"},
        {"\"cpu\":{\"burst\":0}", "cpu.max.burst=0", NULL},
        {"\"cpu\":{\"quota\":-1,\"burst\":30000}", "cpu.max=max 80000;cpu.max.burst=30000", NULL},
        {"\"cpu\":{\"quota\":20000}", "", "/cpu/quota"},
    };
    need_kernel(5, 14);
    update_steps(t, "cpu", "\"cpu\":{\"quota\":20000,\"period\":80000}", steps, COUNT(steps));
}

/* The weight of an idle one reads as one that is not taken back. */
static void update_idle(struct t *t) {
    static const struct step steps[] = {
        {"\"cpu\":{\"idle\":0,\"shares\":1024}" WRONG, "", "/unified/cgroup.max.depth"},
        {"\"cpu\":{\"shares\":1024}", "", "/cpu/shares"},
        {"\"cpu\":{\"shares\":1024}", "", "an idle cgroup has no weight"},
        {"\"cpu\":{\"idle\":0,\"shares\":512}", "cpu.idle=0;cpu.weight=59", NULL},
        {"\"cpu\":{\"idle\":1}" WRONG, "", "/unified/cgroup.max.depth"},
    };
    need_kernel(5, 15);
    update_steps(t, "cpu", "\"cpu\":{\"idle\":1}", steps, COUNT(steps));
}

static void update_cpusets(struct t *t) {
    static const struct step steps[] = {
        {"\"cpu\":{\"cpus\":\"0\",\"mems\":\"0\"}" WRONG, "", "/unified/cgroup.max.depth"}, /* back to nothing */
        {"\"cpu\":{\"cpus\":\"0\"}", "cpuset.cpus=0", NULL},
        {"\"cpu\":{\"cpus\":\"1\"}", "cpuset.cpus=1", NULL},
        {"\"cpu\":{\"cpus\":\"0-1\",\"mems\":\"0\"}", "cpuset.cpus=0-1;cpuset.mems=0", NULL},
        {"\"cpu\":{\"cpus\":\"0\"}" WRONG, "", "/unified/cgroup.max.depth"},
        {"\"cpu\":{\"cpus\":\"0\",\"mems\":\"x\"}", "", "/cpu/mems"},
        {"\"cpu\":{\"cpus\":\"\",\"mems\":\"\"}", "", NULL},
        {"\"unified\":{\"cpuset.cpus\":\"1\"}", "cpuset.cpus=1", NULL},
    };
    if (sysconf(_SC_NPROCESSORS_ONLN) < 2) SKIP("kernel", "one processor leaves nothing to choose");
    update_steps(t, "cpuset", "\"unified\":{\"cpuset.cpus\":\"\\n\"},\"cpu\":{\"cpus\":\"\"}", steps, COUNT(steps));
}

static void update_pids(struct t *t) {
    static const struct step steps[] = {
        {"\"pids\":{\"limit\":5}", "pids.max=5", NULL}, {"\"pids\":{\"limit\":500}", "pids.max=500", NULL},
        {"\"pids\":{\"limit\":0}", "pids.max=0", NULL}, {"\"pids\":{\"limit\":7}" WRONG, "", "/unified/cgroup.max.depth"},
        {"\"pids\":{\"limit\":-1}", "pids.max=max", NULL}, {"\"pids\":{}", "", NULL},
        {"\"unified\":{\"pids.max\":\"44\"}", "pids.max=44", NULL}, {"\"unified\":{\"pids.max\":\"5\\nmax\"}", "pids.max=max", NULL},
        {"\"unified\":{\"pids.max\":\"6\\nx\"}", "", "/unified/pids.max"},
        {"\"pids\":{\"limit\":3},\"unified\":{\"pids.max\":\"8\",\"cgroup.max.depth\":\"3\"}", "pids.max=8", NULL},
    };
    update_steps(t, "pids", "\"pids\":{\"limit\":20}", steps, COUNT(steps));
}

static void update_hugepages(struct t *t) {
#define HUGE(n) "\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":" n "}]"
    static const struct step steps[] = {
        {HUGE("2097152"), "hugetlb.2MB.max=2097152;hugetlb.2MB.rsvd.max=2097152", NULL}, {HUGE("8388608"), "hugetlb.2MB.max=8388608;hugetlb.2MB.rsvd.max=8388608", NULL},
        {HUGE("0"), "hugetlb.2MB.max=0;hugetlb.2MB.rsvd.max=0", NULL}, {HUGE("4194304") WRONG, "", "/unified/cgroup.max.depth"},
        {"\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":4194304},{\"pageSize\":\"3MB\",\"limit\":0}]", "", "/hugepageLimits/1"},
        {"\"rdma\":{\"none0\":{\"hcaHandles\":1}}," HUGE("4194304"), "", "rdma"},
    };
    if (access("/sys/kernel/mm/hugepages/hugepages-2048kB", F_OK)) SKIP("kernel", "no pages of 2 MiB here");
    update_steps(t, "hugetlb", HUGE("4194304"), steps, COUNT(steps));
}

/* Each number at the edges of the types that it passes through: what is in the file is what was asked for, or it is
 * refused with its place and the file is as before. */
static void update_numbers(struct t *t) {
    static const struct {
        const char *file, *members, *pointer; /* members with one %s */
        unsigned round;                       /* the kernel counts in these */
        unsigned long long least, most;       /* what is neither refused nor more than the kernel counts */
        bool skip_small;                      /* would end the container */
    } fields[] = {
        {"memory.max", "\"memory\":{\"limit\":%s}", "/memory/limit", 4096, 1, INT64_MAX, true},
        {"memory.low", "\"memory\":{\"reservation\":%s}", "/memory/reservation", 4096, 1, INT64_MAX, false},
        {"pids.max", "\"pids\":{\"limit\":%s}", "/pids/limit", 1, 0, 4194304, false},
        {"hugetlb.2MB.max", "\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":%s}]", "/hugepageLimits/0", 2 << 20, 0, UINT64_MAX, false},
        {"memory.swap.max", "\"memory\":{\"limit\":-1,\"swap\":%s}", "/memory/swap", 4096, 1, INT64_MAX, false},
    };
    static const char *const values[] = {"-1", "0", "1", "2097152", "4194304", "2147483647", "2147483648", "2147483649", "4294967295", "4294967296", "4294967297",
        "9007199254740991", "9007199254740992", "9007199254740993", "9223372036854775807", "9223372036854775808", "18446744073709551615"};
    struct live l;
    need_controller("memory");
    need_controller("pids");
    need_controller("hugetlb");
    begin_in_cgroup(t, &l, &waiting);
    for (size_t i = 0; i < COUNT(fields); i++) {
        bool small = fields[i].most == INT64_MAX || fields[i].most == 4194304; /* the field has a sign */
        for (size_t k = 0; k < COUNT(values); k++) {
            bool negative = *values[k] == '-';
            unsigned long long value = strtoull(values[k], NULL, 10), kept = value - value % fields[i].round;
            struct outcome out;
            if (fields[i].skip_small && !negative && value < 1 << 25 && value >= fields[i].least) continue;
            char *had = in_cgroup(&l, fields[i].file);
            if (!had && fields[i].file[0] != 'p' && k) continue;
            update_with(t, &out, "--resources=-", print(print("{%s}", fields[i].members), values[k]));
            char *have = in_cgroup(&l, fields[i].file);
            bool fits = negative ? small : value <= fields[i].most;
            if (!fits) {
                EXPECT(out.code == 1 && strstr(out.err, fields[i].pointer), "%s %s: %d %s", fields[i].file, values[k], out.code, out.err);
                EXPECT(!have || !had || !strcmp(have, had), "%s %s: %s, and %s before", fields[i].file, values[k], have, had);
            } else if (have) {
                const char *want = negative || kept > (unsigned long long)INT64_MAX - fields[i].round ? "max" : value < fields[i].least ? (i == 4 ? "max" : had) : print("%llu", kept);
                EXPECT(out.code == 0 && (!want || !strcmp(have, want)), "%s %s: %d %s, not %s; %s", fields[i].file, values[k], out.code, have, want, out.err);
            }
            outcome_free(&out);
        }
    }
    live_end(t, &l);
}

/* Created, changed, started: the program sees what was last asked for. */
static void update_created(struct t *t) {
    static const char changes[] = "{\"memory\":{\"limit\":100663296,\"swap\":134217728,\"reservation\":8388608},\"cpu\":{\"shares\":2048,\"quota\":70000,\"cpus\":\"0\"},"
                                  "\"pids\":{\"limit\":9},\"unified\":{\"memory.high\":\"94371840\"}}";
    static const char files[] = "memory.max=100663296;memory.swap.max=33554432;memory.low=8388608;memory.high=94371840;cpu.weight=174;cpu.max=70000 50000;cpuset.cpus=0;pids.max=9";
    struct text want = {0};
    struct bundle b;
    struct outcome created, out;
    pid_t pid;
    need_controller("memory"), need_controller("cpu"), need_controller("cpuset"), need_controller("pids");
    root_make(t, &b);
    bundle_config(&b, &(struct config){.args = reader_of(files, &want), .mounts = CGROUP_MOUNT, .namespaces = geteuid() ? DEFAULT_NAMESPACES " cgroup user" : DEFAULT_NAMESPACES " cgroup",
        .linux_ = resources("\"memory\":{\"limit\":67108864},\"cpu\":{\"quota\":25000,\"period\":50000},\"pids\":{\"limit\":20}")});
    pid = command_start(&(struct command){.argv = ocirt_argv(t, (const char *const[]){"create", "-b", b.path, t->tag, NULL})}, &created);
    command_wait(pid, 10, &created);
    CHECK(created.code == 0, "%s", created.err);
    update_with(t, &out, "--resources=-", "{\"pids\":{\"limit\":3},\"cpu\":{\"cpus\":\"nonsense\"}}");
    CHECK(out.code == 1 && strstr(out.err, "/cpu/cpus"), "%d %s", out.code, out.err);
    update_with(t, &out, "--resources=-", changes);
    CHECK(out.code == 0 && !out.err_n, "%d %s", out.code, out.err);
    CHECK_TEXT(status_of(t), "created");
    quiet(t, "start", t->tag);
    await_status(t, "stopped");
    outcome_refresh(&created);
    CHECK_TEXT(created.out, want.at);
    quiet(t, "delete", t->tag);
    reap_all();
}

/* A container that asked for nothing, below a cgroup of its own. */
static void begin_above(struct t *t, struct live *l) {
    begin_in_cgroup(t, l, &(struct config){.args = "payload-trap 10", .linux_ = print("\"cgroupsPath\":\"%s%s.up/box\"", geteuid() ? "" : "/", t->tag)});
}

/* The same, where nothing is enabled any more. */
static void begin_below(struct t *t, struct live *l) {
    begin_above(t, l);
    char *enabled = in_cgroup(l, "../cgroup.subtree_control");
    for (char *word = strtok(enabled, " "); word; word = strtok(NULL, " "))
        CHECK_OK(file_put(print("%s/../cgroup.subtree_control", l->cgroup), print("-%s", word)));
    CHECK_TEXT(in_cgroup(l, "../cgroup.subtree_control"), "");
}

/* There are accounts without limits, and a container may find any controller below what is its own. */
static void accounts(struct t *t) {
    struct live l;
    need_controller("memory"), need_controller("pids");
    begin_above(t, &l);
    char *have = in_cgroup(&l, "cgroup.controllers"), *memory_used = in_cgroup(&l, "memory.current");
    CHECK_TEXT(have, in_cgroup(&l, "../../cgroup.controllers"));
    CHECK(memory_used && atoll(memory_used) > 0, "memory.current: %s", memory_used);
    CHECK_TEXT(in_cgroup(&l, "pids.current"), "1");
    live_end(t, &l);
}

/* What has processes of its own stays as it is; a container without limits runs below it. */
static void accounts_below_processes(struct t *t) {
    struct live l;
    need_controller("pids");
    char *cgroup = print("%s%s/%s.up", cgroup_mount(), geteuid() ? print("%s/..", cgroup_own()) : "", t->tag);
    CHECK_SYS(mkdir(cgroup, 0755));
    pid_t pid = fork();
    if (pid == 0)
        for (;;) pause();
    bool moved = file_put(print("%s/cgroup.procs", cgroup), print("%d", (int)pid));
    begin_above(t, &l);
    char *enabled = in_cgroup(&l, "../cgroup.subtree_control"), *type = in_cgroup(&l, "../cgroup.type");
    live_end(t, &l);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    CHECK_OK(moved);
    EXPECT(!strcmp(enabled, "") && !strcmp(type, "domain"), "\"%s\", %s", enabled, type);
    CHECK_SYS(rmdir(cgroup));
}

static void update_enables(struct t *t) {
    static const struct step steps[] = {
        {"\"pids\":{\"limit\":9}", "pids.max=9", NULL},
        {"\"memory\":{\"limit\":67108864,\"swap\":134217728}", "memory.max=67108864;memory.swap.max=67108864", NULL},
        {"\"cpu\":{\"quota\":20000,\"cpus\":\"0\"}", "cpu.max=20000 100000;cpuset.cpus=0", NULL},
        {"\"unified\":{\"nothing.here\":\"1\"}", "", "no controller \"nothing\""},
    };
    struct live l;
    struct outcome out;
    need_controller("memory"), need_controller("cpu"), need_controller("cpuset"), need_controller("pids");
    begin_below(t, &l);
    for (size_t i = 0; i < COUNT(steps); i++) { /* the files are not there before */
        update_with(t, &out, "--resources=-", print("{%s}", steps[i].members));
        EXPECT(out.code == (steps[i].refusal ? 1 : 0), "%s: %d %s", steps[i].members, out.code, out.err);
        if (steps[i].refusal) EXPECT(strstr(out.err, steps[i].refusal), "%s", out.err);
        check_changes(&l, steps[i].members, limits_of(&l), steps[i].files);
        if (i == 0) CHECK_TEXT(in_cgroup(&l, "../cgroup.subtree_control"), "pids"); /* no more than was asked for */
    }
    live_end(t, &l);
    CHECK(access(print("%s/..", l.cgroup), F_OK) == -1, "%s is left", l.cgroup);
}

/* The kernel shares nothing out below a cgroup that has processes itself. */
static void update_below_processes(struct t *t) {
    struct live l;
    struct outcome out;
    need_controller("pids");
    begin_below(t, &l);
    pid_t pid = fork();
    if (pid == 0)
        for (;;) pause();
    bool moved = file_put(print("%s/../cgroup.procs", l.cgroup), print("%d", (int)pid));
    update_with(t, &out, "--resources=-", "{\"pids\":{\"limit\":9}}");
    char *enabled = in_cgroup(&l, "../cgroup.subtree_control"), *type = in_cgroup(&l, "../cgroup.type");
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    CHECK_OK(moved);
    EXPECT(out.code == 1 && strstr(out.err, "holds processes") && !in_cgroup(&l, "pids.max"), "%d %s", out.code, out.err);
    EXPECT(!strcmp(enabled, "") && !strcmp(type, "domain"), "\"%s\", %s", enabled, type);
    update_with(t, &out, "--resources=-", "{\"pids\":{\"limit\":9}}"); /* they have gone */
    EXPECT(out.code == 0, "%s", out.err);
    CHECK_TEXT(in_cgroup(&l, "pids.max"), "9");
    live_end(t, &l);
}

/* ---- order ---- */

/* An empty cgroup that is there already, with limits of its own: none of them is in the way of the new ones. */
static void order_in_old_cgroup(struct t *t) {
    static const struct row cases[] = { /* what is there, what is asked for, pointer: what it is then */
        {"cpu.max=10000 100000;cpu.max.burst=8000", "\"cpu\":{\"quota\":5000,\"burst\":3000}", "cpu.max=5000 100000;cpu.max.burst=3000"},
        {"cpu.max=5000 100000;cpu.max.burst=3000", "\"cpu\":{\"quota\":20000,\"burst\":20000}", "cpu.max=20000 100000;cpu.max.burst=20000"},
        {"cpu.idle=1", "\"cpu\":{\"idle\":0,\"shares\":1024}", "cpu.idle=0;cpu.weight=100"},
        {"memory.max=65536;memory.swap.max=0;pids.max=0", "\"memory\":{\"limit\":67108864,\"swap\":134217728},\"pids\":{\"limit\":5}", "memory.max=67108864;memory.swap.max=67108864;pids.max=5"},
    };
    need_controller("cpu"), need_controller("memory"), need_controller("pids");
    char *cgroup = print("%s/%s.old", cgroup_mount(), t->tag);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct live l;
        bool whole = true;
        CHECK_SYS(mkdir(cgroup, 0755));
        for (char *file = strtok(print("%s", cases[i].members), ";"); file; file = strtok(NULL, ";")) {
            char *value = strchr(file, '=');
            *value++ = 0;
            whole = whole && file_put(print("%s/%s", cgroup, file), value);
        }
        if (whole) {
            live_begin(t, &l, &(struct config){.args = "payload-trap 10", .linux_ = print("\"cgroupsPath\":\"/%s.old\",%s", t->tag, resources(cases[i].files))});
            check_changes(&l, cases[i].files, limits_of(&l), cases[i].pointer);
            live_end(t, &l);
        }
        if (rmdir(cgroup)) CHECK(errno == ENOENT, "%s", strerror(errno));
    }
}

const struct test run_resources_tests[] = {
    {"resources.v1_only", v1_only, 0, 0},
    {"resources.without_cgroups", without_cgroups, 0, 0},
    {"resources.memory", memory, 0, 0},
    {"resources.cpu", cpu, 0, 30},
    {"resources.pids", pids, 0, 0},
    {"resources.pids_few", pids_few, 0, 0},
    {"resources.cpusets", cpusets, 0, 0},
    {"resources.hugepages", hugepages, 0, 0},
    {"resources.hugepages_used", hugepages_used, TEST_ROOT | TEST_ALONE, 0},
    {"resources.rdma", rdma, 0, 0},
    {"resources.throttles", throttles, 0, 0},
    {"resources.weights", weights, 0, 0},
    {"resources.device_weights", device_weights, TEST_ROOT | TEST_ALONE, 0},
    {"resources.update_memory", update_memory, 0, 0},
    {"resources.update_cpu", update_cpu, 0, 0},
    {"resources.update_burst", update_burst, 0, 0},
    {"resources.update_idle", update_idle, 0, 0},
    {"resources.update_cpusets", update_cpusets, 0, 0},
    {"resources.update_pids", update_pids, 0, 0},
    {"resources.update_hugepages", update_hugepages, 0, 0},
    {"resources.update_numbers", update_numbers, 0, 30},
    {"resources.update_created", update_created, 0, 0},
    {"resources.accounts", accounts, 0, 0},
    {"resources.accounts_below_processes", accounts_below_processes, 0, 0},
    {"resources.update_enables", update_enables, 0, 0},
    {"resources.update_below_processes", update_below_processes, 0, 0},
    {"resources.order_in_old_cgroup", order_in_old_cgroup, TEST_ROOT, 0},
    {0}};
