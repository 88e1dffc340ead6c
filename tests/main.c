/* main.c: the list of all tests, and which of its lives this program leads. */
#include "test.h"
#include <sys/syscall.h>

#define TABLES(X) \
    X(selftest)   \
    X(unit)       \
    X(basic)      \
    X(run_ns)     \
    X(run_net)    \
    X(run_process) \
    X(run_sched)  \
    X(run_lsm)    \
    X(run_rdt)    \
    X(run_seccomp) \
    X(run_idmap)  \
    X(run_refuse) \
    X(run_input)  \
    X(run_fs)     \
    X(run_hooks)  \
    X(run_life)   \
    X(run_tty)    \
    X(run_exec)   \
    X(run_console) \
    X(run_checkpoint) \
    X(run_nested) \
    X(run_cli)    \
    X(run_commands) \
    X(run_limits) \
    X(run_resources) \
    X(run_explain) \
    X(host)       \
    X(sweep)      \
    X(attack)     \
    X(secure)

#define DECLARE(name) extern const struct test name##_tests[];
#define LIST(name) name##_tests,
TABLES(DECLARE)
const struct test *const test_tables[] = {TABLES(LIST) NULL};

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* The runtime starts itself again as its stage. */
static bool names_the_command(const char *name) {
    return !strcmp(name, "ocirt") || !strcmp(name, "ocirt-stage");
}

static void list_tests(void) {
    for (size_t i = 0; test_tables[i]; i++)
        for (const struct test *test = test_tables[i]; test->name; test++) puts(test->name);
}

/* What the caller left open would be in every report of descriptors. */
static void close_inherited(void) {
    long most = sysconf(_SC_OPEN_MAX);
    if (syscall(436, /* close_range */ 3u, ~0u, 0u))
        for (int fd = 3; fd < most; fd++) close(fd);
}

static int usage(void) {
    fputs("ocirt-test [-l] [-v] [-k] [-j JOBS] [-t SECONDS] [GLOB...]\n"
          "  -l  list the tests          -v  show output of passing tests too\n"
          "  -k  keep temporary folders  -t  time limit of every test\n",
          stderr);
    return 2;
}

static int run_command_line(int argc, char **argv) {
    struct run_options options = {.jobs = 1};
    int option;
    while ((option = getopt(argc, argv, "lvkj:t:")) != -1) {
        switch (option) {
        case 'l': list_tests(); return 0;
        case 'v': options.verbose = true; break;
        case 'k': options.keep = true; break;
        case 'j': options.jobs = (unsigned)strtoul(optarg, NULL, 10); break;
        case 't': options.seconds = (unsigned)strtoul(optarg, NULL, 10); break;
        default: return usage();
        }
    }
    options.patterns = argv + optind;
    close_inherited();
    struct totals totals = run_tables(test_tables, &options, stdout);
    totals_print(totals, stdout);
    if (!(totals.passed + totals.failed + totals.skipped)) return fputs("no test has such a name\n", stderr), 2;
    return totals.failed ? 1 : 0;
}

int main(int argc, char **argv) {
    const char *name = argc > 0 ? base_name(argv[0]) : "";
    if (names_the_command(name)) return ocirt_cli_main(argc, argv);
    if (!strcmp(name, "criu")) return criu_main(argc, argv);
    if (argc > 1 && !strcmp(argv[1], "embed")) return embed_main(argc, argv);
    if (argc > 1 && !strncmp(argv[1], "payload-", 8)) return payload_main(argc - 1, argv + 1);
    if (getpid() == 1) return init_main(argv);
    return run_command_line(argc, argv);
}
