#include "test.h"
const struct test run_explain_tests[] = {{0}};
