/* unit.c: tests of private functions. This file has an implementation of its own, all static, and
 * takes the tests from unit/ in pieces, since only one file can see what is private. */
#if __has_include("../ocirt.h")
#define OCIRT_STATIC
#define OCIRT_IMPLEMENTATION
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#endif
#include "../ocirt.h"
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif
#endif
#include "test.h"

/* A piece, unit/json.inc, has functions, and at its end their rows:
 *   #define UNIT_JSON {"unit.json_numbers", json_numbers, 0, 0}, {"unit.json_text", json_text, 0, 0},
 * Here it is included, and its rows are named in the table. */

#include "unit/plan.inc"

const struct test unit_tests[] = {
    UNIT_PLAN
    {0},
};
