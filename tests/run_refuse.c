/* run_refuse.c: what the specification calls an error is one, of the real create, with its place, and
 * with nothing left behind. musts.inc says which test stands for which of its sentences. */
#include "runs.h"
#include <dirent.h>

#define ONE "{\"containerID\":0,\"hostID\":0,\"size\":1}"

static const struct refusal {
    struct config config;
    const char *pointer, *words; /* both in the error; NULL: any */
} refusals[] = {
    /* config.md */
    {{.top = "\"ociVersion\":null"}, NULL, "needs \"ociVersion\""},
    {{.top = "\"ociVersion\":\"2.0.0\""}, "/ociVersion", "not supported"},
    {{.top = "\"ociVersion\":\"1.3\""}, "/ociVersion", "not supported"},
    {{.top = "\"ociVersion\":1"}, "/ociVersion", "a string is expected"},
    {{.top = "\"root\":null"}, NULL, "root"},
    {{.top = "\"root\":{}"}, "/root", "path"},
    {{.root = "\"path\":\"\""}, "/root/path", "empty"},
    {{.root = "\"path\":\"missing\""}, "/root/path", "no such file or directory"},
    {{.root = "\"path\":\"config.json\""}, "/root/path", "not a directory"},
    {{.root = "\"readonly\":\"yes\""}, "/root/readonly", "true or false"},
    {{.mounts = "{\"type\":\"tmpfs\"}"}, "/mounts/2", "destination"},
    {{.mounts = "{\"destination\":\"\",\"type\":\"tmpfs\"}"}, "/mounts/2/destination", "empty"},
    {{.mounts = "{\"destination\":\"/x\",\"source\":\"tmpfs\"}"}, "/mounts/2", "type"},
    {{.mounts = "{\"destination\":\"/x\",\"type\":\"nosuchfs\"}"}, "/mounts/2", "no such device"},
    {{.mounts = "{\"destination\":\"/x\",\"type\":\"tmpfs\",\"options\":[\"no_such_option\"]}"}, "/mounts/2", "no_such_option"},
    {{.mounts = "{\"destination\":\"/x\",\"source\":\"missing\",\"options\":[\"bind\"]}"}, "/mounts/2", "no such file or directory"},
    {{.mounts = "{\"destination\":\"/x\",\"source\":\"/\",\"options\":[\"bind\"],\"uidMappings\":[" ONE "]}"}, "/mounts/2", "go together"},
    {{.mounts = "{\"destination\":\"/x\",\"source\":\"/\",\"options\":[\"bind\"],\"gidMappings\":[" ONE "]}"}, "/mounts/2", "go together"},
    {{.top = "\"mounts\":{}"}, "/mounts", "an array is expected"},
    {{.process = "\"cwd\":\"x\""}, "/process/cwd", "an absolute path is expected"},
    {{.process = "\"cwd\":null"}, "/process", "cwd"},
    {{.process = "\"args\":[]"}, "/process/args", "at least one"},
    {{.process = "\"args\":null"}, "/process", "args"},
    {{.process = "\"user\":null"}, "/process", "user"},
    {{.process = "\"user\":{\"uid\":0}"}, "/process/user", "gid"},
    {{.process = "\"terminal\":\"yes\""}, "/process/terminal", "true or false"},
    {{.process = "\"terminal\":true,\"consoleSize\":{\"height\":1}"}, "/process/consoleSize", "width"},
    {{.process = "\"rlimits\":[{\"type\":\"RLIMIT_NAP\",\"soft\":1,\"hard\":1}]"}, "/process/rlimits/0/type", "unknown value \"RLIMIT_NAP\""},
    {{.process = "\"rlimits\":[{\"type\":\"RLIMIT_CPU\",\"hard\":1}]"}, "/process/rlimits/0", "soft"},
    {{.process = "\"rlimits\":[{\"type\":\"RLIMIT_CPU\",\"soft\":1,\"hard\":1},{\"type\":\"RLIMIT_CPU\",\"soft\":1,\"hard\":1}]"}, "/process/rlimits/1", "twice"},
    {{.process = "\"oomScoreAdj\":1001"}, "/process/oomScoreAdj", "out of range"},
    {{.top = "\"hooks\":{\"createRuntime\":[{\"path\":\"bin/x\"}]}"}, "/hooks/createRuntime/0/path", "an absolute path"},
    {{.top = "\"hooks\":{\"createContainer\":[{\"args\":[\"x\"]}]}"}, "/hooks/createContainer/0", "path"},
    {{.top = "\"hooks\":{\"startContainer\":[{\"path\":\"/x\",\"timeout\":0}]}"}, "/hooks/startContainer/0/timeout", "out of range"},
    {{.top = "\"hooks\":{\"poststart\":[{\"path\":\"/x\",\"timeout\":-1}]}"}, "/hooks/poststart/0/timeout", "out of range"},
    {{.top = "\"hooks\":{\"createRuntime\":[{\"path\":\"/no/such/hook\"}]}"}, "/hooks/createRuntime", "/no/such/hook"},
    {{.top = "\"annotations\":{\"\":\"x\"}"}, "/annotations", "empty"},
    {{.top = "\"annotations\":{\"a\":1}"}, "/annotations/a", "a string is expected"},
    {{.top = "\"annotations\":[]"}, "/annotations", "an object of strings is expected"},
    {{.top = "\"hostname\":\"a\",\"hostname\":\"b\""}, NULL, "duplicate key"},
    {{.top = "\"hostname\":\"\xff\""}, NULL, "UTF-8"},
    {{.top = "\"hostname\":7"}, "/hostname", "a string is expected"},
    /* config-linux.md */
    {{.linux_ = "\"namespaces\":[{\"type\":\"parallel\"}]"}, "/linux/namespaces/0/type", "unknown value \"parallel\""},
    {{.linux_ = "\"namespaces\":[{\"path\":\"/proc/self/ns/pid\"}]"}, "/linux/namespaces/0", "type"},
    {{.linux_ = "\"namespaces\":[{\"type\":\"ipc\",\"path\":\"proc/self/ns/ipc\"}]"}, "/linux/namespaces/0/path", "an absolute path"},
    {{.linux_ = "\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"uts\"},{\"type\":\"mount\"}]"}, "/linux/namespaces/2", "twice"},
    {{.namespaces = "[{\"type\":\"mount\"},{\"type\":\"uts\"},{\"type\":\"ipc\",\"path\":\"/proc/self/ns/net\"},{\"type\":\"user\"}]"}, "/linux/namespaces/2", NULL},
    {{.namespaces = "[{\"type\":\"mount\"},{\"type\":\"uts\"},{\"type\":\"ipc\",\"path\":\"/dev/null\"},{\"type\":\"user\"}]"}, "/linux/namespaces/2", NULL},
    {{.namespaces = "[{\"type\":\"mount\"},{\"type\":\"uts\"},{\"type\":\"ipc\",\"path\":\"/no/such/ns\"},{\"type\":\"user\"}]"}, "/linux/namespaces/2", "no such file or directory"},
    {{.linux_ = "\"uidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":0}]"}, "/linux/uidMappings/0/size", "out of range"},
    {{.linux_ = "\"devices\":[{\"type\":\"x\",\"path\":\"/dev/x\",\"major\":1,\"minor\":3}]"}, "/linux/devices/0/type", "unknown device type"},
    {{.linux_ = "\"devices\":[{\"type\":\"c\",\"path\":\"/dev/x\",\"major\":1}]"}, "/linux/devices/0", "minor"},
    {{.linux_ = "\"devices\":[{\"type\":\"c\",\"path\":\"dev/x\",\"major\":1,\"minor\":3}]"}, "/linux/devices/0/path", "an absolute path"},
    {{.linux_ = "\"devices\":[{\"type\":\"c\",\"major\":1,\"minor\":3}]"}, "/linux/devices/0", "path"},
    {{.linux_ = "\"cgroupsPath\":\"/a/../../b\""}, "/linux/cgroupsPath", NULL},
    {{.linux_ = "\"cgroupsPath\":\"a\\nb\""}, "/linux/cgroupsPath", "single line"},
    {{.linux_ = "\"resources\":{\"devices\":[{\"access\":\"rwm\"}]}"}, "/linux/resources/devices/0", "allow"},
    {{.linux_ = "\"resources\":{\"devices\":[{\"allow\":true,\"access\":\"x\"}]}"}, "/linux/resources/devices/0/access", "r, w and m"},
    {{.linux_ = "\"resources\":{\"memory\":{\"limit\":-2}}"}, "/linux/resources/memory/limit", "out of range"},
    {{.linux_ = "\"resources\":{\"memory\":{\"limit\":9000000,\"swap\":8000000}}"}, "/linux/resources/memory/swap", "below"},
    {{.linux_ = "\"resources\":{\"memory\":{\"disableOOMKiller\":true}}"}, "/linux/resources/memory/disableOOMKiller", NULL},
    {{.linux_ = "\"resources\":{\"cpu\":{\"realtimeRuntime\":1000}}"}, "/linux/resources/cpu/realtimeRuntime", NULL},
    {{.linux_ = "\"resources\":{\"network\":{\"classID\":1}}"}, "/linux/resources/network", NULL},
    {{.linux_ = "\"resources\":{\"network\":{\"priorities\":[{\"name\":\"lo\",\"priority\":1}]}}"}, "/linux/resources/network", NULL},
    {{.linux_ = "\"resources\":{\"blockIO\":{\"weightDevice\":[{\"major\":1,\"minor\":1}]}}"}, "/linux/resources/blockIO/weightDevice/0", "at least one of"},
    {{.linux_ = "\"resources\":{\"blockIO\":{\"leafWeight\":10}}"}, "/linux/resources/blockIO", NULL},
    {{.linux_ = "\"resources\":{\"blockIO\":{\"throttleReadBpsDevice\":[{\"major\":1,\"minor\":1}]}}"}, "/linux/resources/blockIO/throttleReadBpsDevice/0", "rate"},
    {{.linux_ = "\"resources\":{\"hugepageLimits\":[{\"pageSize\":\"2M\",\"limit\":1}]}"}, "/linux/resources/hugepageLimits/0/pageSize", "page size"},
    {{.linux_ = "\"resources\":{\"rdma\":{\"mlx\":{}}}"}, "/linux/resources/rdma/mlx", "at least one of"},
    {{.linux_ = "\"resources\":{\"unified\":{\"memory/high\":\"1\"}}"}, "/linux/resources/unified", NULL},
    {{.linux_ = "\"resources\":{\"unified\":{\"../memory.high\":\"1\"}}"}, "/linux/resources/unified", NULL},
    {{.linux_ = "\"rootfsPropagation\":\"sideways\""}, "/linux/rootfsPropagation", "unknown value"},
    {{.linux_ = "\"maskedPaths\":[\"proc/kcore\"]"}, "/linux/maskedPaths/0", "an absolute path"},
    {{.linux_ = "\"readonlyPaths\":[\"/proc/sys\",\"proc\"]"}, "/linux/readonlyPaths/1", "an absolute path"},
    {{.linux_ = "\"sysctl\":{\"vm.swappiness\":\"1\"}"}, "/linux/sysctl/vm.swappiness", "host"},
    {{.linux_ = "\"personality\":{\"domain\":\"BEOS\"}"}, "/linux/personality/domain", "unknown value"},
    {{.linux_ = "\"personality\":{}"}, "/linux/personality", "domain"},
    {{.linux_ = "\"timeOffsets\":{\"boottime\":{\"secs\":1}}"}, "/linux/timeOffsets", "time namespace"},
    {{.linux_ = "\"netDevices\":{\"a/b\":{}}"}, "/linux/netDevices/a~1b", "name"},
    {{.linux_ = "\"netDevices\":{\"eth9\":{\"name\":\"0123456789abcdef\"}}"}, "/linux/netDevices/eth9", "name"},
    {{.linux_ = "\"seccomp\":{}"}, "/linux/seccomp", "defaultAction"},
    {{.linux_ = "\"seccomp\":{\"defaultAction\":\"SCMP_ACT_SMILE\"}"}, "/linux/seccomp/defaultAction", "unknown value"},
    {{.linux_ = "\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"defaultErrnoRet\":1}"}, "/linux/seccomp/defaultErrnoRet", "no errno"},
    {{.linux_ = "\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":[\"SCMP_ARCH_PDP11\"]}"}, "/linux/seccomp/architectures/0", "unknown value"},
    {{.linux_ = "\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"flags\":[\"SECCOMP_FILTER_FLAG_X\"]}"}, "/linux/seccomp/flags/0", "unknown value"},
    {{.linux_ = "\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"listenerMetadata\":\"x\"}"}, "/linux/seccomp/listenerMetadata", "listenerPath"},
    {{.linux_ = "\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[],\"action\":\"SCMP_ACT_LOG\"}]}"}, "/linux/seccomp/syscalls/0/names", "at least one"},
    {{.linux_ = "\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"read\"],\"action\":\"SCMP_ACT_KILL\",\"errnoRet\":1}]}"}, "/linux/seccomp/syscalls/0/errnoRet", "no errno"},
    {{.linux_ = "\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"read\"],\"action\":\"SCMP_ACT_LOG\",\"args\":[{\"index\":6,\"value\":1,\"op\":\"SCMP_CMP_EQ\"}]}]}"}, "/linux/seccomp/syscalls/0/args/0/index", "out of range"},
    {{.linux_ = "\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"read\"],\"action\":\"SCMP_ACT_LOG\",\"args\":[{\"index\":1,\"value\":1,\"op\":\"SCMP_CMP_ISH\"}]}]}"}, "/linux/seccomp/syscalls/0/args/0/op", "unknown value"},
};

static bool is_empty(const char *path) {
    DIR *dir = opendir(path);
    bool empty = true;
    for (struct dirent *entry; dir && (entry = readdir(dir));) empty = empty && *entry->d_name == '.';
    if (dir) closedir(dir);
    return empty;
}

/* `create` says what and where; `check` says the same of what can be seen in the text alone. */
static void expect_refusal(struct t *t, struct bundle *b, const struct refusal *r, const char *name) {
    struct outcome out;
    bundle_config(b, &r->config);
    run_ocirt(t, &out, "create", "-b", b->path, t->tag);
    EXPECT(out.code == 1 && good_text(out.err) && !out.out_n, "%s: %d %s", name, out.code, out.err);
    /* the place stands at the end of its line: /a is not found in /a/b */
    EXPECT(!r->pointer || strstr(out.err, print(" %s\n", r->pointer)) || strstr(out.err, print("%s/", r->pointer)), "%s: no %s in: %s", name, r->pointer, out.err);
    EXPECT(!r->words || strstr(out.err, r->words), "%s: no \"%s\" in: %s", name, r->words, out.err);
    EXPECT(is_empty(t->state), "%s: something is left in %s", name, t->state);
    if (out.code == 0) delete_all(t);
    outcome_free(&out);
}

static void each_refusal(struct t *t, const struct refusal *rows, size_t n) {
    struct bundle b;
    root_make(t, &b);
    make_dirs(t->state, 0700);
    struct snap *before = snap_take(t, 0);
    for (size_t i = 0; i < n; i++) {
        const struct config *c = &rows[i].config;
        const char *name = c->top ? c->top : c->root ? c->root : c->mounts ? c->mounts : c->process ? c->process : c->linux_ ? c->linux_ : c->namespaces;
        expect_refusal(t, &b, &rows[i], name);
    }
    unlink(b.config);
    CHECK_SYS(chown(b.rootfs, geteuid(), getegid())); /* as bundle_config has it where there are maps */
    CHECK_SNAP(t, before);
}

static void config_is_refused(struct t *t) { each_refusal(t, refusals, sizeof refusals / sizeof *refusals); }

/* What only a cgroup can tell. */
static void config_in_cgroup(struct t *t) {
    static const struct refusal rows[] = {
        {{.linux_ = "\"resources\":{\"cpu\":{\"quota\":20000,\"period\":100000,\"burst\":30000}}"}, "/linux/resources/cpu", NULL},
        {{.linux_ = "\"resources\":{\"unified\":{\"quantum.max\":\"1\"}}"}, "/linux/resources/unified/quantum.max", NULL},
        {{.linux_ = "\"resources\":{\"unified\":{\"memory.no_such_file\":\"1\"}}"}, "/linux/resources/unified/memory.no_such_file", NULL},
        {{.linux_ = "\"resources\":{\"unified\":{\"pids.max\":\"many\"}}"}, "/linux/resources/unified/pids.max", NULL}};
    need_controller("cpu");
    need_controller("memory");
    need_controller("pids");
    each_refusal(t, rows, sizeof rows / sizeof *rows);
}

static void not_an_error(struct t *t) {
    static const char *const rows[] = {"\"consoleSize\":{\"height\":65535,\"width\":1}", "\"terminal\":false,\"consoleSize\":{\"height\":0,\"width\":0}",
                                       "\"no_such_property\":{\"a\":[1]},\"commandLine\":\"x\"", "\"user\":{\"uid\":0,\"gid\":0,\"username\":\"x\",\"shoeSize\":43}"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct outcome *out = ran_well(t, &(struct config){.process = rows[i], .top = "\"hostname\":\"x\",\"org.example\":null,\"windows\":{\"any\":1}"});
        CHECK_REPORT(out, "pid", "1");
        outcome_free(out);
    }
}

static void operations(struct t *t) {
    struct bundle b;
    static const char *const commands[] = {"state", "start", "kill", "delete", "create"};
    root_make(t, &b);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) expect(t, 1, "", commands[i]);
    expect(t, 1, "config.json", "create", "-b", b.path, t->tag);
    expect(t, 1, "config.json", "create", "-b", print("%s/none", t->dir), t->tag);
    bundle_config(&b, &(struct config){.args = "payload-exit 0"});
    expect(t, 1, "", "create", "-b", b.path);
    expect(t, 0, "", "create", "-b", b.path, t->tag);
    expect(t, 0, "", "start", t->tag);
    await_status(t, "stopped");
    expect(t, 1, "", "start", t->tag);
    CHECK_TEXT(status_of(t), "stopped");
    reap_all();
    expect(t, 0, "", "delete", t->tag);
    expect(t, 1, "container does not exist", "delete", t->tag);
    expect(t, 0, "", "create", "-b", b.path, t->tag); /* the id is free again */
    delete_all(t);
}

/* A cgroup that is somebody else's, or would hold the container still: the MAY of Control groups. */
static void cgroup_not_fit(struct t *t) {
    struct bundle b;
    if (!cgroup_mount()) SKIP("cgroup", "no cgroup2");
    char *name = print("/%s-shared", t->tag), *other = print("%s-2", t->tag), *frozen = print("%s/%s-frozen", cgroup_mount(), t->tag);
    root_make(t, &b);
    bundle_config(&b, &(struct config){.args = "payload-sleep 100", .linux_ = print("\"cgroupsPath\":\"%s\"", name)});
    expect(t, 0, "", "create", "-b", b.path, t->tag);
    expect(t, 1, "/linux/cgroupsPath", "create", "-b", b.path, other);
    expect(t, 1, "holds processes", "create", "-b", b.path, other);
    CHECK_TEXT(status_of(t), "created");
    delete_all(t);
    CHECK_SYS(mkdir(frozen, 0755));
    CHECK_OK(file_put(print("%s/cgroup.freeze", frozen), "1"));
    bundle_config(&b, &(struct config){.args = "payload-sleep 100", .linux_ = print("\"cgroupsPath\":\"/%s-frozen\"", t->tag)});
    expect(t, 1, "frozen", "create", "-b", b.path, t->tag);
    CHECK_SYS(rmdir(frozen));
}

/* ---- musts.inc ---- */

static const struct {
    const char *from, *what, *tests;
} musts[] = {
#define MUST(from, what, tests) {from, what, tests},
#include "musts.inc"
#undef MUST
};

static bool is_test(const char *name, size_t n) {
    for (size_t i = 0; test_tables[i]; i++)
        for (const struct test *test = test_tables[i]; test->name; test++)
            if (strlen(test->name) == n && !strncmp(test->name, name, n)) return true;
    return false;
}

static void musts_have_tests(struct t *t) {
    (void)t;
    for (size_t i = 0; i < sizeof musts / sizeof *musts; i++) {
        EXPECT(*musts[i].tests, "%s: %s: no test", musts[i].from, musts[i].what);
        if (!strcmp(musts[i].tests, "later")) continue;
        for (const char *at = musts[i].tests; *at; at += strcspn(at, " "), at += strspn(at, " "))
            EXPECT(is_test(at, strcspn(at, " ")), "%s: %s: no test %.*s", musts[i].from, musts[i].what, (int)strcspn(at, " "), at);
    }
}

const struct test run_refuse_tests[] = {
    {"refuse.config", config_is_refused, 0, 60},
    {"refuse.config_in_cgroup", config_in_cgroup, 0, 0},
    {"refuse.not_an_error", not_an_error, 0, 0},
    {"refuse.operations", operations, 0, 0},
    {"refuse.cgroup_not_fit", cgroup_not_fit, TEST_ROOT, 0},
    {"refuse.musts", musts_have_tests, 0, 0},
    {0}};
