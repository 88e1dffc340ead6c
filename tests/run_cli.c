#include "test.h"
const struct test run_cli_tests[] = {{0}};
