/* run_input.c: what threats.md lists of configs (F52, F56, F57) and only the whole command can show; unit/spec.inc says
 * which test has the rest. */
#include "runs.h"
#include <sys/resource.h>

/* ---- F52: much of it, in little memory ---- */

enum { ROOM = 192 << 20 };

static void in_little_memory(void *user) {
    (void)user;
    if (setrlimit(RLIMIT_AS, &(struct rlimit){ROOM, ROOM})) _exit(120);
}

static char *repeated(const char *before, const char *one, size_t n, const char *after) {
    struct text text = {0};
    text_add(&text, "%s", before);
    for (size_t i = 0; i < n; i++) text_add_bytes(&text, one, strlen(one));
    text_add(&text, "%s", after);
    return text.at;
}

#define HEAD "{\"ociVersion\":\"1.3.0\",\"root\":{\"path\":\"rootfs\"}"
static void huge_configs(struct t *t) {
    static const struct {
        const char *before, *one;
        size_t n;
        const char *after, *word; /* NULL: it is fine */
    } cases[] = {
        {HEAD ",\"x\":", "[", 1000000, "", "deep"},
        {HEAD ",\"x\":", "{\"a\":", 1000000, "", "deep"},
        {HEAD ",\"annotations\":{\"a\":\"", "0123456789abcdef", 1 << 19, "\"}}", NULL},
        {HEAD ",\"mounts\":[", "{\"destination\":\"/a\",\"type\":\"tmpfs\"},", 100000, "{\"destination\":\"/b\",\"type\":\"tmpfs\"}]}", NULL},
        {HEAD ",\"mounts\":[", "{\"destination\":\"/a\",\"type\":\"tmpfs\"},", 1000000, "{\"destination\":\"/b\",\"type\":\"tmpfs\"}]}", "too large"},
        {HEAD ",\"process\":{\"cwd\":\"/\",\"user\":{\"uid\":0,\"gid\":0},\"args\":[", "\"\",", 300000, "\"\"]}}", NULL},
    };
    struct bundle b;
    need_ocirt();
    root_make(t, &b);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = repeated(cases[i].before, cases[i].one, cases[i].n, cases[i].after);
        struct outcome out;
        file_write(b.config, "%s", text);
        free(text);
        command_run(&(struct command){.argv = ocirt_argv(t, (const char *const[]){"check", b.path, NULL}), .child = in_little_memory}, &out);
        EXPECT(!out.timed_out && out.code == (cases[i].word ? 1 : 0), "%zu of %s: %d %.300s", cases[i].n, cases[i].one, out.code, out.err);
        EXPECT(!cases[i].word || (good_text(out.err) && strstr(out.err, cases[i].word)), "%zu of %s: %.300s", cases[i].n, cases[i].one, out.err);
        outcome_free(&out);
    }
}

/* ---- F56: too long, or empty ---- */

static void lengths(struct t *t) {
    char *path = print("/%04999d", 0), *socket = print("%s/%0100d", t->dir, 0), *name = print("%0300d", 0);
    const struct {
        struct config config;
        const char *pointer;
    } cases[] = {
        {{.linux_ = print("\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"listenerPath\":\"%s\",\"syscalls\":[{\"names\":[\"sethostname\"],\"action\":\"SCMP_ACT_NOTIFY\"}]}", socket)}, "/linux/seccomp/listenerPath"},
        {{.process = "\"args\":[]"}, "/process/args"},
        {{.args = "[\"\"]"}, "/process/args"},
        {{.args = print("[\"%s\"]", path)}, "/process/args"},
        {{.process = print("\"cwd\":\"%s\"", path)}, "/process/cwd"},
        {{.process = print("\"cwd\":\"/%s\"", name)}, "/process/cwd"},
        {{.process = "\"env\":[\"=x\"]"}, "/process/env/0"},
        {{.mounts = print("{\"destination\":\"%s\",\"type\":\"tmpfs\"}", path)}, "/mounts/"},
        {{.mounts = print("{\"destination\":\"/%s\",\"type\":\"tmpfs\"}", name)}, "/mounts/"},
        {{.mounts = print("{\"destination\":\"/x\",\"type\":\"bind\",\"source\":\"%s\",\"options\":[\"bind\"]}", path)}, "/mounts/"},
        {{.top = print("\"hostname\":\"%065d\"", 0)}, "/hostname"},
        {{.top = print("\"domainname\":\"%065d\"", 0)}, "/domainname"},
        {{.top = print("\"hooks\":{\"createRuntime\":[{\"path\":\"%s\"}]}", path)}, "/hooks/createRuntime"},
        {{.namespaces = print("[{\"type\":\"mount\"},{\"type\":\"uts\"},{\"type\":\"ipc\",\"path\":\"%s\"}]", path)}, "/linux/namespaces/2"},
        {{.linux_ = print("\"sysctl\":{\"kernel.%s\":\"1\"}", path + 1)}, "sysctl"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct config config = cases[i].config;
        if (geteuid() && config.namespaces) continue;
        struct outcome *out = ran(t, &config), list;
        EXPECT(out->code >= 125 && out->code <= 127 && good_text(out->err) && !out->out_n, "%zu: %d %.300s%.300s", i, out->code, out->err, out->out);
        EXPECT(strstr(out->err, cases[i].pointer), "%zu: no %s in: %.600s", i, cases[i].pointer, out->err);
        run_ocirt(t, &list, "list", "-q");
        EXPECT(!list.out_n, "%zu: left %s", i, list.out);
        outcome_free(out);
    }
}

/* ---- F57: config.json is something else ---- */

static void config_is_no_file(struct t *t) {
    struct bundle b;
    struct outcome out;
    root_make(t, &b);
    for (int kind = 0; kind < 5; kind++) {
        unlink(b.config);
        rmdir(b.config);
        int made = kind == 0 ? mkdir(b.config, 0755) : kind == 1 ? mkfifo(b.config, 0644) : symlink(kind == 2 ? "/dev/zero" : kind == 3 ? "config.json" : "/proc/self/mem", b.config);
        CHECK_SYS(made);
        run_ocirt(t, &out, "create", "-b", b.path, t->tag);
        EXPECT(!out.timed_out && out.code == 1 && good_text(out.err) && strstr(out.err, "config.json"), "kind %d: %d %s", kind, out.code, out.err);
        outcome_free(&out);
    }
}

const struct test run_input_tests[] = {
    {"input.huge_configs", huge_configs, 0, 0},
    {"input.lengths", lengths, 0, 0},
    {"input.config_is_no_file", config_is_no_file, 0, 0},
    {0},
};
