/* cli.c: the command under test, compiled into the test program. It is included as it is, names and
 * all, so nothing of test.h is in sight of it. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#if __has_include("../ocirt.c")
#define main ocirt_cli_main
#include "../ocirt.c"
#undef main
#include <stdbool.h>
extern const bool have_ocirt;
const bool have_ocirt = true;
#else
#include "test.h"
const bool have_ocirt = false;
int ocirt_cli_main(int argc, char **argv) {
    (void)argc;
    fprintf(stderr, "%s: not compiled in\n", argv[0]);
    return 125;
}
#endif
