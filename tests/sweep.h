/* sweep.h: a scenario that is gone through again and again, each time disturbed at another call of its
 * trace. Made in sweep.c, for errors and kills; secure.c has the lies. */
#ifndef SWEEP_H
#define SWEEP_H
#include "runs.h"

enum what { RUN, CREATE, START, DELETE, EXEC }; /* EXEC: of the same process, in a container that only waits */
/* How much the config has: a little; some of everything that a container is made of; all that confines and limits it
 * besides, as far as this machine has it; the same without noNewPrivileges, with a time namespace, and no agent. */
enum extent { SMALL, FAT, WHOLE, OTHER };

struct scene {
    struct t *t;
    enum what what;
    enum extent extent;
    bool user, net; /* net: a device is moved in, which this process has in a namespace of its own */
    pid_t agent;    /* answers what the filter asks */
    struct bundle b;
    char *golden; /* what the payload says of itself, without what differs from run to run */
    struct snap *before;
    struct drive trace;  /* of the undisturbed scenario */
    struct outcome made; /* of an untraced create, whose output the container has */
};

/* Decides: one disturbance, and an end of tracing where init only waits. */
struct dose {
    struct aim aim;
    bool aimed;
    unsigned waits; /* mask of roles that wait for start */
};

/* A point of the trace that means the same call in each run. */
struct place {
    unsigned role, nth;
    long nr;
    const char *path;
};
struct places {
    struct place *at;
    size_t n;
};

/* The bundle, which may then be changed; watching runs it and keeps trace and golden report. */
void scene_begin(struct t *t, struct scene *s, enum what what, enum extent extent, bool user);
void scene_watch(struct scene *s);
void scene_end(struct scene *s);
char *scene_fat_text(struct scene *s); /* the config, unless it is a small one */
bool scene_sweeps(const struct scene *s, const struct call *call); /* of the trace: is it disturbed? */
struct places scene_places(const struct scene *s);
const char *scene_place_text(const struct place *p);
struct drive_action scene_give(void *user, struct call *call); /* user is a struct dose */
void scene_prepare(struct scene *s);
void scene_go(struct scene *s, struct drive *drive);
/* Ends what the scenario left standing as it should; the payload's report. Fills `why` on failure. */
char *scene_finish(struct scene *s, struct drive *drive, struct text *why);
void scene_forget(struct scene *s, struct drive *drive);
void scene_untraced(struct scene *s, struct outcome *out, const char *const *args);
#define UNTRACED(s, out, ...) scene_untraced((s), (out), (const char *const[]){__VA_ARGS__, NULL})
/* Before each run: what the last one may have taken along. */
void scene_renew(struct scene *s);
/* If there is something left, it is told, and cleared away so that the sweep can go on. */
void scene_expect_nothing_left(struct scene *s, const char *where, const char *said);
char *report_difference(const char *want, const char *got); /* the first lines that differ */
#endif
