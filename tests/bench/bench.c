/* bench.c: paired rounds of container runtimes. bench.sh prepares what it needs and starts it.
 *
 *   bench [-d] [-n ROUNDS] [-w MS] NAME KIND PROGRAM DIR SIZE ...
 *
 * KIND oci: PROGRAM speaks runc's command line; DIR has a bundle (bundle/) and takes the state.
 * KIND floor: PROGRAM is the floor; DIR/bundle/rootfs is its root. KIND bare: PROGRAM alone.
 * -d: each second contender is the one before it with something more, and the difference is told.
 * SIZE is text for the table. What the others are compared to: the first floor, and the first whose
 * name begins with crun.
 *
 * In each round each contender runs once, and the order rotates from round to round: what disturbs
 * the machine disturbs neighbours alike, and a ratio within a round is more than one of two averages.
 * Times are from before the fork to after the wait. Between two measurements is a pause (-w, 20 ms),
 * in which the kernel clears away namespaces and cgroups; else each would pay for the one before.
 *   run                    the program runs to its end and the container is removed
 *   create, start, delete  three commands; before delete we wait for the container's end, as engines do
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { RUN, CREATE, START, WAIT, DELETE, THREE, EXEC, PHASES };
enum { MOST = 16, MOST_ROUNDS = 10000 };

struct contender {
    const char *name, *kind, *program, *dir, *size;
    char id[64], state[512], bundle[512], root[512], pid_file[512], container[600], log[512];
    double *ms[PHASES], *cpu;
    long kib[PHASES]; /* peak memory */
    int broken;       /* failed before it came to measuring: left out */
};
static struct contender who[MOST];
static int count, rounds = 50, pause_ms = 20;
static int null_fd;
static const char *volatile running; /* the contender whose turn it is */

static void die(const char *what) {
    fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void stuck(int signal) {
    (void)signal;
    const char text[] = "bench: no end in 30 s: ";
    if (write(2, text, sizeof text - 1) < 0 || write(2, running, strlen(running)) < 0 ||
        write(2, "\n", 1) < 0)
        _exit(2);
    _exit(1);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int is(const struct contender *c, const char *kind) { return strcmp(c->kind, kind) == 0; }

static double cpu_ms; /* of the last command and all that it waited for */

/* Run a command to its end: its time, and its exit status when that is wanted. With vfork the child
 * counts our memory as its peak, so memory is measured in a round of its own, with fork. */
static double spend(struct contender *c, int phase, int forked, const char *const *argv) {
    int log = open(c->log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (log < 0) die(c->log);
    double t = now();
    pid_t pid = forked ? fork() : vfork();
    if (pid == 0) {
        dup2(null_fd, 0);
        dup2(log, 1);
        dup2(log, 2);
        execv(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    if (pid < 0) die("fork");
    int status;
    struct rusage usage;
    while (wait4(pid, &status, 0, &usage) != pid)
        if (errno != EINTR) die("wait4");
    t = now() - t;
    cpu_ms = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3 + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3;
    if (forked && usage.ru_maxrss > c->kib[phase]) c->kib[phase] = usage.ru_maxrss;
    close(log);
    if (status != 0) {
        char text[2000];
        int fd = open(c->log, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
        text[n > 0 ? n : 0] = 0;
        fprintf(stderr, "bench: %s:", c->name);
        for (int i = 0; argv[i]; i++) fprintf(stderr, " %s", argv[i]);
        fprintf(stderr, ": wait status %#x\n%s", (unsigned)status, text);
        if (!forked) exit(1);
        c->broken = 1;
    }
    return t;
}

static void settle(void) {
    if (pause_ms > 0) usleep((useconds_t)pause_ms * 1000);
}

static void measure_run(struct contender *c, int round, int forked) {
    running = c->name;
    alarm(30);
    const char *oci[] = {c->program, "--root", c->state, "run", "-b", c->bundle, c->id, NULL};
    const char *floor[] = {c->program, c->root, NULL};
    const char *bare[] = {c->program, NULL};
    double t = spend(c, RUN, forked, is(c, "oci") ? oci : is(c, "floor") ? floor : bare);
    if (round >= 0) c->ms[RUN][round] = t, c->cpu[round] = cpu_ms;
    settle();
}

static pid_t read_pid(const char *path) {
    char text[32] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, text, sizeof text - 1) <= 0) die(path);
    close(fd);
    unlink(path);
    return (pid_t)atoi(text);
}

static void measure_three(struct contender *c, int round, int forked) {
    if (is(c, "bare")) return;
    running = c->name;
    alarm(30);
    int oci = is(c, "oci");
    const char *create[] = {c->program, "--root",     c->state,    "create", "-b",
                            c->bundle,  "--pid-file", c->pid_file, c->id,    NULL};
    const char *start[] = {c->program, "--root", c->state, "start", c->id, NULL};
    const char *delete[] = {c->program, "--root", c->state, "delete", c->id, NULL};
    const char *exec[] = {c->program, "--root", c->state, "exec", c->id, "/payload-true", NULL};
    const char *f_create[] = {c->program, "create", c->container, c->root, c->pid_file, NULL};
    const char *f_start[] = {c->program, "start", c->container, NULL};
    const char *f_delete[] = {c->program, "delete", c->container, NULL};
    double t[PHASES], begin = now();
    t[CREATE] = spend(c, CREATE, forked, oci ? create : f_create);
    if (c->broken) return;
    double between = now();
    pid_t pid = read_pid(c->pid_file); /* not the runtime's time */
    t[EXEC] = oci ? spend(c, EXEC, forked, exec) : 0; /* in what waits for start: not a part of the three */
    if (c->broken) return;
    double own = now() - between;
    t[START] = spend(c, START, forked, oci ? start : f_start);
    if (c->broken) return;
    double ended = now();
    int status;
    if (waitpid(pid, &status, 0) != pid) die("waiting for the container");
    t[WAIT] = now() - ended;
    if (status != 0) die("the container's exit status is not 0");
    t[DELETE] = spend(c, DELETE, forked, oci ? delete : f_delete);
    t[THREE] = now() - begin - own;
    if (round >= 0)
        for (int p = CREATE; p < PHASES; p++) c->ms[p][round] = t[p];
    settle();
}

/* ---- numbers ---- */

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}
static double quantile(const double *v, double q) {
    static double sorted[MOST_ROUNDS];
    memcpy(sorted, v, (size_t)rounds * sizeof *v);
    qsort(sorted, (size_t)rounds, sizeof *sorted, by_value);
    double at = q * (rounds - 1);
    int i = (int)at;
    return i + 1 < rounds ? sorted[i] + (at - i) * (sorted[i + 1] - sorted[i]) : sorted[i];
}
static double median(const double *v) { return quantile(v, 0.5); }
static double median_of_ratios(const double *v, const double *base) {
    static double ratio[MOST_ROUNDS];
    for (int i = 0; i < rounds; i++) ratio[i] = v[i] / base[i];
    return median(ratio);
}

/* What `c` takes more than `base`: median of the differences within the rounds, and their quartiles. */
static void difference_row(const struct contender *c, const double *with, const double *without, const char *title) {
    static double more[MOST_ROUNDS];
    for (int i = 0; i < rounds; i++) more[i] = (with[i] - without[i]) * 1e3;
    printf("| %-24s | %-23s | %9.0f | %6.0f to %6.0f |\n", c->name, title, median(more), quantile(more, 0.25), quantile(more, 0.75));
}

static void differences(void) {
    printf("\n| %-24s | %-23s | median us |     p25 to p75  |\n|:%.25s|:%.24s|----------:|----------------:|\n", "more than without", "",
           "-----------------------------", "-----------------------------");
    for (int i = 1; i < count; i++) {
        if (strncmp(who[i].name, who[i - 1].name, strlen(who[i - 1].name))) continue; /* its other half was left out */
        const struct contender *c = &who[i], *base = &who[i - 1];
        difference_row(c, c->ms[RUN], base->ms[RUN], "run");
        difference_row(c, c->cpu, base->cpu, "run, processor time");
        difference_row(c, c->ms[CREATE], base->ms[CREATE], "create");
        difference_row(c, c->ms[START], base->ms[START], "start");
        difference_row(c, c->ms[THREE], base->ms[THREE], "create + start + delete");
    }
}

static void ratio_cell(const struct contender *c, const struct contender *base, int phase) {
    char text[48];
    if (!base)
        snprintf(text, sizeof text, "-");
    else if (base == c)
        snprintf(text, sizeof text, "1");
    else
        snprintf(text, sizeof text, "%.2f (%.2f)", median_of_ratios(c->ms[phase], base->ms[phase]),
                 median(c->ms[phase]) / median(base->ms[phase]));
    printf(" %15s |", text);
}

/* The kernel counts pages in steps of up to 128 KiB for each processor: below that it says nothing. */
static void memory_cell(long kib, int width) {
    char text[24];
    snprintf(text, sizeof text, kib < 128 ? "<128" : "%ld", kib);
    printf(" %*s |", width, text);
}

static void table(int phase, const char *title, const struct contender *floor,
                  const struct contender *crun) {
    printf("\n| %-24s | median ms |    p10 to p90 |         x floor |          x crun |", title);
    if (phase == THREE) printf(" create | start | delete |");
    printf("\n|:%.25s|----------:|--------------:|----------------:|----------------:|",
           "-----------------------------");
    if (phase == THREE) printf("-------:|------:|-------:|");
    puts("");
    for (int i = 0; i < count; i++) {
        const struct contender *c = &who[i];
        if ((phase == THREE && is(c, "bare")) || (phase == EXEC && !is(c, "oci"))) continue;
        char range[48];
        snprintf(range, sizeof range, "%.2f to %.2f", quantile(c->ms[phase], 0.1),
                 quantile(c->ms[phase], 0.9));
        printf("| %-24s | %9.2f | %13s |", c->name, median(c->ms[phase]), range);
        ratio_cell(c, floor, phase);
        ratio_cell(c, crun, phase);
        if (phase == THREE)
            printf(" %6.2f | %5.2f | %6.2f |", median(c->ms[CREATE]), median(c->ms[START]),
                   median(c->ms[DELETE]));
        puts("");
    }
}

int main(int argc, char **argv) {
    int opt, pairs = 0;
    while ((opt = getopt(argc, argv, "dn:w:")) != -1) {
        if (opt == 'd')
            pairs = 1;
        else if (opt == 'n')
            rounds = atoi(optarg);
        else if (opt == 'w')
            pause_ms = atoi(optarg);
        else
            return 2;
    }
    argc -= optind;
    argv += optind;
    count = argc / 5;
    if (argc % 5 != 0 || count < 1 || count > MOST || rounds < 1 || rounds > MOST_ROUNDS) {
        fputs("usage: bench [-d] [-n ROUNDS] [-w MS] NAME KIND PROGRAM DIR SIZE ...\n", stderr);
        return 2;
    }
    for (int i = 0; i < count; i++) {
        struct contender *c = &who[i];
        c->name = argv[5 * i], c->kind = argv[5 * i + 1], c->program = argv[5 * i + 2];
        c->dir = argv[5 * i + 3], c->size = argv[5 * i + 4];
        snprintf(c->id, sizeof c->id, "bench-%d-%d", (int)getpid(), i);
        snprintf(c->state, sizeof c->state, "%s/state", c->dir);
        snprintf(c->container, sizeof c->container, "%s/%s", c->state, c->id);
        snprintf(c->bundle, sizeof c->bundle, "%s/bundle", c->dir);
        snprintf(c->root, sizeof c->root, "%s/bundle/rootfs", c->dir);
        snprintf(c->pid_file, sizeof c->pid_file, "%s/pid", c->dir);
        snprintf(c->log, sizeof c->log, "%s/log", c->dir);
        for (int p = 0; p < PHASES; p++)
            if (!(c->ms[p] = calloc((size_t)rounds, sizeof(double)))) die("memory");
        if (!(c->cpu = calloc((size_t)rounds, sizeof(double)))) die("memory");
    }
    if ((null_fd = open("/dev/null", O_RDWR | O_CLOEXEC)) < 0) die("/dev/null");
    signal(SIGALRM, stuck);
    /* Containers come to us when the runtime is gone, as to an engine's monitor. */
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);

    int well = 0;
    for (int i = 0; i < count; i++) { /* warm caches, measure memory, see who works */
        struct contender *c = &who[i];
        for (int twice = 0; twice < 2 && !c->broken; twice++) {
            measure_run(c, -1, 1);
            if (!c->broken) measure_three(c, -1, 1);
        }
        if (c->broken)
            fprintf(stderr, "bench: %s is left out\n", c->name);
        else
            who[well++] = *c;
    }
    count = well;
    const struct contender *floor = NULL, *crun = NULL;
    for (int i = count - 1; i >= 0; i--) {
        if (is(&who[i], "floor")) floor = &who[i];
        if (strncmp(who[i].name, "crun", 4) == 0) crun = &who[i];
    }
    for (int r = 0; r < rounds; r++)
        for (int i = 0; i < count; i++) measure_run(&who[(r + i) % count], r, 0);
    for (int r = 0; r < rounds; r++)
        for (int i = 0; i < count; i++) measure_three(&who[(r + i) % count], r, 0);

    table(RUN, "run", floor, crun);
    table(THREE, "create + start + delete", floor, crun);
    table(EXEC, "exec", NULL, crun);
    if (pairs) return differences(), 0;
    printf("\n| %-24s | peak KiB: run | create | start | delete |  exec |  program KiB |\n",
           "memory, size");
    printf("|:%.25s|--------------:|-------:|------:|-------:|------:|-------------:|\n",
           "-----------------------------");
    for (int i = 0; i < count; i++) {
        const struct contender *c = &who[i];
        if (is(c, "bare")) continue;
        printf("| %-24s |", c->name);
        memory_cell(c->kib[RUN], 13);
        memory_cell(c->kib[CREATE], 6);
        memory_cell(c->kib[START], 5);
        memory_cell(c->kib[DELETE], 6);
        memory_cell(c->kib[EXEC], 5);
        printf(" %12s |\n", c->size);
    }
    return 0;
}
