/* ocirt: a thin command line over ocirt.h. One table of commands, one of options, no policy: what
   the command line can do, a program that includes the header can do.

   Exit status: 0; of `run` in the foreground the program's own, or 128 + signal; 125 the runtime
   refused a `run`, 126 the program is not executable, 127 not found; 1 any other failure. */

#include <stddef.h>
static void *get_memory(size_t size);
static void  put_memory(void *block);
#define OCIRT_MALLOC(size)  get_memory(size)
#define OCIRT_FREE(pointer) put_memory(pointer)
#define OCIRT_IMPLEMENTATION
#include "ocirt.h"

enum { LIMITS = 18, POSITIONAL = 64, REPEATED = 256 };

struct arguments {
    const char    *bundle, *config, *log, *log_format, *log_level, *rootfs, *cgroup_manager, *format, *arch;
    const char    *positional[POSITIONAL]; /* container, signal or bundle; a call and its arguments */
    int            positional_count;
    char         **rest;          /* behind --: the program of run --rootfs */
    int            rest_count;
    bool           debug, systemd, rootless, json, quiet, help, version, once;
    const char    *resources, *interval, *limits[LIMITS]; /* of update, in the order of its options */
    const char    *process, *cwd, *owner, *label, *profile; /* of exec */
    struct repeated { const char *items[REPEATED]; size_t count; } env, groups, caps;
    bool           tty, no_new_privs;
    ocirt_checkpoint_options checkpoint;
    ocirt_options  options;
};

struct command {
    const char *name;
    unsigned    bit; /* of an option's commands */
    const char *usage, *help;
    int       (*run)(struct arguments *);
    int         most; /* arguments */
};

/* ----- memory ----- */

/* Nearly all commands get along with memory that is there from the start: no call for it, and no page but those that
   are written to. */
static _Alignas(16) char own_memory[320 << 10];
static size_t own_used, own_blocks;
static bool   own_open; /* by main: a program that has this file in it, and threads, does not get it */

static void *get_memory(size_t size) {
    char *block = own_memory + own_used;
    if (!own_open || size > sizeof own_memory - own_used) return malloc(size);
    own_used += (size + 15) & ~(size_t)15;
    own_blocks++;
    return block;
}

static void put_memory(void *block) {
    uintptr_t at = (uintptr_t)block - (uintptr_t)own_memory;
    if (at >= sizeof own_memory) free(block);
    else if (--own_blocks == 0) own_used = 0;
}

/* ----- output ----- */

static int write_file(void *user, const char *data, size_t size) {
    return fwrite(data, 1, size, user) == size ? 0 : -1;
}

static int write_fd(void *user, const char *data, size_t size) {
    return write(*(const int *)user, data, size) == (ssize_t)size ? 0 : -1;
}

/* A datagram to the journal (systemd's native protocol) or to syslog (RFC 3164). A newline of the message, of which the
   container chooses parts, would begin another field. */
static void log_datagram(const char *path, const char *id, const ocirt_error *e, unsigned level) {
    static const char *const forms[] = {"<%d>ocirt[%d]: %.255s: %.500s", "PRIORITY=%d\nSYSLOG_PID=%d\nSYSLOG_IDENTIFIER=ocirt\nID=%.255s\nMESSAGE=%.500s"};
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    bool journal = strstr(path, "journal") != NULL;
    int  priority = (level ? 4 : 3) + (journal ? 0 : 8), fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    char text[1024], message[512];
    for (size_t i = 0; i < sizeof message; i++) message[i] = (unsigned char)e->message[i] < ' ' && e->message[i] ? ' ' : e->message[i];
    snprintf(name.sun_path, sizeof name.sun_path, "%s", path);
    snprintf(text, sizeof text, forms[journal], priority, (int)getpid(), id, message);
    if (fd >= 0) (void)!sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)(void *)&name, sizeof name);
    if (fd >= 0) close(fd);
}

/* One line per event, appended in a single write. Where it goes may be said before a colon, as crun has it. */
static void log_event(const struct arguments *a, const ocirt_error *e, unsigned level) {
    unsigned format = a->log_format && strcmp(a->log_format, "json") == 0 ? OCIRT_ERROR_LOG_JSON : OCIRT_ERROR_LOG;
    const char *to = !a->log ? "" : strncmp(a->log, "file:", 5) == 0 ? a->log + 5 : a->log;
    int fd;
    if (strncmp(to, "journald:", 9) == 0) log_datagram("/run/systemd/journal/socket", to + 9, e, level);
    else if (strncmp(to, "syslog:", 7) == 0) log_datagram("/dev/log", to + 7, e, level);
    else if (*to && (fd = open(to, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0644)) >= 0) ocirt_error_print(e, format | level, write_fd, &fd), close(fd);
}

/* Into the log if asked for, as podman reads a log of one line only; else to stderr, but not that of a
   container which engines take for its output. */
static void warn(void *user, const ocirt_finding *f) {
    const struct arguments *a = user;
    bool asked = a->debug || (a->log_level && (a->log_level[0] == 'd' || a->log_level[0] == 'i' || a->log_level[0] == 'w'));
    if (a->log && asked) log_event(a, &f->what, OCIRT_ERROR_WARNING);
    if (a->log || !(a->options.flags & OCIRT_FORWARD)) return;
    fputs("ocirt: warning: ", stderr);
    ocirt_error_print(&f->what, OCIRT_ERROR_FULL, write_file, stderr);
}

static int fail(const struct arguments *a, const ocirt_error *e) {
    fputs("ocirt: ", stderr);
    ocirt_error_print(e, OCIRT_ERROR_FULL, write_file, stderr);
    log_event(a, e, 0);
    return 1;
}

static int fail_text(const struct arguments *a, const char *format, ...) {
    ocirt_error e;
    char    text[400];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    memset(&e, 0, sizeof e);
    snprintf(e.message, sizeof e.message, "%s", text);
    return fail(a, &e);
}

/* ----- options: one table ----- */

enum { FLAG, BOOLEAN, TEXT, NUMBER, LIST, IGNORED };
enum { /* commands that take options */
    GLOBAL = 1 << 0, RUN = 1 << 1, CREATE = 1 << 2, EXEC = 1 << 3, KILL = 1 << 4, DELETE = 1 << 5, LISTING = 1 << 6, UPDATE = 1 << 7, PS = 1 << 8, EVENTS = 1 << 9, CHECKPOINT = 1 << 10,
    RESTORE = 1 << 11, SPEC = 1 << 12, CHECK = 1 << 13, PLAN = 1 << 14, SECCOMP = 1 << 15, PLAIN = 1 << 16, NEW = RUN | CREATE | RESTORE, ANY = NEW | EXEC, BOTH = CHECKPOINT | RESTORE
};

struct option {
    const char *name;
    char        letter;
    unsigned    kind;
    size_t      at;       /* in struct arguments */
    unsigned    flag;     /* in the unsigned there */
    unsigned    commands; /* that take it; GLOBAL: before the command */
    const char *value, *help;
};

#define AT(member) offsetof(struct arguments, member)
#define FLAG_OF(flag) FLAG, AT(options.flags), OCIRT_##flag
#define CRIU(flag) FLAG, AT(checkpoint.flags), OCIRT_CHECKPOINT_##flag
static const struct option options[] = {
    {"root", 0, TEXT, AT(options.state_root), 0, GLOBAL, "DIR", "where containers are on record"}, {"log", 0, TEXT, AT(log), 0, GLOBAL, "FILE", "errors go there too; or journald:NAME, syslog:NAME"},
    {"log-format", 0, TEXT, AT(log_format), 0, GLOBAL, "FORMAT", "text or json"}, {"log-level", 0, TEXT, AT(log_level), 0, GLOBAL, "LEVEL", "error; warning, info and debug log warnings too"},
    {"debug", 0, BOOLEAN, AT(debug), 0, GLOBAL, "", "as --log-level debug"}, {"systemd-cgroup", 0, BOOLEAN, AT(systemd), 0, GLOBAL, "", "systemd makes a scope for the container"},
    {"cgroup-manager", 0, TEXT, AT(cgroup_manager), 0, GLOBAL, "NAME", "cgroupfs, systemd or disabled"}, {"rootless", 0, IGNORED, 0, 0, GLOBAL, "BOOL", "no effect: ocirt sees by itself"},
    {"version", 'v', BOOLEAN, AT(version), 0, GLOBAL, "", "print the version"}, {"bundle", 'b', TEXT, AT(bundle), 0, NEW | SPEC | SECCOMP, "DIR", "the bundle, a folder with config.json (.)"},
    {"config", 'f', TEXT, AT(config), 0, NEW | SECCOMP, "FILE", "another config.json, from the bundle on or absolute"},
    {"rootfs", 0, TEXT, AT(rootfs), 0, RUN, "DIR", "a root file system to run CMD in, with the default config"},
    {"detach", 'd', FLAG_OF(DETACH), ANY & ~CREATE, "", "return as soon as the program runs"}, {"keep", 0, FLAG_OF(KEEP), RUN | RESTORE, "", "do not delete the container at its end"},
    {"pid-file", 0, TEXT, AT(options.pid_file), 0, ANY, "FILE", "gets the program's pid"},
    {"console-socket", 0, TEXT, AT(options.console_socket), 0, ANY, "PATH", "gets the terminal's descriptor, for process.terminal"},
    {"pidfd-socket", 0, TEXT, AT(options.pidfd_socket), 0, ANY, "PATH", "gets the program's pidfd"},
    {"preserve-fds", 0, NUMBER, AT(options.preserve_fds), 0, ANY, "N", "the program gets the descriptors 3 to N+2 too"},
    {"no-pivot", 0, FLAG_OF(WITHOUT_PIVOT), NEW | PLAN, "", "move the root instead, where / is a ramdisk"},
    {"no-new-keyring", 0, FLAG_OF(WITHOUT_KEYRING), NEW | PLAN, "", "keep the caller's session keyring"}, {"no-subreaper", 0, IGNORED, 0, 0, ANY, "", "no effect: ocirt is none"},
    {"process", 'p', TEXT, AT(process), 0, EXEC, "FILE", "what to run, as the process of a config, instead of CMD"}, {"tty", 't', BOOLEAN, AT(tty), 0, EXEC, "", "with a terminal"},
    {"cwd", 0, TEXT, AT(cwd), 0, EXEC, "DIR", "in this folder"}, {"env", 'e', LIST, AT(env), 0, EXEC, "NAME[=VALUE]", "a further variable; without VALUE ocirt's own"},
    {"user", 'u', TEXT, AT(owner), 0, EXEC, "UID[:GID]", "as this user"}, {"additional-gids", 'g', LIST, AT(groups), 0, EXEC, "GID", "a further group"},
    {"cap", 'c', LIST, AT(caps), 0, EXEC, "NAME", "a further capability"}, {"no-new-privs", 0, BOOLEAN, AT(no_new_privs), 0, EXEC, "", "never to gain privileges"},
    {"process-label", 0, TEXT, AT(label), 0, EXEC, "LABEL", "SELinux label"}, {"apparmor", 0, TEXT, AT(profile), 0, EXEC, "NAME", "AppArmor profile"},
    {"cgroup", 0, TEXT, AT(options.exec_cgroup), 0, EXEC, "PATH", "in this cgroup below the container's"}, {"ignore-paused", 0, FLAG_OF(IGNORE_PAUSED), EXEC, "", "in a paused container too"},
    {"all", 'a', FLAG_OF(ALL), KILL, "", "every process of the container"}, {"force", 'f', FLAG_OF(FORCE), DELETE, "", "kill it first; one that is not there is no error"},
    {"quiet", 'q', BOOLEAN, AT(quiet), 0, LISTING, "", "ids only"}, {"format", 'f', TEXT, AT(format), 0, LISTING | PS, "FORMAT", "table or json"},
    {"stats", 0, BOOLEAN, AT(once), 0, EVENTS, "", "once"}, {"interval", 0, TEXT, AT(interval), 0, EVENTS, "TIME", "between figures: 5s, 500ms, 1m (5s)"},
    {"resources", 'r', TEXT, AT(resources), 0, UPDATE, "FILE", "linux.resources as JSON; -: standard input"},
    {"image-path", 0, TEXT, AT(checkpoint.image_path), 0, BOTH, "DIR", "of the images (checkpoint)"},
    {"work-path", 0, TEXT, AT(checkpoint.work_path), 0, BOTH, "DIR", "of criu's log (that of the images)"},
    {"parent-path", 0, TEXT, AT(checkpoint.parent_path), 0, BOTH, "DIR", "of an earlier dump's images, seen from the images"},
    {"leave-running", 'R', CRIU(LEAVE_RUNNING), CHECKPOINT, "", "do not end the container"}, {"pre-dump", 0, CRIU(PRE_DUMP), CHECKPOINT, "", "dump the memory only"},
    {"tcp-established", 0, CRIU(TCP_ESTABLISHED), BOTH, "", "with connections"}, {"tcp-close", 0, CRIU(TCP_CLOSE), RESTORE, "", "with connections closed"},
    {"tcp-skip-in-flight", 0, CRIU(TCP_SKIP_IN_FLIGHT), CHECKPOINT, "", "without connections that are being made"},
    {"ext-unix-sk", 0, CRIU(EXT_UNIX_SK), BOTH, "", "with Unix sockets to the outside"}, {"shell-job", 0, CRIU(SHELL_JOB), BOTH, "", "with the caller's terminal"},
    {"file-locks", 0, CRIU(FILE_LOCKS), BOTH, "", "with locks of files"}, {"link-remap", 0, CRIU(LINK_REMAP), BOTH, "", "with files that were removed"},
    {"auto-dedup", 0, CRIU(AUTO_DEDUP), BOTH, "", "drop pages from older images that newer ones have"},
    {"manage-cgroups-mode", 0, TEXT, AT(checkpoint.manage_cgroups), 0, BOTH, "MODE", "soft, full, strict or ignore (soft)"},
    {"network-lock", 0, TEXT, AT(checkpoint.network_lock), 0, BOTH, "METHOD", "iptables, nftables or skip"},
    {"empty-ns", 0, TEXT, AT(checkpoint.empty_namespace), 0, BOTH, "network", "without the devices of the network namespace"},
    {"lsm-profile", 0, TEXT, AT(checkpoint.lsm_profile), 0, RESTORE, "TYPE:NAME", "another AppArmor profile or SELinux label"},
    {"lsm-mount-context", 0, TEXT, AT(checkpoint.lsm_mount_context), 0, RESTORE, "LABEL", "another label of mounts"},
    {"page-server", 0, TEXT, AT(checkpoint.page_server), 0, CHECKPOINT, "ADDRESS", "refused"}, {"lazy-pages", 0, CRIU(LAZY_PAGES), BOTH, "", "refused"},
    {"status-fd", 0, IGNORED, 0, 0, CHECKPOINT, "FD", "no effect"}, {"rootless", 0, BOOLEAN, AT(rootless), 0, SPEC, "", "for an ordinary user"},
    {"file", 'f', TEXT, AT(config), 0, SPEC, "FILE", "instead of config.json; -: standard output"}, {"json", 0, BOOLEAN, AT(json), 0, PLAN | CHECK, "", "as JSON"},
    {"arch", 0, TEXT, AT(arch), 0, SECCOMP, "NAME", "of this architecture, like aarch64 (this machine's)"}, {"help", 'h', BOOLEAN, AT(help), 0, ~0u, "", "print this"},
};

/* Those of `update` that stand for a member of linux.resources, or of linux.intelRdt. */
static const struct limit {
    const char *name, *object, *member;
    char        kind; /* a number, a size with k, m or g, a text */
    const char *value, *help;
} limits[LIMITS] = {
    {"blkio-weight", "blockIO", "weight", 'n', "N", "weight of block devices, 10 to 1000"}, {"cpu-period", "cpu", "period", 'n', "US", "period of processor time, in microseconds"},
    {"cpu-quota", "cpu", "quota", 'n', "US", "processor time in a period; -1: no limit"}, {"cpu-burst", "cpu", "burst", 'n', "US", "processor time that may be saved up"},
    {"cpu-share", "cpu", "shares", 'n', "N", "weight among others, 2 to 262144"}, {"cpu-idle", "cpu", "idle", 'n', "0|1", "1: run when nothing else does"},
    {"cpu-rt-period", "cpu", "realtimePeriod", 'n', "US", "refused: of cgroup v1"}, {"cpu-rt-runtime", "cpu", "realtimeRuntime", 'n', "US", "refused: of cgroup v1"},
    {"cpuset-cpus", "cpu", "cpus", 't', "LIST", "processors, like 0-3,6"}, {"cpuset-mems", "cpu", "mems", 't', "LIST", "memory nodes, like 0-1"},
    {"memory", "memory", "limit", 's', "SIZE", "memory, like 512m; -1: no limit"}, {"memory-reservation", "memory", "reservation", 's', "SIZE", "memory to keep when it is short"},
    {"memory-swap", "memory", "swap", 's', "SIZE", "memory and swap together; -1: no limit"}, {"kernel-memory", "memory", "kernel", 's', "SIZE", "refused: of cgroup v1"},
    {"kernel-memory-tcp", "memory", "kernelTCP", 's', "SIZE", "refused: of cgroup v1"}, {"pids-limit", "pids", "limit", 'n', "N", "processes; -1: no limit"},
    {"l3-cache-schema", "", "", 't', "TEXT", "linux.intelRdt.l3CacheSchema"}, {"mem-bw-schema", "", "", 't', "TEXT", "linux.intelRdt.memBwSchema"},
};
enum { L3_CACHE = LIMITS - 2, MEM_BW };

/* "--name", "-name" (Go's parser takes both), "-x"; the length of the name. */
static const struct option *find_option(const char *word, size_t n, unsigned command) {
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        const struct option *o = &options[i];
        bool named = (strlen(o->name) == n && strncmp(o->name, word, n) == 0) || (n == 1 && o->letter == word[0]);
        if (named && o->commands & command) return o;
    }
    return NULL;
}

static const struct limit *find_limit(const char *word, size_t n) {
    for (size_t i = 0; i < LIMITS; i++)
        if (strlen(limits[i].name) == n && strncmp(limits[i].name, word, n) == 0) return &limits[i];
    return NULL;
}

static int set_boolean(struct arguments *a, const struct option *o, const char *value) {
    bool on = !value || strcmp(value, "true") == 0 || strcmp(value, "1") == 0;
    unsigned *flags = (unsigned *)(void *)((char *)a + o->at);
    if (!on && strcmp(value, "false") != 0 && strcmp(value, "0") != 0) return fail_text(a, "--%s takes true or false, not %s", o->name, value);
    if (o->kind == BOOLEAN) *(bool *)((char *)a + o->at) = on;
    if (o->kind == FLAG) *flags = on ? *flags | o->flag : *flags & ~o->flag;
    return 0;
}

static int set_option(struct arguments *a, const struct option *o, const char *value) {
    struct repeated *list = (struct repeated *)(void *)((char *)a + o->at);
    char *end;
    unsigned long number;
    switch (o->kind) {
    case TEXT: *(const char **)(void *)((char *)a + o->at) = value; return 0;
    case NUMBER:
        number = strtoul(value, &end, 10);
        if (!*value || *end || *value == '-' || number > 1000000) return fail_text(a, "--%s takes a number, not %s", o->name, value);
        *(unsigned *)(void *)((char *)a + o->at) = (unsigned)number;
        return 0;
    case LIST:
        if (list->count == REPEATED) return fail_text(a, "--%s can be given %d times at most", o->name, REPEATED);
        list->items[list->count++] = value;
        return 0;
    case FLAG:
    case BOOLEAN: return set_boolean(a, o, value);
    default: return 0;
    }
}

/* One option at argv[*at]. Moves *at behind it. */
static int take_option(struct arguments *a, const struct command *c, char **argv, int *at) {
    const char *word = argv[*at] + 1, *value;
    const struct option *o;
    const struct limit *l;
    size_t n;
    word += *word == '-';
    n = strcspn(word, "=");
    value = word[n] ? word + n + 1 : NULL;
    o = find_option(word, n, c->bit);
    l = c->bit & UPDATE ? find_limit(word, n) : NULL;
    if (!o && !l) return fail_text(a, "unknown option %s%s%s; see `ocirt help%s%s`", argv[*at], c->name[0] ? " of " : "", c->name, c->name[0] ? " " : "", c->name);
    (*at)++;
    if (!value && (l || o->value[0]) && !(value = argv[(*at)++])) return fail_text(a, "flag needs an argument: option --%.*s requires an argument", (int)n, word);
    return l ? (a->limits[l - limits] = value, 0) : set_option(a, o, value);
}

static int parse(struct arguments *a, const struct command *c, int argc, char **argv, int *at) {
    bool ends_at_id = (c->bit & (PS | EXEC)) != 0; /* what is behind it is another program's */
    int  r = 0;
    while (r == 0 && *at < argc) {
        if (ends_at_id && strcmp(argv[*at], "--") == 0 && a->positional_count == 0) {
            (*at)++; /* the id comes behind it */
        } else if (strcmp(argv[*at], "--") == 0 || (ends_at_id && a->positional_count == 1)) {
            *at -= argv[*at][0] != '-' || argv[*at][1] != '-' || argv[*at][2];
            a->rest = argv + *at + 1, a->rest_count = argc - *at - 1;
            *at = argc;
        } else if (argv[*at][0] == '-' && argv[*at][1]) {
            r = take_option(a, c, argv, at);
        } else if (c->bit & GLOBAL) {
            break;
        } else if (a->positional_count == POSITIONAL) {
            r = fail_text(a, "too many arguments: %s", argv[*at]);
        } else {
            a->positional[a->positional_count++] = argv[(*at)++];
        }
    }
    return r;
}

/* ----- commands ----- */

static int need_id(struct arguments *a) {
    return a->positional_count ? 0 : fail_text(a, "the container's id is missing; see `ocirt help`");
}

static bool has_config(const char *folder) {
    char path[PATH_MAX];
    return snprintf(path, sizeof path, "%s/config.json", folder) < (int)sizeof path && access(path, F_OK) == 0;
}

/* `run BUNDLE` makes up an id, `run [-b BUNDLE] ID` is runc's form. An id has no slash and is not . or ..;
   a plain word is a bundle only where it can be nothing else. */
static int bundle_or_id(struct arguments *a) {
    const char *word = a->positional[0];
    bool folder;
    if (a->bundle || !word) return 0;
    folder = strchr(word, '/') || strcmp(word, ".") == 0 || strcmp(word, "..") == 0;
    if (!folder && has_config(word)) {
        if (has_config(".")) return fail_text(a, "%s may be a container of the bundle here or a bundle: write ./%s or -b . %s", word, word, word);
        folder = true;
    }
    if (folder) a->bundle = word, a->positional[0] = NULL, a->positional_count = 0;
    else if (!has_config(".") && !a->config && !a->rootfs) return fail_text(a, "%s is no bundle, and there is none here; `ocirt spec` writes a config.json to begin with", word);
    return 0;
}

static int load(struct arguments *a, ocirt_arena *arena, ocirt_spec **spec, ocirt_error *e) {
    char path[PATH_MAX];
    const char *name = a->config ? a->config : "config.json", *bundle = a->bundle ? a->bundle : ".";
    if (name[0] == '/') snprintf(path, sizeof path, "%s", name);
    else if (snprintf(path, sizeof path, "%s/%s", bundle, name) >= (int)sizeof path) return fail_text(a, "the bundle's path is too long");
    return ocirt_spec_load_file(arena, path, spec, e) < 0 ? fail(a, e) : 0;
}

/* run --rootfs DIR -- CMD...: the default config with this root and program. */
static int from_rootfs(struct arguments *a, ocirt_arena *arena, ocirt_spec **spec, ocirt_error *e) {
    if (a->rest_count == 0) return fail_text(a, "run --rootfs DIR needs a program: run --rootfs DIR -- CMD ARGS...");
    if (ocirt_spec_default(arena, geteuid() ? OCIRT_SPEC_ROOTLESS : 0, spec, e) < 0) return fail(a, e);
    (*spec)->document = NULL; /* places in a text that nobody wrote would mislead */
    (*spec)->root->path = a->rootfs;
    (*spec)->process->args = (ocirt_strings){.items = (const char **)(void *)a->rest, .count = (size_t)a->rest_count};
    (*spec)->process->terminal = isatty(0) && isatty(1) && !(a->options.flags & OCIRT_DETACH);
    return 0;
}

static int exit_of(const ocirt_error *e) {
    return e->code == OCIRT_E_EXEC_NOT_FOUND ? 127 : e->code == OCIRT_E_EXEC ? 126 : 125;
}

static int do_run(struct arguments *a) {
    ocirt_arena arena = {0};
    ocirt_spec *spec = NULL;
    ocirt_error e;
    ocirt_exit  end;
    char made[32];
    int  r = bundle_or_id(a);
    if (r == 0) r = a->rootfs ? from_rootfs(a, &arena, &spec, &e) : load(a, &arena, &spec, &e);
    if (r) return ocirt_arena_free(&arena), r == 1 ? 125 : r;
    ocirt_make_id(made);
    if (!(a->options.flags & OCIRT_DETACH)) a->options.flags |= OCIRT_FORWARD;
    r = ocirt_run(spec, a->rootfs && !a->bundle ? "." : a->bundle, a->positional[0] ? a->positional[0] : made, &a->options, &end, &e);
    r = r < 0 ? (fail(a, &e), exit_of(&e)) : end.code;
    if (r == 0 && a->options.flags & OCIRT_DETACH && !a->positional[0]) printf("%s\n", made);
    if (end.oom_killed && r == 137) fputs("ocirt: the container's memory limit killed it\n", stderr);
    ocirt_arena_free(&arena);
    return r;
}

static int do_create(struct arguments *a) {
    ocirt_arena arena = {0};
    ocirt_spec *spec;
    ocirt_error e;
    int r = need_id(a);
    if (r == 0) r = load(a, &arena, &spec, &e);
    if (r == 0 && ocirt_create(spec, a->bundle, a->positional[0], &a->options, NULL, &e) < 0) r = fail(a, &e);
    ocirt_arena_free(&arena);
    return r;
}

/* A command that is one call with the container's id. */
static int simply(struct arguments *a, int (*call)(const char *, const ocirt_options *, ocirt_error *)) {
    ocirt_error e;
    int r = need_id(a);
    return r ? r : call(a->positional[0], &a->options, &e) < 0 ? fail(a, &e) : 0;
}

static int do_start(struct arguments *a) { return simply(a, ocirt_start); }
static int do_delete(struct arguments *a) { return simply(a, ocirt_delete); }
static int do_pause(struct arguments *a) { return simply(a, ocirt_pause); }
static int do_resume(struct arguments *a) { return simply(a, ocirt_resume); }

static int do_state(struct arguments *a) {
    ocirt_arena arena = {0};
    ocirt_state state;
    ocirt_error e;
    int r = need_id(a);
    if (r == 0 && ocirt_state_get(&arena, a->positional[0], &a->options, &state, &e) < 0) r = fail(a, &e);
    if (r == 0) r = ocirt_state_write(&state, write_file, stdout) < 0;
    ocirt_arena_free(&arena);
    return r;
}

static int do_kill(struct arguments *a) {
    const char *name = a->positional_count > 1 ? a->positional[1] : "TERM";
    int signal = ocirt_signal_number(name), r = need_id(a);
    ocirt_error e;
    if (r) return r;
    if (signal < 0) return fail_text(a, "unknown signal \"%s\"", name);
    return ocirt_kill(a->positional[0], signal, &a->options, &e) < 0 ? fail(a, &e) : 0;
}

static int set_format(struct arguments *a) {
    a->json = a->format && strcmp(a->format, "json") == 0;
    return !a->format || a->json || strcmp(a->format, "table") == 0 ? 0 : fail_text(a, "unknown format %s: table and json are known", a->format);
}

struct listing {
    struct arguments *a;
    bool any;
};

static int list_one(void *user, const ocirt_state *s) {
    struct listing *l = user;
    if (l->a->quiet) return printf("%s\n", s->id) < 0 ? -1 : 0;
    if (!l->a->json) return printf("%-20s %-8d %-9s %-40s %-31s %s\n", s->id, s->pid, s->status, s->bundle, s->created, s->owner) < 0 ? -1 : 0;
    fputs(l->any ? "," : "", stdout);
    l->any = true;
    return ocirt_state_write(s, write_file, stdout);
}

static int do_list(struct arguments *a) {
    struct listing l = {.a = a};
    ocirt_error e;
    if (set_format(a)) return 1;
    if (a->json) fputs("[", stdout);
    else if (!a->quiet) printf("%-20s %-8s %-9s %-40s %-31s %s\n", "ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER");
    if (ocirt_list(&a->options, list_one, &l, &e) < 0) return fail(a, &e);
    if (a->json) fputs("]\n", stdout);
    return 0;
}

/* Writes config.json into the bundle, never over one that is there; "-" is standard output. */
static int do_spec(struct arguments *a) {
    ocirt_arena arena = {0};
    ocirt_spec *spec;
    ocirt_error e;
    char path[PATH_MAX];
    const char *name = a->config ? a->config : "config.json";
    int  fd = strcmp(name, "-") == 0, r = ocirt_spec_default(&arena, a->rootless ? OCIRT_SPEC_ROOTLESS : 0, &spec, &e) < 0 ? fail(a, &e) : 0;
    snprintf(path, sizeof path, "%s/%s", name[0] == '/' ? "" : a->bundle && a->bundle[0] ? a->bundle : ".", name);
    if (r == 0 && fd == 0) fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (r == 0 && fd < 0) r = fail_text(a, "%s: %s", path, ocirt_errno_text(errno));
    if (r == 0 && ocirt_spec_write(spec, write_fd, &fd, &e) < 0) r = fail(a, &e);
    if (fd > 1 && close(fd) < 0) r = fail_text(a, "%s: %s", path, ocirt_errno_text(errno));
    ocirt_arena_free(&arena);
    return r;
}

static void print_finding(void *user, const ocirt_finding *f) {
    struct arguments *a = user;
    if (a->json) {
        ocirt_error_print(&f->what, OCIRT_ERROR_JSON, write_file, stdout);
        putchar('\n');
        return;
    }
    fputs(f->fatal ? "error: " : "warning: ", stdout);
    ocirt_error_print(&f->what, OCIRT_ERROR_FULL, write_file, stdout);
}

static int do_check(struct arguments *a) {
    ocirt_arena arena = {0};
    ocirt_spec *spec;
    ocirt_error e;
    int r;
    if (a->positional_count) a->bundle = a->positional[0];
    if (load(a, &arena, &spec, &e)) return ocirt_arena_free(&arena), 1;
    r = ocirt_spec_check(&arena, spec, print_finding, a, &e);
    ocirt_arena_free(&arena);
    return r < 0 ? fail(a, &e) : r > 0;
}

static int do_plan(struct arguments *a) {
    ocirt_arena arena = {0};
    ocirt_spec *spec;
    ocirt_probe probe;
    ocirt_plan *plan;
    ocirt_error e;
    char bundle[PATH_MAX];
    int  r;
    if (a->positional_count) a->bundle = a->positional[0];
    a->options.flags |= OCIRT_OF_RUN | OCIRT_FORWARD;
    r = load(a, &arena, &spec, &e);
    if (r == 0 && !realpath(a->bundle ? a->bundle : ".", bundle)) r = fail_text(a, "%s: %s", a->bundle, ocirt_errno_text(errno));
    if (r == 0 && (ocirt_probe_host(&probe, &e) < 0 || ocirt_plan_build(&arena, spec, bundle, "plan", &a->options, &probe, &plan, &e) < 0)) r = fail(a, &e);
    if (r == 0) r = ocirt_plan_print(plan, a->json ? OCIRT_PLAN_JSON : OCIRT_PLAN_TEXT, write_file, stdout) < 0;
    ocirt_arena_free(&arena);
    return r;
}

/* Arguments of the call are as C has them, or negative behind --. */
static int do_seccomp(struct arguments *a) {
    ocirt_arena arena = {0};
    ocirt_spec *spec;
    ocirt_seccomp_answer answer;
    ocirt_error e;
    uint64_t args[6] = {0};
    char *end = NULL;
    int   r = load(a, &arena, &spec, &e);
    for (int i = 1; r == 0 && i < a->positional_count && i < 7; i++) {
        args[i - 1] = strtoull(a->positional[i], &end, 0);
        if (!a->positional[i][0] || *end) r = fail_text(a, "\"%s\" is not a number", a->positional[i]);
    }
    if (r == 0 && !a->positional_count) r = ocirt_seccomp_print(spec, a->arch, write_file, stdout, &e) < 0 ? fail(a, &e) : 0;
    else if (r == 0 && ocirt_seccomp_ask(spec, a->arch, a->positional[0], args, &answer, &e) < 0) r = fail(a, &e);
    else if (r == 0) printf("%s (%u on %s): %s; found in %u steps\n", a->positional[0], answer.number, answer.arch, answer.text, answer.steps);
    ocirt_arena_free(&arena);
    return r;
}

/* ----- exec ----- */

/* Digits and nothing else, below 2^32 - 1, which means none. */
static bool id_number(const char *text, size_t n, uint32_t *out) {
    uint64_t value = 0;
    for (size_t i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9' || value > UINT32_MAX) return false;
        value = value * 10 + (uint64_t)(text[i] - '0');
    }
    *out = (uint32_t)value;
    return n > 0 && value < UINT32_MAX;
}

static int set_owner(struct arguments *a, ocirt_user *user) {
    size_t n = a->owner ? strcspn(a->owner, ":") : 0;
    if (!a->owner) return 0;
    if (id_number(a->owner, n, &user->uid) && (!a->owner[n] || id_number(a->owner + n + 1, strlen(a->owner + n + 1), &user->gid))) return 0;
    return fail_text(a, "--user takes UID or UID:GID as numbers, not %s", a->owner);
}

/* Behind those of the process. */
static int add_groups(struct arguments *a, ocirt_user *user, ocirt_arena *arena) {
    size_t    had = user->additional_gids_count, n = a->groups.count;
    uint32_t *all = ocirt_allocate(arena, (had + n + 1) * sizeof *all);
    if (!all) return fail_text(a, "out of memory");
    for (size_t i = 0; i < had; i++) all[i] = user->additional_gids[i];
    for (size_t i = 0; i < n; i++)
        if (!id_number(a->groups.items[i], strlen(a->groups.items[i]), &all[had + i])) return fail_text(a, "--additional-gids takes a number, not %s", a->groups.items[i]);
    user->additional_gids = all, user->additional_gids_count = had + n;
    return 0;
}

/* Into the sets that a program with root's id would have them in; neither inheritable nor ambient. */
static int add_caps(struct arguments *a, ocirt_process *run, ocirt_capabilities *room) {
    ocirt_opt_uint *sets[] = {&room->bounding, &room->effective, &room->permitted};
    if (a->caps.count == 0) return 0;
    if (run->capabilities) *room = *run->capabilities;
    for (size_t i = 0; i < a->caps.count; i++) {
        int number = ocirt_capability_number(a->caps.items[i]);
        if (number < 0) return fail_text(a, "there is no capability %s", a->caps.items[i]);
        for (size_t k = 0; k < 3; k++) sets[k]->set = true, sets[k]->value |= 1ull << number;
    }
    run->capabilities = room;
    return 0;
}

/* NAME alone takes the value that ocirt itself has. */
static int add_env(struct arguments *a, ocirt_strings *env, ocirt_arena *arena) {
    const char **all = ocirt_allocate(arena, (env->count + a->env.count + 1) * sizeof *all);
    if (!all) return fail_text(a, "out of memory");
    for (size_t i = 0; i < env->count; i++) all[i] = env->items[i];
    env->items = all;
    for (size_t i = 0; i < a->env.count; i++) {
        const char *item = a->env.items[i], *value = strchr(item, '=') ? "" : getenv(item);
        char *pair = ocirt_allocate(arena, strlen(item) + (value ? strlen(value) : 0) + 2);
        if (!*item || *item == '=') return fail_text(a, "--env takes NAME=VALUE or NAME, not %s", item);
        if (!pair) return fail_text(a, "out of memory");
        if (value) sprintf(pair, "%s%s%s", item, strchr(item, '=') ? "" : "=", value), all[env->count++] = pair;
    }
    return 0;
}

/* The process of the file, or the container's own with another program; then what the options say of it. */
static int exec_process(struct arguments *a, ocirt_arena *arena, ocirt_spec **spec, ocirt_capabilities *caps, ocirt_error *e) {
    ocirt_process *run;
    int r = need_id(a);
    if (r) return r;
    if (a->process && a->rest_count) return fail_text(a, "a program and --process: one of them only");
    if (!a->process && !a->rest_count) return fail_text(a, "exec needs a program: exec %s CMD ARGS..., or --process FILE", a->positional[0]);
    r = a->process ? ocirt_process_load_file(arena, a->process, spec, e) : ocirt_process_get(arena, a->positional[0], &a->options, spec, e);
    if (r < 0) return fail(a, e);
    run = (*spec)->process;
    if (!a->process) run->args = (ocirt_strings){.items = (const char **)(void *)a->rest, .count = (size_t)a->rest_count}, run->terminal = false;
    run->terminal |= a->tty, run->no_new_privileges |= a->no_new_privs;
    if (a->cwd) run->cwd = a->cwd;
    if (a->label) run->selinux_label = a->label;
    if (a->profile) run->apparmor_profile = a->profile;
    r = set_owner(a, &run->user);
    if (r == 0) r = add_groups(a, &run->user, arena);
    if (r == 0) r = add_caps(a, run, caps);
    return r ? r : add_env(a, &run->env, arena);
}

static int do_exec(struct arguments *a) {
    ocirt_arena arena = {0};
    ocirt_spec *spec = NULL;
    ocirt_capabilities caps = {0};
    ocirt_error e;
    ocirt_exit  end;
    int r = exec_process(a, &arena, &spec, &caps, &e);
    if (!(a->options.flags & OCIRT_DETACH)) a->options.flags |= OCIRT_FORWARD;
    if (r) r = 255;
    else if (ocirt_exec(spec, a->positional[0], &a->options, NULL, &end, &e) < 0) r = fail(a, &e), r = exit_of(&e) == 125 ? 255 : exit_of(&e);
    else r = end.code;
    ocirt_arena_free(&arena);
    return r;
}

static int do_features(struct arguments *a) {
    ocirt_error e;
    return ocirt_features_write(write_file, stdout, &e) < 0 ? fail(a, &e) : 0;
}

/* ----- checkpoint and restore ----- */

static int do_checkpoint(struct arguments *a) {
    ocirt_error e;
    int r = need_id(a);
    return r ? r : ocirt_checkpoint(a->positional[0], &a->checkpoint, &a->options, &e) < 0 ? fail(a, &e) : 0;
}

static int do_restore(struct arguments *a) {
    ocirt_arena arena = {0};
    ocirt_spec *spec;
    ocirt_error e;
    ocirt_exit  end = {0};
    int r = need_id(a);
    if (r == 0) r = load(a, &arena, &spec, &e);
    if (!(a->options.flags & OCIRT_DETACH)) a->options.flags |= OCIRT_FORWARD;
    if (r == 0) r = ocirt_restore(spec, a->bundle, a->positional[0], &a->checkpoint, &a->options, NULL, &end, &e) < 0 ? fail(a, &e) : end.code;
    ocirt_arena_free(&arena);
    return r;
}

/* ----- update ----- */

/* A size may have a unit: 512m. Returns what stands for the value in JSON, NULL if it is none. */
static const char *limit_value(const struct limit *l, const char *value, char out[64]) {
    static const char units[] = "bkmgt";
    char  *end;
    const char *unit;
    long long number = strtoll(value, &end, 10);
    if (l->kind == 't') return strpbrk(value, "\"\\\n") || snprintf(out, 64, "\"%s\"", value) >= 64 ? NULL : out;
    unit = l->kind == 's' && *end && number > 0 ? strchr(units, *end | 32) : NULL;
    if (unit) {
        end += 1 + (*end != 'b' && (end[1] | 32) == 'b');
        for (; unit > units && number >= 0; unit--) number = number > (1ll << 53) ? -2 : number * 1024;
    }
    if (!*value || *end || number == -2) return NULL;
    return snprintf(out, 64, "%lld", number), out;
}

/* The options as the object that they stand for, so that they are checked, placed and explained as one. */
static int limits_text(struct arguments *a, char *out, size_t size) {
    size_t n = (size_t)snprintf(out, size, "{");
    const char *open = NULL;
    for (size_t i = 0; i < L3_CACHE; i++) { /* those of an object stand together */
        const struct limit *l = &limits[i];
        char value[64];
        if (!a->limits[i]) continue;
        if (!limit_value(l, a->limits[i], value)) return fail_text(a, "--%s: %s is not a value of it", l->name, a->limits[i]);
        if (open && strcmp(open, l->object) == 0) n += (size_t)snprintf(out + n, size - n, ",\"%s\":%s", l->member, value);
        else n += (size_t)snprintf(out + n, size - n, "%s\"%s\":{\"%s\":%s", open ? "}," : "", l->object, l->member, value);
        open = l->object;
    }
    snprintf(out + n, size - n, open ? "}}" : "}");
    return 0;
}

static int do_update(struct arguments *a) {
    ocirt_arena arena = {0};
    ocirt_error e;
    ocirt_spec *changes;
    ocirt_intel_rdt schemata = {.l3_cache_schema = a->limits[L3_CACHE], .mem_bw_schema = a->limits[MEM_BW]};
    char flags[2048];
    int  r = need_id(a);
    for (size_t i = 0; r == 0 && a->resources && i < L3_CACHE; i++)
        if (a->limits[i]) r = fail_text(a, "--%s and --resources: one of them only", limits[i].name);
    if (r == 0 && !a->resources) r = limits_text(a, flags, sizeof flags);
    if (r == 0 && (a->resources ? ocirt_resources_load_file(&arena, a->resources, &changes, &e) : ocirt_resources_load(&arena, flags, strlen(flags), "the options", &changes, &e)) < 0) r = fail(a, &e);
    if (r == 0 && (schemata.l3_cache_schema || schemata.mem_bw_schema)) changes->linux_->intel_rdt = &schemata;
    if (r == 0 && ocirt_update(a->positional[0], changes, &a->options, &e) < 0) r = fail(a, &e);
    ocirt_arena_free(&arena);
    return r;
}

/* ----- processes and figures ----- */

static int print_process(void *user, const ocirt_process_info *p) {
    struct listing *l = user;
    unsigned cpu = (unsigned)(p->cpu / 1000000000), age = (unsigned)p->age;
    bool     first = !l->any;
    l->any = true;
    if (l->a->json) return printf("%s%d", first ? "[" : ",", p->pid) < 0 ? -1 : 0;
    if (first) puts("UID           PID     PPID    ELAPSED      TIME CMD");
    return printf("%-8u %8d %8d %4u:%02u:%02u %3u:%02u:%02u %s\n", p->uid, p->pid, p->ppid, age / 3600, age / 60 % 60, age % 60,
                  cpu / 3600, cpu / 60 % 60, cpu % 60, p->command) < 0 ? -1 : 0;
}

static int do_ps(struct arguments *a) {
    struct listing l = {.a = a};
    ocirt_error e;
    if (need_id(a) || set_format(a)) return 1;
    if (ocirt_processes(a->positional[0], &a->options, print_process, &l, &e) < 0) return fail(a, &e);
    if (a->json) fputs(l.any ? "]\n" : "[]\n", stdout);
    return 0;
}

static int print_event(void *user, const ocirt_stats *s) {
    const struct arguments *a = user;
    int r = s ? ocirt_stats_write(s, a->positional[0], write_file, stdout) : printf("{\"type\":\"oom\",\"id\":\"%s\"}\n", a->positional[0]);
    return r < 0 || fflush(stdout) != 0 ? -1 : 0;
}

/* "5s", "500ms", "1m", "5": seconds. */
static unsigned interval_ms(const char *text) {
    char *end;
    unsigned long number = strtoul(text, &end, 10), unit = !*end || strcmp(end, "s") == 0 ? 1000 : strcmp(end, "ms") == 0 ? 1 : strcmp(end, "m") == 0 ? 60000 : 0;
    return *text < '0' || *text > '9' || number > 86400000 || number * unit > 86400000 ? 0 : (unsigned)(number * unit);
}

static int do_events(struct arguments *a) {
    ocirt_arena arena = {0};
    ocirt_error e;
    ocirt_stats s;
    unsigned interval = interval_ms(a->interval ? a->interval : "5s");
    int r = need_id(a);
    if (r) return r;
    if (!interval) return fail_text(a, "--interval: %s is not a duration such as 5s or 500ms", a->interval);
    if (!a->once) return ocirt_events(a->positional[0], &a->options, interval, print_event, a, &e) < 0 ? fail(a, &e) : 0;
    r = ocirt_stats_get(&arena, a->positional[0], &a->options, &s, &e) < 0 ? fail(a, &e) : print_event(a, &s) < 0;
    ocirt_arena_free(&arena);
    return r;
}

static const char stats_row[] = "%-20s %-9s %6s %11s %8s / %-8s %8s / %s\n";

static void amount(uint64_t bytes, char out[16]) {
    unsigned unit = 0;
    while (bytes != UINT64_MAX && bytes >> (10 * unit) >= 10000) unit++;
    snprintf(out, 16, bytes == UINT64_MAX ? "max" : "%u%c", (unsigned)(bytes >> 10 * unit), "BKMGTPE"[unit]);
}

/* One that is stopped, or has no cgroup, has no figures. */
static int print_stats(void *user, const ocirt_state *state) {
    const struct arguments *a = user;
    ocirt_arena arena = {0};
    ocirt_stats s;
    ocirt_error e;
    uint64_t read = 0, written = 0;
    char     t[4][16] = {"-", "-", "-", "-"}, pids[24] = "-", cpu[32] = "-";
    if (ocirt_stats_get(&arena, state->id, &a->options, &s, &e) == 0) {
        for (size_t i = 0; i < s.io_count; i++) read += s.io[i].read_bytes, written += s.io[i].write_bytes;
        snprintf(pids, sizeof pids, "%llu", (unsigned long long)s.pids);
        snprintf(cpu, sizeof cpu, "%llu.%02us", (unsigned long long)(s.cpu_total / 1000000000), (unsigned)(s.cpu_total / 10000000 % 100));
        amount(s.memory, t[0]), amount(s.memory_limit, t[1]), amount(read, t[2]), amount(written, t[3]);
    }
    printf(stats_row, state->id, state->status, pids, cpu, t[0], t[1], t[2], t[3]);
    ocirt_arena_free(&arena);
    return ferror(stdout) ? -1 : 0;
}

static int do_stats(struct arguments *a) {
    ocirt_arena arena = {0};
    ocirt_error e;
    ocirt_state state;
    int r = 0;
    for (int i = 0; r == 0 && i < a->positional_count; i++) r = ocirt_state_get(&arena, a->positional[i], &a->options, &state, &e); /* nothing is printed if one is unknown */
    if (r == 0) printf(stats_row, "ID", "STATUS", "PIDS", "CPU", "MEMORY", "LIMIT", "READ", "WRITTEN");
    if (r == 0 && a->positional_count == 0) r = ocirt_list(&a->options, print_stats, a, &e);
    for (int i = 0; r == 0 && i < a->positional_count; i++)
        if ((r = ocirt_state_get(&arena, a->positional[i], &a->options, &state, &e)) == 0) r = print_stats(a, &state);
    ocirt_arena_free(&arena);
    return r < 0 ? fail(a, &e) : 0;
}

static int do_help(struct arguments *a);
static int do_version(struct arguments *a) {
    (void)a;
    printf("ocirt version %s\nspec: %s\n", ocirt_version(), OCIRT_SPEC_VERSION);
    return 0;
}

static const struct command commands[] = {
    {"run", RUN, "BUNDLE | [-b BUNDLE] ID | --rootfs DIR -- CMD...", "run a container in the foreground, and delete it", do_run, 1},
    {"create", CREATE, "[-b BUNDLE] ID", "set a container up; its program waits for start", do_create, 1},
    {"start", PLAIN, "ID", "let a created container's program run", do_start, 1},
    {"state", PLAIN, "ID", "print a container's state as JSON", do_state, 1},
    {"exec", EXEC, "[OPTIONS] ID CMD [ARG...]", "run a further program in a container", do_exec, 1},
    {"kill", KILL, "[--all] ID [SIGNAL]", "send a signal (default TERM) to a container", do_kill, 2},
    {"delete", DELETE, "[--force] ID", "remove a stopped container", do_delete, 1},
    {"list", LISTING, "[-q] [-f json]", "list containers", do_list, 0},
    {"pause", PLAIN, "ID", "stop all processes of a container", do_pause, 1},
    {"resume", PLAIN, "ID", "let a paused container go on", do_resume, 1},
    {"update", UPDATE, "[-r FILE|-] [LIMITS] ID", "change a container's limits", do_update, 1},
    {"ps", PS, "[-f json] ID", "list a container's processes", do_ps, 1},
    {"events", EVENTS, "[--stats] [--interval 5s] ID", "print figures, and kills for want of memory, as JSON", do_events, 1},
    {"stats", PLAIN, "[ID...]", "print the figures of all containers or some", do_stats, POSITIONAL},
    {"checkpoint", CHECKPOINT, "[--image-path DIR] ID", "dump a container into images, by criu", do_checkpoint, 1},
    {"restore", RESTORE, "[--image-path DIR] [-b BUNDLE] [-d] ID", "bring a container back from images", do_restore, 1},
    {"spec", SPEC, "[--rootless] [-b BUNDLE]", "write a config.json to begin with", do_spec, 0},
    {"check", CHECK, "[BUNDLE] [--json]", "report everything suspicious in a config.json", do_check, 1},
    {"plan", PLAN, "[BUNDLE] [--json]", "print what run would do, without doing it", do_plan, 1},
    {"seccomp", SECCOMP, "[-b BUNDLE] [--arch NAME] [CALL [ARG...]]", "print the compiled profile, or what a call would meet", do_seccomp, 7},
    {"features", PLAIN, "", "print the features document", do_features, 0},
    {"help", PLAIN, "[COMMAND]", "print this", do_help, 1},
    {"version", PLAIN, "", "print the version", do_version, 0},
};

static void print_option(char letter, const char *name, const char *value, const char *help) {
    printf(letter ? "  -%c, " : "      ", letter);
    printf("--%s %-*s %s\n", name, (int)(27 - strlen(name)), value, help);
}

static void print_options(unsigned command) {
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        if (options[i].commands & command) print_option(options[i].letter, options[i].name, options[i].value, options[i].help);
    for (size_t i = 0; i < LIMITS && command & UPDATE; i++) print_option(0, limits[i].name, limits[i].value, limits[i].help);
}

static int help_of(const struct command *c) {
    printf("usage: ocirt %s %s\n\n%s\n\noptions (--name VALUE or --name=VALUE):\n", c->name, c->usage, c->help);
    print_options(c->bit);
    return 0;
}

static int do_help(struct arguments *a) {
    for (size_t i = 0; i < sizeof commands / sizeof commands[0] && a->positional_count; i++)
        if (strcmp(commands[i].name, a->positional[0]) == 0) return help_of(&commands[i]);
    if (a->positional_count) return fail_text(a, "unknown command %s; see `ocirt help`", a->positional[0]);
    puts("ocirt: runs OCI containers\n\nusage: ocirt [GLOBAL OPTIONS] COMMAND [OPTIONS] ARGUMENTS\n");
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) printf("  %-10s %-50s %s\n", commands[i].name, commands[i].usage, commands[i].help);
    puts("\nglobal options; `ocirt help COMMAND` prints those of a command:");
    print_options(GLOBAL);
    return 0;
}

/* Behind -- are arguments like the others, but for run --rootfs. */
static int check_count(struct arguments *a, const struct command *c) {
    if ((c->run == do_ps || c->run == do_exec) && a->positional_count) return 0;
    for (int i = 0; i < a->rest_count && !a->rootfs && a->positional_count < POSITIONAL; i++) a->positional[a->positional_count++] = a->rest[i];
    if (a->positional_count <= c->most && (a->rootfs || a->rest_count <= c->most)) return 0;
    return fail_text(a, "too many arguments of %s: %s", c->name, a->positional_count > c->most ? a->positional[c->most] : a->rest[c->most]);
}

/* Only those that are meant for us (sd_listen_fds(3)): podman leaves it set for another process. */
static void take_listen_fds(struct arguments *a) {
    const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
    uint32_t whose, fds;
    if (!pid || !count || !id_number(pid, strlen(pid), &whose) || whose != (uint32_t)getpid()) return;
    if (id_number(count, strlen(count), &fds) && fds < 1024) a->options.listen_fds = fds;
}

/* What cannot be honoured is refused and not passed over. */
static int check_globals(struct arguments *a, const struct command *c) {
    if (a->log_format && strcmp(a->log_format, "json") != 0 && strcmp(a->log_format, "text") != 0) return fail_text(a, "unknown log format %s", a->log_format);
    const char *m = a->cgroup_manager;
    if (m && strcmp(m, "disabled") == 0) a->options.flags |= OCIRT_WITHOUT_CGROUPS;
    else if (m && strcmp(m, "systemd") == 0) a->systemd = true;
    else if (m && strcmp(m, "cgroupfs") != 0) return fail_text(a, "unknown cgroup manager %s", m);
    if (a->systemd) a->options.flags |= OCIRT_SYSTEMD;
    if (c->bit & NEW) take_listen_fds(a);
    if (getenv("NOTIFY_SOCKET") && getenv("NOTIFY_SOCKET")[0]) a->options.notify_socket = getenv("NOTIFY_SOCKET");
    return 0;
}

int main(int argc, char **argv) {
    static const struct command before = {.name = "", .bit = GLOBAL};
    struct arguments a;
    int at = 1, r;
    memset(&a, 0, sizeof a);
    a.options.stage = ocirt_stage(argc, argv);
    own_open = true;
    a.options.warn = warn, a.options.user = &a, a.checkpoint.image_path = "checkpoint";
    signal(SIGCHLD, SIG_DFL); /* a caller that ignored it would cost us the exit status */
    r = parse(&a, &before, argc, argv, &at);
    if (r) return r;
    if (a.version) return do_version(&a);
    if (a.help || at >= argc) return do_help(&a), at >= argc && !a.help;
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(commands[i].name, argv[at]) != 0) continue;
        at++;
        r = parse(&a, &commands[i], argc, argv, &at);
        if (r == 0 && a.help) return help_of(&commands[i]);
        if (r == 0) r = check_count(&a, &commands[i]);
        if (r == 0) r = check_globals(&a, &commands[i]);
        if (r) return commands[i].run == do_run ? 125 : commands[i].run == do_exec ? 255 : r;
        r = commands[i].run(&a);
        if (r == 0 && (fflush(stdout) != 0 || ferror(stdout))) r = fail_text(&a, "standard output could not be written");
        return r;
    }
    return fail_text(&a, "unknown command %s; see `ocirt help`", argv[at]);
}
