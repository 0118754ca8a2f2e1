/* For the tests of the Python host in applications. cmocka.h comes before it. */
#ifndef TESTS_SUPPORT_PYTHON_RUN_H
#define TESTS_SUPPORT_PYTHON_RUN_H

/* Runs the manifest over the items 1 and 2, and compares its outputs, as JSON, with `expected`. */
void rmt_python_run(const char *manifest_text, const char *expected);

#endif
