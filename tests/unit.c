/* unit.c: tests of private functions. This file has an implementation of its own, all static, and
 * takes the tests from unit/ in pieces, since only one file can see what is private. */
#if __has_include("../ocirt.h")
/* All kernel calls of this implementation pass through here (see "what the kernel says" below). */
static long unit_syscall(long number, long a, long b, long c, long d, long e, long f);
#define OCIRT_SYSCALL unit_syscall
/* And all its comparisons of bytes here, so that they can be counted. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <string.h>
static size_t unit_compares;
static int unit_memcmp(const void *a, const void *b, size_t n) { return unit_compares++, memcmp(a, b, n); }
static int unit_strcmp(const char *a, const char *b) { return unit_compares++, strcmp(a, b); }
#undef memcmp
#undef strcmp
#define memcmp unit_memcmp
#define strcmp unit_strcmp
#define OCIRT_STATIC
#define OCIRT_IMPLEMENTATION
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#endif
#include "../ocirt.h"
#undef memcmp
#undef strcmp
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif
#endif
#include "test.h"

/* ---- what the kernel says ---- */

static int unit_openat2_error;                   /* it is filtered out, or refuses */
static bool unit_seccomp_lie;                    /* the kernel says it loaded a filter, and did not */
static void (*unit_before_call)(long number);   /* what others do just before a call */

static int unit_bpf_lie; /* this command of bpf(2) is answered with success and not carried out */

static const char *unit_resctrl; /* a folder that stands for a mounted resctrl, or NULL */
static bool resctrl_call(long number, long a, long b, long c, long *out);

static long unit_syscall(long number, long a, long b, long c, long d, long e, long f) {
    long answer;
    if (unit_before_call) unit_before_call(number);
    if (unit_resctrl && resctrl_call(number, a, b, c, &answer)) return answer;
    if (number == SYS_bpf && a == unit_bpf_lie && a) return 0;
    if (number == OCIRT__NR_openat2 && unit_openat2_error) return errno = unit_openat2_error, -1;
    if (number == SYS_seccomp && unit_seccomp_lie) return 0;
    return syscall(number, a, b, c, d, e, f);
}

/* A piece, unit/json.inc, has functions, and at its end their rows:
 *   #define UNIT_JSON {"unit.json_numbers", json_numbers, 0, 0}, {"unit.json_text", json_text, 0, 0},
 * Here it is included, and its rows are named in the table. */

#include "unit/checkpoint.inc"
#include "unit/device.inc"
#include "unit/json.inc"
#include "unit/path.inc"
#include "unit/plan.inc"
#include "unit/resctrl.inc"
#include "unit/seccomp.inc"
#include "unit/small.inc"
#include "unit/spec.inc"
#include "unit/systemd.inc"
#include "unit/properties.inc"

const struct test unit_tests[] = {
    UNIT_CHECKPOINT
    UNIT_DEVICE
    UNIT_JSON
    UNIT_PATH
    UNIT_PLAN
    UNIT_RESCTRL
    UNIT_SECCOMP
    UNIT_SMALL
    UNIT_SPEC
    UNIT_SYSTEMD
    UNIT_PROPERTIES
    {0},
};
