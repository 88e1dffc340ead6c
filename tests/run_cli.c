/* run_cli.c: the command line: words, codes, files, and what is told apart. The life cycle itself is
 * in run_life.c. */
#include "runs.h"
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <time.h>

/* ---- small readers ---- */

static unsigned count_lines(const char *text) {
    unsigned n = 0;
    for (; *text; text++) n += *text == '\n';
    return n;
}

static void in_folder(struct t *t, const char *cwd, struct outcome *out, const char *const *args) {
    need_ocirt();
    command_run(&(struct command){.argv = ocirt_argv(t, args), .cwd = cwd}, out);
}
#define in(t, cwd, out, ...) in_folder((t), (cwd), (out), (const char *const[]){__VA_ARGS__, NULL})

static void make_bundle(struct t *t, struct bundle *b, const char *name, const char *args) {
    bundle_make(t, b, name);
    bundle_config(b, &(struct config){.args = args});
}

/* ---- words and codes ---- */

/* In an empty folder. What is refused says why, on stderr alone; what is done says nothing there. */
static void words(struct t *t) {
    static const struct {
        const char *args; /* between spaces */
        int code;
        const char *word;
    } cases[] = {
        {"", 1, NULL},
        {"help", 0, "usage: ocirt"},
        {"--help", 0, "usage: ocirt"},
        {"-h", 0, "usage: ocirt"},
        {"help kill", 0, "usage: ocirt kill"},
        {"kill --help", 0, "usage: ocirt kill"},
        {"run -h", 0, "usage: ocirt run"},
        {"run -h", 0, "  -b, --bundle DIR "},
        {"help exec", 0, "      --cwd DIR "},
        {"help update", 0, "      --cpu-quota US "},
        {"list -h", 0, "  -q, --quiet "},
        {"help", 0, "      --root DIR "},
        {"run nosuch", 125, "nosuch is no bundle, and there is none here"},
        {"version", 0, "spec: 1."},
        {"--version", 0, "ocirt version "},
        {"-v", 0, "ocirt version "},
        {"list", 0, "STATUS"},
        {"list -q", 0, ""},
        {"list --format table", 0, "STATUS"},
        {"list -f json", 0, "[]"},
        {"-debug list -q", 0, ""},
        {"--debug=false --systemd-cgroup --rootless true list -q", 0, ""},
        {"--log-level debug list -q", 0, ""},
        {"--cgroup-manager disabled list -q", 0, ""},
        {"delete --force nobody", 0, ""},
        {"delete -force nobody", 0, ""},
        {"help nonsense", 1, "unknown command nonsense"},
        {"nonsense", 1, "unknown command nonsense"},
        {"Run x", 1, "unknown command Run"},
        {"--nonsense list", 1, "unknown option --nonsense"},
        {"list --nonsense", 1, "unknown option --nonsense of list"},
        {"list -x", 1, "unknown option -x of list"},
        {"list -qf", 1, "unknown option -qf of list"},
        {"list --root x", 1, "unknown option --root of list"},
        {"list x", 1, "too many arguments of list: x"},
        {"list -f yaml", 1, "unknown format yaml"},
        {"list -f", 1, "requires an argument"},
        {"state", 1, "id is missing"},
        {"state a b", 1, "too many arguments of state: b"},
        {"state a b c", 1, "too many arguments"},
        {"state -- nobody", 1, "container does not exist"},
        {"state nobody", 1, "container does not exist"},
        {"start -- a b", 1, "too many arguments of start: b"},
        {"kill", 1, "id is missing"},
        {"kill a KILL now", 1, "too many arguments"},
        {"kill a -- KILL", 1, "container does not exist"},
        {"kill a NOPE", 1, "unknown signal \"NOPE\""},
        {"kill a -9", 1, "unknown option -9 of kill"},
        {"delete", 1, "id is missing"},
        {"create", 1, "id is missing"},
        {"create --bundle", 1, "flag needs an argument"},
        {"create x", 1, "./config.json: no such file or directory"},
        {"--cgroup-manager other list", 1, "unknown cgroup manager other"},
        {"--log-format yaml list", 1, "unknown log format yaml"},
        {"--debug=maybe list", 1, "--debug takes true or false, not maybe"},
        {"check", 1, "config.json: no such file or directory"},
        {"plan none", 1, "none/config.json: no such file or directory"},
        {"seccomp", 1, "config.json: no such file or directory"},
        {"seccomp a 1 2 3 4 5 6 7", 1, "too many arguments"},
        {"features x", 1, "too many arguments of features: x"},
        {"version x", 1, "too many arguments of version: x"},
        {"pause", 1, "id is missing"},
        {"pause a b", 1, "too many arguments of pause: b"},
        {"resume", 1, "id is missing"},
        {"resume --nonsense a", 1, "unknown option --nonsense of resume"},
        {"update", 1, "id is missing"},
        {"update --memory", 1, "requires an argument"},
        {"update a b", 1, "too many arguments of update: b"},
        {"update --resources none nobody", 1, "none"},
        {"exec", 255, "id is missing"},
        {"exec nobody", 255, "exec needs a program"},
        {"exec nobody true", 255, "container does not exist"},
        {"exec nobody -- true", 255, "container does not exist"},
        {"exec nobody --nonsense", 255, "container does not exist"},
        {"exec --nonsense nobody true", 255, "unknown option --nonsense of exec"},
        {"exec --process none nobody", 255, "none: no such file or directory"},
        {"exec --process none nobody true", 255, "one of them only"},
        {"exec --process", 255, "requires an argument"},
        {"ps", 1, "id is missing"},
        {"ps nobody -ef", 1, "container does not exist"},
        {"ps -f yaml nobody", 1, "unknown format yaml"},
        {"events", 1, "id is missing"},
        {"events --interval", 1, "requires an argument"},
        {"events --interval never nobody", 1, "interval"},
        {"stats nobody", 1, "container does not exist"},
        {"stats", 0, "ID "},
        {"help update", 0, "usage: ocirt update"},
        {"events --help", 0, "usage: ocirt events"},
        {"stats -h", 0, "usage: ocirt stats"},
        {"ps -h", 0, "usage: ocirt ps"},
        {"run", 125, "config.json: no such file or directory"},
        {"run x", 125, "`ocirt spec` writes a config.json"},
        {"run a b", 125, "too many arguments of run: b"},
        {"run a -- b", 125, "too many arguments of run: b"},
        {"run --nonsense x", 125, "unknown option --nonsense of run"},
        {"run --preserve-fds many x", 125, "--preserve-fds takes a number"},
        {"run --preserve-fds -1 x", 125, "--preserve-fds takes a number"},
        {"run --rootfs", 125, "requires an argument"},
        {"run --rootfs .", 125, "needs a program"},
        {"run --rootfs . --", 125, "needs a program"},
        {"run --rootfs none -- sh", 125, "root file system"},
    };
    make_dirs(print("%s/empty", t->dir), 0755);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *list[16] = {0};
        size_t n = 0;
        struct outcome out;
        for (char *word = strtok(print("%s", cases[i].args), " "); word; word = strtok(NULL, " ")) list[n++] = word;
        in_folder(t, print("%s/empty", t->dir), &out, list);
        EXPECT(out.code == cases[i].code, "%s: code %d, %s", cases[i].args, out.code, out.err);
        EXPECT(!cases[i].word || strstr(cases[i].code ? out.err : out.out, cases[i].word), "%s: no \"%s\" in: %.99s%.300s", cases[i].args, cases[i].word, out.out, out.err);
        EXPECT(!cases[i].word || (cases[i].code ? out.out_n : out.err_n) == 0, "%s: also said: %.99s%.99s", cases[i].args, out.out, out.err);
        EXPECT(!cases[i].code || !strncmp(out.err, "ocirt: ", 7) || !cases[i].word, "%s: %s", cases[i].args, out.err);
        outcome_free(&out);
    }
    CHECK(rmdir(print("%s/empty", t->dir)) == 0, "%s", "something was left in the folder");
}

/* Global flags stand before the command, in all their forms; the last one counts. */
static void globals(struct t *t) {
    struct bundle b;
    char *other = print("%s/other", t->dir), *joined = print("--root=%s", other);
    const char *const forms[][8] = {{"ocirt", "--root", other, "list", "-q", NULL}, {"ocirt", "-root", other, "list", "-q", NULL}, {"ocirt", joined, "list", "-q", NULL},
                                    {"ocirt", "--root", t->state, joined, "list", "-q", NULL}};
    make_bundle(t, &b, BUNDLE, "payload-sleep 100");
    need_ocirt();
    expect(t, 0, "", "--root", other, "create", "-b", b.path, t->tag); /* after the one of the harness */
    CHECK_OK(access(t->state, F_OK));
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct outcome out;
        command_run(&(struct command){.argv = forms[i]}, &out);
        EXPECT(out.code == 0 && !strcmp(out.out, print("%s\n", t->tag)), "form %zu: %s%s", i, out.out, out.err);
    }
    expect(t, 0, "", "--root", other, "delete", "--force", t->tag);
    reap_all();
}

static void full_device(struct t *t) {
    static const char *const commands[] = {"features", "version", "help", "list"};
    need_ocirt();
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        struct outcome out;
        int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
        CHECK_SYS(full);
        command_run(&(struct command){.argv = ocirt_argv(t, (const char *const[]){commands[i], NULL}), .out_fd = full}, &out);
        EXPECT(out.code == 1 && strstr(out.err, "could not be written"), "%s > /dev/full: %d %s", commands[i], out.code, out.err);
        close(full);
    }
}

/* ---- run BUNDLE, run ID ---- */

static void bundle_or_id(struct t *t) {
    struct bundle a, b;
    struct outcome out;
    make_bundle(t, &a, "one", "payload-exit 11");
    make_bundle(t, &b, "two", "payload-exit 12");
    make_bundle(t, &b, "one/nested", "payload-exit 13");
    /* a plain word is a bundle where it can be nothing else */
    in(t, t->dir, &out, "run", "one");
    CHECK(out.code == 11, "%s", out.err);
    in(t, t->dir, &out, "run", "./two");
    CHECK(out.code == 12, "%s", out.err);
    in(t, t->dir, &out, "run", "one/");
    CHECK(out.code == 11, "%s", out.err);
    in(t, a.path, &out, "run", "..");
    CHECK(out.code == 125 && strstr(out.err, "../config.json"), "%d %s", out.code, out.err);
    in(t, a.path, &out, "run", "../two");
    CHECK(out.code == 12, "%s", out.err);
    in(t, a.path, &out, "run", "plain-id");
    CHECK(out.code == 11, "%s", out.err);
    in(t, a.path, &out, "run");
    CHECK(out.code == 11, "%s", out.err);
    /* in a bundle, with a bundle of that name: neither is guessed */
    in(t, a.path, &out, "run", "nested");
    CHECK_INT(out.code, 125);
    CHECK_HAS(out.err, "write ./nested or -b . nested");
    in(t, a.path, &out, "run", "./nested");
    CHECK_INT(out.code, 13);
    in(t, a.path, &out, "run", "-b", ".", "nested");
    CHECK_INT(out.code, 11);
    /* with -b it is an id, whatever it is the name of */
    in(t, t->dir, &out, "run", "-b", "two", "one");
    CHECK_INT(out.code, 12);
    in(t, t->dir, &out, "run", "--config", b.config, "one");
    CHECK_INT(out.code, 13);
    /* a made-up id is told when it goes on */
    make_bundle(t, &a, "one", "payload-sleep 100");
    in(t, t->dir, &out, "run", "-d", "one");
    CHECK(out.code == 0 && count_lines(out.out) == 1, "%d %s%s", out.code, out.out, out.err);
    char *id = print("%.*s", (int)strcspn(out.out, "\n"), out.out);
    CHECK_TEXT(state_get(t, id, "status"), "running");
    delete_all(t);
}

static void rootfs(struct t *t) {
    struct bundle b;
    struct outcome out;
    root_make(t, &b);
    root_file(&b, "plain", "not executable");
    run_ocirt(t, &out, "run", "--rootfs", b.rootfs, "--", "/payload", "payload-report");
    CHECK(out.code == 0, "%d %s", out.code, out.err);
    CHECK_REPORT(&out, "pid", "1");
    CHECK_REPORT(&out, "argc", "1");
    CHECK_REPORT(&out, "uid", "0 0 0 0");
    CHECK_REPORT(&out, "cwd", "/");
    in(t, b.path, &out, "run", "--rootfs", "rootfs", "--", "/payload", "payload-exit", "9");
    CHECK(out.code == 9, "%d %s", out.code, out.err);
    in(t, b.path, &out, "run", "--rootfs=rootfs", t->tag, "--", "/payload", "payload-script", "echo", "--", "--rootfs", "-h");
    CHECK(out.code == 64, "%d %s", out.code, out.err); /* all behind the first -- is the program's */
    run_ocirt(t, &out, "run", "--rootfs", b.rootfs, "--", "/plain");
    CHECK(out.code == 126 && strstr(out.err, "permission denied"), "%d %s", out.code, out.err);
    run_ocirt(t, &out, "run", "--rootfs", b.rootfs, "--", "nothing");
    CHECK(out.code == 127 && strstr(out.err, "executable file not found"), "%d %s", out.code, out.err);
    CHECK_OK(!strstr(out.err, "config.json")); /* nobody wrote one */
    run_ocirt(t, &out, "run", "--rootfs", b.rootfs, "--", "/payload", "payload-script", "background", "sleep", "0.1", "--", "kill", "2", "9", "--", "exit", "0");
    CHECK_INT(out.code, 0);
    struct outcome started;
    need_ocirt();
    pid_t pid = command_start(&(struct command){.argv = ocirt_argv(t, (const char *const[]){"run", "--rootfs", b.rootfs, t->tag, "--", "/payload", "payload-sleep", "100", NULL})}, &started);
    for (double end = now() + 5 * time_scale(); now() < end;) {
        run_ocirt(t, &out, "state", t->tag);
        if (out.code == 0 && !strcmp(json_get(out.out, "status"), "running")) break;
        nap(0.01);
    }
    expect(t, 0, "", "kill", t->tag, "KILL");
    command_wait(pid, 5, &started);
    CHECK_INT(started.code, 128 + SIGKILL);
}

/* ---- spec, check, plan, features ---- */

static void spec(struct t *t) {
    struct outcome out;
    struct stat info;
    char *path = print("%s/config.json", t->dir), *text;
    in(t, t->dir, &out, "spec");
    CHECK(out.code == 0 && !out.out_n, "%d %s", out.code, out.err);
    text = file_read(path, NULL);
    CHECK(text && is_json(text), "%s", text ? text : "no file");
    CHECK_OK(!strstr(text, "\"uidMappings\""));
    /* never over what is there, be it a link that leads nowhere */
    file_write(path, "mine");
    in(t, t->dir, &out, "spec");
    CHECK(out.code == 1 && strstr(out.err, "file exists"), "%d %s", out.code, out.err);
    CHECK_TEXT(file_read(path, NULL), "mine");
    CHECK_SYS(unlink(path));
    CHECK_SYS(symlink("elsewhere", path));
    in(t, t->dir, &out, "spec");
    CHECK_INT(out.code, 1);
    CHECK_OK(lstat(print("%s/elsewhere", t->dir), &info));
    CHECK_SYS(unlink(path));
    in(t, t->dir, &out, "spec", "-f", "-");
    CHECK_INT(out.code, 0);
    CHECK_TEXT(out.out, text);
    in(t, t->dir, &out, "spec", "--bundle=", "-f", "here.json"); /* as with run: no folder is this one */
    CHECK(out.code == 0 && !access(print("%s/here.json", t->dir), F_OK), "%d %s", out.code, out.err);
    make_dirs(print("%s/folder", t->dir), 0755);
    run_ocirt(t, &out, "spec", "--rootless", "--bundle", print("%s/folder", t->dir));
    CHECK(out.code == 0, "%s", out.err);
    text = file_read(print("%s/folder/config.json", t->dir), NULL);
    CHECK_OK(text && is_json(text) && strstr(text, "\"uidMappings\""));
    CHECK_HAS(text, print("\"hostID\": %u", (unsigned)geteuid()));
    run_ocirt(t, &out, "spec", "-b", print("%s/none", t->dir));
    CHECK(out.code == 1 && strstr(out.err, "none"), "%d %s", out.code, out.err);
}

/* What it writes runs, with the one program that is there. */
static void spec_runs(struct t *t) {
    for (int rootless = geteuid() ? 1 : 0; rootless < 2; rootless++) {
        struct bundle b;
        struct outcome out;
        if (rootless) need_userns();
        root_make(t, &b);
        unlink(b.config);
        run_ocirt(t, &out, "spec", "-b", b.path, rootless ? "--rootless" : NULL);
        CHECK(out.code == 0, "%s", out.err);
        run_ocirt(t, &out, "check", b.path);
        CHECK(out.code == 0 && !out.out_n, "%s%s", out.out, out.err);
        char *text = replaced(file_read(b.config, NULL), "\"sh\"", "\"/payload\",\"payload-report\"");
        bundle_write(&b, "%s", replaced(text, "\"terminal\": true", "\"terminal\": false"));
        run_ocirt(t, &out, "run", b.path);
        CHECK(out.code == 0, "%d %s", out.code, out.err);
        CHECK_REPORT(&out, "no_new_privs", "1");
    }
}

static void check(struct t *t) {
    struct bundle b;
    struct outcome out;
    root_make(t, &b);
    bundle_config(&b, NULL);
    run_ocirt(t, &out, "check", b.path);
    CHECK(out.code == 0 && !out.out_n && !out.err_n, "%d %s%s", out.code, out.out, out.err);
    in(t, b.path, &out, "check");
    CHECK_INT(out.code, 0);
    bundle_config(&b, &(struct config){.top = "\"hostnam\":\"x\""});
    run_ocirt(t, &out, "check", b.path);
    CHECK(strstr(out.out, "warning: ") && strstr(out.out, "hostnam") && strstr(out.out, "hostname"), "%s", out.out);
    run_ocirt(t, &out, "check", "--json", b.path);
    CHECK(count_lines(out.out) == 1 && is_json(out.out), "%s", out.out);
    run_ocirt(t, &out, "run", b.path); /* unknown properties are no error of a run */
    CHECK(out.code == 0, "%s", out.err);
    /* a broken one: one place, line and column */
    bundle_write(&b, "{\n  \"ociVersion\": \"1.0.0\",\n  \"root\": {\"path\": 5}\n}\n");
    run_ocirt(t, &out, "check", b.path);
    CHECK_INT(out.code, 1);
    CHECK_HAS(out.err, "config.json:3:20 /root/path");
    bundle_write(&b, "%s", "{\"ociVersion\": \"1.0.0\",}");
    run_ocirt(t, &out, "check", b.path);
    CHECK_INT(out.code, 1);
    CHECK_HAS(out.err, "config.json:1:24");
}

/* Says what would be done, does nothing, needs no root and no root file system. */
static void plan(struct t *t) {
    struct bundle b;
    struct outcome out, json;
    root_make(t, &b);
    bundle_config(&b, &(struct config){.top = "\"hostname\":\"planned\"", .mounts = "{\"destination\":\"/made\",\"type\":\"tmpfs\",\"source\":\"tmpfs\"}"});
    struct snap *before = snap_take(t, SNAP_ROOTFS | SNAP_HOST);
    run_ocirt(t, &out, "plan", b.path);
    CHECK(out.code == 0 && !out.err_n, "%d %s", out.code, out.err);
    CHECK_HAS(out.out, "planned");
    CHECK_HAS(out.out, "/made");
    CHECK_HAS(out.out, "/payload");
    run_ocirt(t, &json, "plan", "--json", b.path);
    CHECK(json.code == 0 && is_json(json.out), "%d %.500s", json.code, json.out);
    CHECK_HAS(json.out, "/made");
    outcome_free(&json);
    in(t, b.path, &json, "plan");
    CHECK_TEXT(json.out, out.out);
    outcome_free(&json);
    outcome_free(&out);
    CHECK_SNAP(t, before);
    bundle_config(&b, &(struct config){.top = "\"hostname\":\"planned\"", .namespaces = "pid mount"});
    run_ocirt(t, &out, "plan", b.path);
    CHECK(out.code == 1 && strstr(out.err, "/hostname") && !out.out_n, "%d %s", out.code, out.err);
}

/* Prints the program, and what a call would meet. Touches nothing, needs no root file system. */
static void seccomp(struct t *t) {
    static const struct {
        const char *args, *want;
    } cases[] = {{"seccomp -b B --arch x86_64 read", "read (0 on x86_64): ALLOW; found in "}, {"seccomp --bundle=B --arch x86_64 socket 40", "socket (41 on x86_64): ERRNO 97, "},
        {"seccomp -b B --arch x86_64 socket 0x28 1", "ERRNO 97"}, {"seccomp -b B --arch x86_64 socket 2 1", "socket (41 on x86_64): KILL;"},
        {"seccomp -b B --arch x86_64 lseek 0 0 -- -1", "lseek (8 on x86_64): LOG;"}, {"seccomp -b B --arch aarch64 9999", "9999 (9999 on aarch64): ERRNO 38, "},
        {"seccomp -b B --arch x86_64", "if == 0xc000003e x86_64: "}, {"seccomp -f B/config.json --arch s390x", "return ERRNO 97"}};
    static const struct {
        const char *args, *want;
    } wrong[] = {{"seccomp -b B --arch x86_64 nonsense", "x86_64 has no call \"nonsense\""}, {"seccomp -b B --arch vax", "unknown architecture \"vax\""},
        {"seccomp -b B --arch x86_64 read x", "\"x\" is not a number"}};
    struct bundle b;
    root_make(t, &b);
    bundle_config(&b, &(struct config){.linux_ = "\"seccomp\":{\"defaultAction\":\"SCMP_ACT_KILL\",\"syscalls\":[{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\"},"
        "{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":97,\"args\":[{\"index\":0,\"value\":40,\"op\":\"SCMP_CMP_EQ\"}]},"
        "{\"names\":[\"lseek\"],\"action\":\"SCMP_ACT_LOG\",\"args\":[{\"index\":2,\"value\":18446744073709551615,\"op\":\"SCMP_CMP_EQ\"}]}]}"});
    for (size_t i = 0; i < sizeof cases / sizeof *cases + sizeof wrong / sizeof *wrong; i++) {
        bool good = i < sizeof cases / sizeof *cases;
        const char *list[16] = {0}, *args = good ? cases[i].args : wrong[i - sizeof cases / sizeof *cases].args, *want = good ? cases[i].want : wrong[i - sizeof cases / sizeof *cases].want;
        size_t n = 0;
        struct outcome out;
        for (char *word = strtok(print("%s", args), " "); word; word = strtok(NULL, " ")) {
            char *at = strstr(word, "B/config.json");
            list[n++] = at ? b.config : strcmp(word, "B") == 0 ? b.path : strcmp(word, "--bundle=B") == 0 ? print("--bundle=%s", b.path) : word;
        }
        run_ocirt_list(t, &out, list);
        EXPECT(out.code == !good && strstr(good ? out.out : out.err, want), "%s: code %d, %s%s", args, out.code, out.out, out.err);
        outcome_free(&out);
    }
    bundle_config(&b, NULL);
    struct outcome out;
    run_ocirt(t, &out, "seccomp", "-b", b.path);
    CHECK(out.code == 1 && strstr(out.err, "has no linux.seccomp"), "%d %s", out.code, out.err);
}

static void features(struct t *t) {
    struct outcome out;
    run_ocirt(t, &out, "features");
    CHECK(out.code == 0 && !out.err_n && is_json(out.out), "%d %s", out.code, out.err);
    CHECK_TEXT(json_get(out.out, "ociVersionMin"), "1.0.0");
    CHECK_HAS(out.out, "\"hooks\"");
    CHECK_HAS(out.out, "\"poststop\"");
    CHECK_HAS(out.out, "\"tmpcopyup\"");
    CHECK_HAS(out.out, "\"CAP_SYS_ADMIN\"");
}

/* ---- list ---- */

static void list(struct t *t) {
    struct bundle b;
    struct outcome out;
    char *ids[3];
    make_bundle(t, &b, BUNDLE, "payload-sleep 100");
    for (int i = 0; i < 3; i++) {
        ids[i] = print("%s.%d", t->tag, i);
        expect(t, 0, "", "create", "-b", b.path, ids[i]);
    }
    expect(t, 0, "", "start", ids[1]);
    run_ocirt(t, &out, "list", "-q");
    CHECK_INT(count_lines(out.out), 3);
    for (int i = 0; i < 3; i++) CHECK_HAS(out.out, print("%s\n", ids[i]));
    run_ocirt(t, &out, "list");
    CHECK_INT(count_lines(out.out), 4);
    CHECK_OK(!strncmp(out.out, "ID ", 3));
    for (int i = 0; i < 3; i++) {
        char *line = strstr(out.out, ids[i]), *pid = state_get(t, ids[i], "pid");
        CHECK_OK(line != NULL);
        line = print("%.*s", (int)strcspn(line, "\n"), line);
        CHECK(strstr(line, print(" %s ", pid)) && strstr(line, i == 1 ? " running " : " created ") && strstr(line, b.path), "%s", line);
    }
    run_ocirt(t, &out, "list", "--format=json");
    CHECK(is_json(out.out) && out.out[0] == '[', "%s", out.out);
    unsigned objects = 0;
    for (const char *at = out.out; (at = strstr(at, "\"ociVersion\"")); at++) objects++;
    CHECK_INT(objects, 3);
    for (int i = 0; i < 3; i++) CHECK_HAS(out.out, print("\"%s\"", ids[i]));
    delete_all(t);
}

/* ---- log ---- */

/* {"level":...,"msg":...,"time":...} and nothing else, the time as in RFC 3339. */
static void check_line(const char *line, const char *level, const char *word) {
    struct tm when = {0};
    CHECK(is_json(line), "%s", line);
    CHECK_TEXT(json_get(line, "level"), level);
    CHECK(strstr(line, "\"msg\"") && strstr(line, word), "no %s in %s", word, line);
    const char *time = json_get(line, "time");
    CHECK_OK(time != NULL);
    char *rest = strptime(time, "%Y-%m-%dT%H:%M:%S", &when);
    CHECK(rest && (*rest == 'Z' || *rest == '.' || *rest == '+'), "%s", time);
    unsigned colons = 0;
    for (const char *at = line; at && *at && (at = json_space(at + 1)); colons++) { /* the members of the only level */
        at = json_skip(at);
        CHECK_OK(at && *json_space(at) == ':');
        at = json_space(json_skip(json_space(at) + 1));
        if (*at == '}') at = NULL;
    }
    CHECK_INT(colons, 3);
}

static void log_as_json(struct t *t) {
    struct bundle b;
    struct outcome out;
    struct stat info;
    char *log = print("%s/log.json", t->dir);
    make_bundle(t, &b, BUNDLE, "payload-exit 0");
    run_ocirt(t, &out, "--log", log, "--log-format", "json", "list", "-q");
    CHECK_OK(access(log, F_OK)); /* nothing to say */
    run_ocirt(t, &out, "--log", log, "--log-format", "json", "state", t->tag);
    CHECK(out.code == 1 && strstr(out.err, "container does not exist"), "%s", out.err); /* on stderr as well */
    check_line(file_read(log, NULL), "error", "container does not exist");
    CHECK_SYS(stat(log, &info));
    CHECK_INT(info.st_mode & 07777, 0644);
    /* each failure appends one line; quotes and ends of lines are escaped */
    run_ocirt(t, &out, "--log-format=json", "--log", log, "kill", "x", "a\"\\b\nc");
    CHECK_INT(out.code, 1);
    run_ocirt(t, &out, "--log-format=json", "--log", log, "nonsense");
    run_ocirt(t, &out, "--log-format=json", "--log", log, "run", "--nonsense");
    char *text = file_read(log, NULL);
    CHECK_INT(count_lines(text), 4);
    unsigned n = 0;
    static const char *const words[] = {"container does not exist", "unknown signal", "unknown command nonsense", "unknown option --nonsense"};
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) check_line(line, "error", words[n++]);
    /* a log that can't be opened is no reason to stop */
    expect(t, 0, "", "--log", print("%s/none/log", t->dir), "--log-format", "json", "delete", "--force", t->tag);
    expect(t, 1, "does not exist", "--log", print("%s/none/log", t->dir), "state", t->tag);
}

static void log_as_text(struct t *t) {
    struct outcome out;
    char *log = print("%s/log", t->dir);
    run_ocirt(t, &out, "--log", log, "state", t->tag);
    run_ocirt(t, &out, "--log", log, "--log-format", "text", "state", t->tag);
    char *text = file_read(log, NULL);
    CHECK_INT(count_lines(text), 2);
    CHECK_HAS(text, "container does not exist");
    CHECK_OK(!is_json(text));
}

/* ---- datagrams ---- */

static int listen_at(const char *path) {
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    strcpy(name.sun_path, path);
    CHECK_OK(fd >= 0 && !bind(fd, (struct sockaddr *)&name, sizeof name));
    return fd;
}

/* The journal's protocol has a field a line: those are ours, whatever the image calls its program. */
static void log_as_datagrams(struct t *t) {
    static const char *const fields[] = {"PRIORITY=3", "SYSLOG_PID=", "SYSLOG_IDENTIFIER=ocirt", "ID=name", "MESSAGE="};
    struct bundle b;
    struct outcome out;
    char text[2048];
    bundle_make(t, &b, BUNDLE);
    bundle_config(&b, &(struct config){.args = "[\"/no\\nPRIORITY=0\\nFORGED=1\\r\\u001b[1m\\n\\nMESSAGE\\n\"]"});
    CHECK_SYS(mount("tmpfs", "/run", "tmpfs", 0, NULL));
    CHECK_SYS(mount("tmpfs", "/dev", "tmpfs", 0, NULL));
    CHECK_SYS(mknod("/dev/null", S_IFCHR | 0666, makedev(1, 3)));
    make_dirs("/run/systemd/journal", 0755);
    int journal = listen_at("/run/systemd/journal/socket"), syslog = listen_at("/dev/log");
    run_ocirt(t, &out, "--log", "journald:name", "run", "-b", b.path, t->tag);
    CHECK_HAS(out.err, "FORGED");
    ssize_t n = recv(journal, text, sizeof text - 1, 0);
    CHECK_OK(n > 0);
    text[n] = 0;
    size_t at = 0;
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"), at++) CHECK(at < 5 && starts(line, fields[at]), "line %zu: %s", at, line);
    CHECK_INT(at, 5);
    run_ocirt(t, &out, "--log=syslog:name", "run", "-b", b.path, t->tag);
    n = recv(syslog, text, sizeof text - 1, 0);
    CHECK_OK(n > 0);
    text[n] = 0;
    CHECK(starts(text, "<11>ocirt[") && strstr(text, "]: name: ") && strstr(text, "FORGED"), "%s", text);
    for (ssize_t i = 0; i < n; i++) CHECK((unsigned char)text[i] >= ' ', "a control character in: %s", text);
    CHECK_OK(recv(syslog, text, sizeof text, 0) < 0 && recv(journal, text, sizeof text, 0) < 0);
    close(journal);
    close(syslog);
    CHECK_SYS(umount2("/dev", MNT_DETACH));
    CHECK_SYS(umount2("/run", MNT_DETACH));
}

/* podman parses the file as one object: a warning is not in it unless it is asked for. */
static void log_has_one_line(struct t *t) {
    struct bundle b;
    struct outcome out;
    char *log = print("%s/log.json", t->dir);
    bundle_make(t, &b, BUNDLE);
    bundle_config(&b, &(struct config){.args = "[\"nothing\"]", .process = "\"capabilities\":{\"bounding\":[\"CAP_FLY\"]}"});
    run_ocirt(t, &out, "--log", log, "--log-format", "json", "create", "-b", b.path, t->tag);
    CHECK_INT(out.code, 1);
    check_line(file_read(log, NULL), "error", "executable file not found in $PATH");
    CHECK_SYS(unlink(log));
    run_ocirt(t, &out, "--debug", "--log", log, "--log-format", "json", "create", "-b", b.path, t->tag);
    char *text = file_read(log, NULL);
    CHECK_INT(count_lines(text), 2);
    check_line(strtok(text, "\n"), "warning", "CAP_FLY");
    check_line(strtok(NULL, "\n"), "error", "executable file not found in $PATH");
}

/* ---- pid file, kill ---- */

/* Relative to the caller's folder and not to the bundle, over an older file, digits only. */
static void pid_file(struct t *t) {
    struct bundle b;
    struct outcome out;
    size_t n = 0;
    make_bundle(t, &b, BUNDLE, "payload-sleep 100");
    file_write(print("%s/pid", t->dir), "123456789 old\n");
    in(t, t->dir, &out, "run", "-d", "--pid-file", "pid", "-b", b.path, t->tag);
    CHECK(out.code == 0, "%s", out.err);
    char *text = file_read(print("%s/pid", t->dir), &n);
    CHECK_TEXT(text, state_get(t, t->tag, "pid"));
    CHECK_INT(strspn(text, "0123456789"), n);
    delete_all(t);
    CHECK_SYS(unlink(print("%s/pid", t->dir)));
    make_bundle(t, &b, BUNDLE, "[\"nothing\"]");
    in(t, t->dir, &out, "run", "--pid-file", "pid", "-b", b.path, t->tag);
    CHECK_INT(out.code, 127);
    CHECK_OK(access(print("%s/pid", t->dir), F_OK)); /* its absence tells the failure */
}

static void kill_words(struct t *t) {
    static const struct {
        const char *word;
        int signal;
    } cases[] = {{NULL, 15}, {"15", 15}, {"TERM", 15}, {"sigTERM", 15}, {"WINCH", 28}, {"RTMIN+1", 35}, {"sigrtmin+2", 36}, {"RTMAX", 64}, {"64", 64}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bundle b;
        struct outcome out;
        make_bundle(t, &b, BUNDLE, print("payload-trap %d", cases[i].signal));
        need_ocirt();
        pid_t pid = command_start(&(struct command){.argv = ocirt_argv(t, (const char *const[]){"run", "-b", b.path, t->tag, NULL})}, &out);
        await_text(&out, "ready");
        struct outcome killed;
        run_ocirt(t, &killed, "kill", t->tag, cases[i].word);
        EXPECT(killed.code == 0, "%s: %s", cases[i].word ? cases[i].word : "none", killed.err);
        if (killed.code) delete_all(t);
        command_wait(pid, 5, &out);
        EXPECT(killed.code || out.code == cases[i].signal, "%s: %d", cases[i].word ? cases[i].word : "none", out.code);
        outcome_free(&out);
    }
}

const struct test run_cli_tests[] = {
    {"cli.words", words, 0, 0},
    {"cli.globals", globals, 0, 0},
    {"cli.full_device", full_device, 0, 0},
    {"cli.bundle_or_id", bundle_or_id, 0, 0},
    {"cli.rootfs", rootfs, 0, 0},
    {"cli.spec", spec, 0, 0},
    {"cli.spec_runs", spec_runs, 0, 0},
    {"cli.check", check, 0, 0},
    {"cli.plan", plan, 0, 0},
    {"cli.seccomp", seccomp, 0, 0},
    {"cli.features", features, 0, 0},
    {"cli.list", list, 0, 0},
    {"cli.log_as_json", log_as_json, 0, 0},
    {"cli.log_as_text", log_as_text, 0, 0},
    {"cli.log_as_datagrams", log_as_datagrams, TEST_ROOT, 0},
    {"cli.log_has_one_line", log_has_one_line, 0, 0},
    {"cli.pid_file", pid_file, 0, 0},
    {"cli.kill_words", kill_words, 0, 0},
    {0}};
