/* run_hooks.c: hooks: when, where, with what, and what their failure does. */
#include "runs.h"
#include <signal.h>

#define KINDS 6
static const char *const kinds[KINDS] = {"prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"};

/* Hooks of the runtime run this program and write to a file of the host; startContainer's is the
 * payload of the rootfs and writes into the root. */
static char *hook_path(unsigned kind) { return print("%s", kind == 3 ? "/payload" : test_exe()); }
static char *hook_file(struct t *t, unsigned kind) { return kind == 3 ? print("/log") : print("%s/log", t->dir); }

static char *hook_of(struct t *t, unsigned kind, const char *name, int code, const char *more) {
    return print("{\"path\":\"%s\",\"args\":[\"hook\",\"payload-hook\",\"%s\",\"%s\",\"%d\"]%s}", hook_path(kind), hook_file(t, kind), name, code, more);
}

/* Two of each kind; the one of kind `fails` ends with code 7. */
static char *all_hooks(struct t *t, int fails) {
    struct text text = {0};
    text_add(&text, "\"hooks\":{");
    for (unsigned i = 0; i < KINDS; i++)
        text_add(&text, "%s\"%s\":[%s,%s]", i ? "," : "", kinds[i], hook_of(t, i, print("%s-1", kinds[i]), (int)i == fails ? 7 : 0, ""),
                 hook_of(t, i, print("%s-2", kinds[i]), 0, ""));
    text_add(&text, "}");
    return text.at;
}

/* The names at the beginning of the lines. */
static char *log_names(const char *path) {
    struct text names = {0};
    char *text = file_read(path, NULL);
    for (char *line = text ? strtok(text, "\n") : NULL; line; line = strtok(NULL, "\n"))
        text_add(&names, "%s%.*s", names.n ? " " : "", (int)strcspn(line, " "), line);
    return names.at ? names.at : print("%s", "");
}

static char *log_line(const char *path, const char *name) {
    char *text = file_read(path, NULL);
    CHECK(text != NULL, "no %s", path);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        if (!strncmp(line, name, strlen(name)) && line[strlen(name)] == ' ') return print("%s", line);
    test_fatal(__FILE__, __LINE__, name, "no such hook in %s", path);
}

static void make_hooked(struct t *t, struct bundle *b, const char *args, const char *hooks) {
    root_make(t, b);
    bundle_config(b, &(struct config){.args = args, .top = hooks});
}

static void order(struct t *t) {
    struct bundle b;
    char *log = print("%s/log", t->dir);
    make_hooked(t, &b, "payload-sleep 100", all_hooks(t, -1));
    char *inside = print("%s/log", b.rootfs);
    expect(t, 0, "", "create", "-b", b.path, t->tag);
    CHECK_TEXT(log_names(log), "prestart-1 prestart-2 createRuntime-1 createRuntime-2 createContainer-1 createContainer-2");
    CHECK_TEXT(log_names(inside), "");
    expect(t, 0, "", "start", t->tag);
    CHECK_TEXT(log_names(log), "prestart-1 prestart-2 createRuntime-1 createRuntime-2 createContainer-1 createContainer-2 poststart-1 poststart-2");
    CHECK_TEXT(log_names(inside), "startContainer-1 startContainer-2");
    expect(t, 0, "", "delete", "--force", t->tag);
    CHECK_TEXT(log_names(log), "prestart-1 prestart-2 createRuntime-1 createRuntime-2 createContainer-1 createContainer-2 poststart-1 poststart-2 poststop-1 poststop-2");
    reap_all();
}

/* Of one line: the text behind KEY= up to a space. */
static char *field(const char *line, const char *key) {
    const char *at = strstr(line, print(" %s=", key));
    CHECK(at != NULL, "no %s in %s", key, line);
    at += strlen(key) + 2;
    return print("%.*s", (int)strcspn(at, " "), at);
}

static void places_and_states(struct t *t) {
    struct bundle b;
    char *log = print("%s/log", t->dir);
    make_hooked(t, &b, "payload-sleep 100", print("%s,\"annotations\":{\"key.one\":\"value one\"}", all_hooks(t, -1)));
    char *inside = print("%s/log", b.rootfs);
    expect(t, 0, "", "create", "-b", b.path, t->tag);
    char *pid = state_get(t, t->tag, "pid");
    unsigned long long mnt = ns_of(atoi(pid), "mnt"), pidns = ns_of(atoi(pid), "pid");
    expect(t, 0, "", "start", t->tag);
    expect(t, 0, "", "delete", "--force", t->tag);
    reap_all();
    for (unsigned i = 0; i < KINDS; i++) {
        char *line = log_line(i == 3 ? inside : log, print("%s-2", kinds[i]));
        bool in = i == 2 || i == 3;
        if (!in || mnt) /* an ordinary user may not look at those of a waiting container */
            EXPECT(!strcmp(field(line, "mnt"), print("%llu", in ? mnt : ns_of(0, "mnt"))), "%s: mnt %s", kinds[i], field(line, "mnt"));
        /* the container's /proc is not there yet for createContainer, so ns/pid says nothing of it */
        if (i != 2 && (!in || pidns)) EXPECT(!strcmp(field(line, "pid"), print("%llu", in ? pidns : ns_of(0, "pid"))), "%s: pid ns %s", kinds[i], field(line, "pid"));
        EXPECT(!strcmp(field(line, "env"), ""), "%s: env %s", kinds[i], field(line, "env"));
        const char *state = strstr(line, "state=") + 6;
        char *copy = print("%s", state);
        EXPECT(!strcmp(json_get(copy, "id"), t->tag), "%s: %s", kinds[i], state);
        EXPECT(!strncmp(json_get(copy, "ociVersion"), "1.", 2), "%s: %s", kinds[i], state);
        EXPECT(!strcmp(json_get(copy, "bundle"), b.path), "%s: %s", kinds[i], state);
        EXPECT(strstr(state, "value one"), "%s: %s", kinds[i], state);
        static const char *const wanted[KINDS] = {"creating", "creating", "creating", "created", "running", "stopped"};
        EXPECT(!strcmp(json_get(copy, "status"), wanted[i]), "%s: status %s", kinds[i], json_get(copy, "status"));
        if (!in && i != 5) EXPECT(!strcmp(json_get(copy, "pid"), pid), "%s: pid %s, not %s", kinds[i], json_get(copy, "pid"), pid);
    }
}

static void env_and_args(struct t *t) {
    setenv("CALLER", "secret", 1);
    struct text hooks = {0};
    text_add(&hooks, "\"hooks\":{\"createRuntime\":[%s,%s]}", hook_of(t, 1, "given", 0, ",\"env\":[\"A=1\",\"B=x=y\"]"), hook_of(t, 1, "none", 0, ",\"env\":[]"));
    struct outcome *out = ran(t, &(struct config){.args = "payload-exit 0", .top = hooks.at});
    CHECK(out->code == 0, "%s", out->err);
    CHECK_TEXT(field(log_line(print("%s/log", t->dir), "given"), "env"), "A=1,B=x=y");
    CHECK_TEXT(field(log_line(print("%s/log", t->dir), "none"), "env"), "");
}

static void bad_hooks(struct t *t) {
    refused(t, &(struct config){.top = "\"hooks\":{\"createRuntime\":[{\"path\":\"relative\"}]}"}, 125, "/hooks/createRuntime/0");
    refused(t, &(struct config){.top = "\"hooks\":{\"createRuntime\":[{}]}"}, 125, "/hooks/createRuntime/0");
    refused(t, &(struct config){.top = "\"hooks\":{\"poststop\":[{\"path\":\"/x\",\"timeout\":0}]}"}, 125, "/hooks/poststop/0");
    refused(t, &(struct config){.top = "\"hooks\":{\"poststop\":[{\"path\":\"/x\",\"timeout\":-1}]}"}, 125, "/hooks/poststop/0");
    refused(t, &(struct config){.top = "\"hooks\":{\"createRuntime\":[{\"path\":\"/not/there\"}]}"}, 125, "/not/there");
    refused(t, &(struct config){.top = print("\"hooks\":{\"createRuntime\":[{\"path\":\"%s\"}]}", t->dir)}, 125, "/hooks/createRuntime");
}

/* A hook of create fails: nothing is left, the rest of its kind did not run, and poststop did. */
static void create_failure(struct t *t) {
    for (int kind = 0; kind < 3; kind++) {
        struct bundle b;
        char *log = print("%s/log", t->dir);
        unlink(log);
        make_hooked(t, &b, "payload-exit 0", all_hooks(t, kind));
        if (kind == 0) {
            struct outcome probe;
            run_ocirt(t, &probe, "list");
        }
        struct snap *before = snap_take(t, SNAP_HOST);
        struct outcome out;
        run_ocirt(t, &out, "create", "-b", b.path, t->tag);
        EXPECT(out.code == 1, "%s: %d %s", kinds[kind], out.code, out.err);
        EXPECT(strstr(out.err, print("/hooks/%s", kinds[kind])), "%s: %s", kinds[kind], out.err);
        char *names = log_names(log);
        EXPECT(strstr(names, print("%s-1", kinds[kind])) && !strstr(names, print("%s-2", kinds[kind])), "%s: %s", kinds[kind], names);
        EXPECT(strstr(names, "poststop-1 poststop-2"), "%s: no poststop: %s", kinds[kind], names);
        outcome_free(&out);
        unlink(log);
        rmdir(t->state);
        CHECK_SNAP(t, before);
        expect(t, 1, "container does not exist", "state", t->tag);
    }
}

/* startContainer and poststart: start fails, the program is gone, the container too. */
static void start_failure(struct t *t) {
    for (int kind = 3; kind < 5; kind++) {
        struct bundle b;
        char *log = print("%s/log", t->dir);
        unlink(log);
        make_hooked(t, &b, "payload-script write /ran yes -- sleep 100", all_hooks(t, kind));
        unlink(print("%s/ran", b.rootfs));
        expect(t, 0, "", "create", "-b", b.path, t->tag);
        struct outcome out, state;
        pid_t pid = atoi(state_get(t, t->tag, "pid"));
        run_ocirt(t, &out, "start", t->tag);
        EXPECT(out.code == 1, "%s: %d %s", kinds[kind], out.code, out.err);
        EXPECT(strstr(out.err, kinds[kind]), "%s: %s", kinds[kind], out.err);
        reap_all();
        EXPECT(kill(pid, 0) && errno == ESRCH, "%s: the process is there", kinds[kind]);
        if (kind == 3) EXPECT(access(print("%s/ran", b.rootfs), F_OK), "the program ran");
        run_ocirt(t, &state, "state", t->tag);
        EXPECT(state.code == 1 || strstr(state.out, "stopped"), "%s: %s", kinds[kind], state.out);
        if (state.code == 0) expect(t, 0, "", "delete", t->tag);
        char *names = log_names(log);
        EXPECT(strstr(names, "poststop-1 poststop-2"), "%s: no poststop: %s", kinds[kind], names);
        reap_all();
    }
}

/* A failing poststop is told, the rest runs, and the container is gone. */
static void poststop_failure(struct t *t) {
    struct bundle b;
    struct outcome out;
    make_hooked(t, &b, "payload-exit 0", all_hooks(t, 5));
    expect(t, 0, "", "create", "-b", b.path, t->tag);
    expect(t, 0, "", "start", t->tag);
    await_status(t, "stopped");
    reap_all();
    run_ocirt(t, &out, "delete", t->tag);
    CHECK_INT(out.code, 0);
    CHECK_HAS(log_names(print("%s/log", t->dir)), "poststop-1 poststop-2");
    expect(t, 1, "container does not exist", "state", t->tag);
}

static void failing_output_is_told(struct t *t) {
    refused(t, &(struct config){.top = print("\"hooks\":{\"createRuntime\":[{\"path\":\"%s\",\"args\":[\"hook\",\"payload-script\",\"error\",\"my-own-words\",\"--\",\"exit\",\"9\"]}]}", test_exe())}, 125, "my-own-words");
    refused(t, &(struct config){.top = print("\"hooks\":{\"createRuntime\":[{\"path\":\"%s\",\"args\":[\"hook\",\"payload-signal\",\"9\"]}]}", test_exe())}, 125, "signal");
    /* one that does not read its input, and one that writes more than anybody keeps */
    struct outcome *out = ran(t, &(struct config){.args = "payload-exit 0", .top = print("\"hooks\":{\"createRuntime\":[{\"path\":\"%s\",\"args\":[\"hook\",\"payload-flood\",\"3000000\"]}]}", test_exe())});
    CHECK(out->code == 0, "%s", out->err);
}

static void timeout_kills(struct t *t) {
    double start = now();
    refused(t, &(struct config){.top = print("\"hooks\":{\"createRuntime\":[{\"path\":\"%s\",\"args\":[\"hook\",\"payload-script\",\"ignore\",\"15\",\"--\",\"sleep\",\"60\"],\"timeout\":1}]}", test_exe())}, 125, "timeout");
    CHECK(now() - start > 0.9 && now() - start < 5 * time_scale(), "%.1f s", now() - start);
    start = now();
    refused(t, &(struct config){.top = print("\"hooks\":{\"createContainer\":[{\"path\":\"%s\",\"args\":[\"hook\",\"payload-sleep\",\"60\"],\"timeout\":1}]}", test_exe())}, 125, "timeout");
    CHECK(now() - start < 5 * time_scale(), "%.1f s", now() - start);
}

static void hooks_are_clean(struct t *t) {
    struct bundle b;
    struct outcome out;
    char *file = print("%s/report", t->dir);
    (void)file;
    root_make(t, &b);
    bundle_config(&b, &(struct config){.args = "payload-exit 0", .top = print(
        "\"hooks\":{\"createRuntime\":[{\"path\":\"%s\",\"args\":[\"hook\",\"payload-script\",\"report\",\"--\",\"exit\",\"1\"]}]}", test_exe())});
    signal(SIGUSR1, SIG_IGN);
    run_ocirt(t, &out, "run", "-b", b.path, t->tag);
    signal(SIGUSR1, SIG_DFL);
    CHECK_INT(out.code, 125);
    CHECK(strstr(out.err, "fd.0=") == NULL || !strstr(out.err, "fd.3="), "a hook has more than three descriptors: %s", out.err);
}

const struct test run_hooks_tests[] = {
    {"hooks.order", order, 0, 0},
    {"hooks.places_and_states", places_and_states, TEST_ROOT, 0},
    {"hooks.env_and_args", env_and_args, 0, 0},
    {"hooks.bad_hooks", bad_hooks, 0, 0},
    {"hooks.create_failure", create_failure, 0, 0},
    {"hooks.start_failure", start_failure, 0, 0},
    {"hooks.poststop_failure", poststop_failure, 0, 0},
    {"hooks.failing_output_is_told", failing_output_is_told, 0, 0},
    {"hooks.timeout_kills", timeout_kills, 0, 0},
    {"hooks.hooks_are_clean", hooks_are_clean, 0, 0},
    {0}};
