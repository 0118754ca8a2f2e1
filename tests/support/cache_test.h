/* For the tests of the cache of compiled modules: a cache and two modules, which a run tells apart by their exit codes, 1 and 2. cmocka.h
 * comes before it. */
#ifndef TESTS_SUPPORT_CACHE_TEST_H
#define TESTS_SUPPORT_CACHE_TEST_H

#include <stdbool.h>
#include <stddef.h>

#include "remotemedia/remotemedia.h"

enum { RMT_CACHE_PATH = 320 };

typedef struct rmt_cache {
    char folder[64], cache[128], one[128], two[128];
} rmt_cache;

/* What a sandbox has told. */
typedef struct rmt_cache_log {
    int compiled, warned;
    char warning[512];
} rmt_cache_log;

/* A cmocka fixture: *state is an rmt_cache. */
int rmt_cache_set_up(void **state);
int rmt_cache_tear_down(void **state);
#define RMT_CACHE_TEST(name) cmocka_unit_test_setup_teardown(name, rmt_cache_set_up, rmt_cache_tear_down)

rm_sandbox *rmt_cache_sandbox(const rmt_cache *at, rmt_cache_log *said);
/* Runs a module: its exit code. The test fails where there is none. */
int rmt_cache_run_in(rm_sandbox *sandbox, const char *file);
/* The same as a program that starts, with nothing loaded. */
int rmt_cache_run(const rmt_cache *at, const char *file, rmt_cache_log *said);
/* The same; the test fails where the exit code, or how often it was compiled, is another. */
void rmt_cache_expect(const rmt_cache *at, const char *file, int exit_code, int compiled, const char *what);
/* Waits until the module's file is old enough that its key is noted. */
void rmt_cache_let_lie(const char *file);
/* How many files of the cache begin so, and the path of one. */
size_t rmt_cache_find(const rmt_cache *at, const char *start, char path[static RMT_CACHE_PATH]);
/* The path of the only one that is code. */
void rmt_cache_code(const rmt_cache *at, char path[static RMT_CACHE_PATH]);
/* What is in a file; owned. */
char *rmt_cache_contents(const char *path, size_t *size);
/* A new file. */
void rmt_cache_put(const char *path, const void *data, size_t size);

#endif
