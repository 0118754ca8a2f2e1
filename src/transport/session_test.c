/* Sessions: clients that give and take slowly, go away, or are too late. */
#include <stdlib.h>
#include <string.h>

#include "platform/platform.h"
#include "tests/support/node_test.h"
#include "transport/service.h"

enum { MOST = 3000 };
static const char double_text[] =
    "{\"version\":\"v1\",\"metadata\":{\"name\":\"t\"},\"nodes\":[{\"id\":\"a\",\"node_type\":\"MultiplyNode\","
    "\"params\":{\"factor\":2}}],\"connections\":[]}";
static const char endless_text[] =
    "{\"version\":\"v1\",\"metadata\":{\"name\":\"t\"},\"nodes\":[{\"id\":\"a\",\"node_type\":\"SimpleSource\","
    "\"params\":{\"count\":1000000000000,\"value\":1}}],\"connections\":[]}";
static const char file_text[] =
    "{\"version\":\"v1\",\"metadata\":{\"name\":\"t\"},\"nodes\":[{\"id\":\"a\",\"node_type\":\"FileLines\","
    "\"params\":{\"path\":\"/dev/null\"}}],\"connections\":[]}";
static const char wrong_text[] =
    "{\"version\":\"v1\",\"metadata\":{\"name\":\"t\"},\"nodes\":[{\"id\":\"a\",\"node_type\":\"MultiplyNode\","
    "\"params\":{\"facto\":2}}],\"connections\":[]}";

/* A client that gives the numbers below `count`, and takes results in any mood. */
typedef struct party {
    rm_runtime *runtime;
    rmi_service *service;
    rmi_session *session;
    int64_t given, count;
    size_t taken;
    bool every_other;    /* says RM_AGAIN before each item and each result */
    bool said_again[2];  /* for the item, for the result */
    size_t refuses_from; /* results from here on fail */
    int64_t results[MOST];
    int64_t timestamp; /* of the last result */
    atomic_bool has_ended;
    int code;
    rm_error err;
    rmi_wake *gate;
} party;

/* Whether to say RM_AGAIN this time; the wake that the client owes comes at once. */
static bool not_now(party *p, int which)
{
    p->said_again[which] = p->every_other && !p->said_again[which];
    if (p->said_again[which])
        rmi_session_wake(p->session);
    return p->said_again[which];
}

static int give(void *context, const char **source, rm_packet *packet, rm_error *err)
{
    party *p = context;
    (void)err, (void)source;
    if (p->given == p->count)
        return RM_DONE;
    if (not_now(p, 0))
        return RM_AGAIN;
    *packet = rm_packet_of(rm_int(p->given));
    packet->timestamp = p->given++ * 1000;
    return RM_OK;
}

static int take(void *context, const rmi_session *session, size_t sink, rm_packet *packet, rm_error *err)
{
    party *p = context;
    (void)session;
    assert_int_equal(sink, 0);
    if (not_now(p, 1))
        return RM_AGAIN;
    if (p->refuses_from != 0 && p->taken == p->refuses_from)
        return rm_error_set(err, RM_E_IO, "the client is gone");
    p->results[p->taken++ % MOST] = packet->value.i;
    p->timestamp = packet->timestamp;
    rm_packet_clear(packet);
    return RM_OK;
}

static void end(void *context, rmi_session *session, int code, rm_error *err)
{
    party *p = context;
    p->code = code;
    rm_error_move(&p->err, err);
    rmi_service_close(p->service, session);
    atomic_store(&p->has_ended, true);
    rmi_wake_raise(p->gate);
}

static const rmi_client client = {give, take, end};

static party *begin(const char *text, rmi_session_options options, rmi_service_options limits)
{
    party *p = calloc(1, sizeof *p);
    rm_manifest *manifest = NULL;
    assert_non_null(p);
    assert_int_equal(rmi_wake_new(NULL, &p->gate, NULL), RM_OK);
    assert_int_equal(rm_runtime_new(NULL, &p->runtime, NULL), RM_OK);
    assert_int_equal(rmi_service_new(p->runtime, &limits, &p->service, NULL), RM_OK);
    assert_int_equal(rm_manifest_parse(p->runtime, text, strlen(text), &manifest, NULL), RM_OK);
    assert_int_equal(rmi_service_open(p->service, manifest, &options, &client, p, &p->session, NULL), RM_OK);
    return p;
}

static void run(party *p)
{
    rmi_session_wake(p->session);
    while (!atomic_load(&p->has_ended))
        (void)rmi_wake_wait(p->gate, NULL, 0, INT64_MAX);
}

static void finish(party *p)
{
    assert_true(rmi_service_wait(p->service, INT64_MAX));
    rmi_service_free(p->service);
    rm_runtime_free(p->runtime);
    rm_error_clear(&p->err);
    rmi_wake_free(p->gate);
    free(p);
}

static void nothing_is_lost_between_slow_sides(void **unused)
{
    (void)unused;
    for (int every_other = 0; every_other < 2; every_other++) {
        party *p = begin(double_text, (rmi_session_options){0}, (rmi_service_options){.threads = 2});
        p->count = MOST;
        p->every_other = every_other != 0;
        run(p);
        assert_int_equal(p->code, RM_OK);
        assert_int_equal(p->taken, MOST);
        for (int i = 0; i < MOST; i++)
            assert_int_equal(p->results[i], 2 * i);
        assert_int_equal(p->timestamp, (MOST - 1) * 1000);
        finish(p);
    }
}

static void a_client_that_goes_ends_the_run(void **unused)
{
    (void)unused;
    party *p = begin(endless_text, (rmi_session_options){.generate = true}, (rmi_service_options){0});
    p->refuses_from = 7;
    run(p);
    assert_int_equal(p->code, RM_E_IO);
    assert_int_equal(p->taken, 7);
    finish(p);
}

static void limits_end_the_run(void **unused)
{
    (void)unused;
    party *p = begin(endless_text, (rmi_session_options){.generate = true, .timeout_ms = 60000},
                     (rmi_service_options){.session_timeout_ms = 5});
    run(p);
    assert_int_equal(p->code, RM_E_TIMEOUT);
    assert_string_equal(p->err.message, "the run did not end within its limit of 5 ms");
    finish(p);
}

static void cancelling_ends_the_run(void **unused)
{
    (void)unused;
    party *p = begin(endless_text, (rmi_session_options){.generate = true}, (rmi_service_options){0});
    rmi_session_wake(p->session);
    rmi_session_cancel(p->session);
    run(p);
    assert_int_equal(p->code, RM_E_CANCELLED);
    finish(p);
}

static void what_cannot_be_opened_is_told(void **unused)
{
    (void)unused;
    party *p = begin(wrong_text, (rmi_session_options){0}, (rmi_service_options){0});
    run(p);
    assert_int_equal(p->code, RM_E_UNKNOWN_PARAMETER);
    finish(p);
    p = begin(file_text, (rmi_session_options){0}, (rmi_service_options){.untrusted = true});
    run(p);
    assert_int_equal(p->code, RM_E_UNSUPPORTED);
    assert_string_equal(p->err.pointer, "/nodes/0/params/path");
    finish(p);
}

static void there_are_only_so_many(void **unused)
{
    rm_manifest *manifest = NULL;
    rmi_session *second = NULL;
    rm_error err = {0};
    (void)unused;
    party *p = begin(double_text, (rmi_session_options){0}, (rmi_service_options){.most_sessions = 1});
    assert_int_equal(rm_manifest_parse(p->runtime, double_text, strlen(double_text), &manifest, NULL), RM_OK);
    assert_int_equal(
        rmi_service_open(p->service, manifest, &(rmi_session_options){0}, &client, p, &second, &err),
        RM_E_LIMIT);
    run(p);
    assert_true(rmi_service_wait(p->service, INT64_MAX));
    rmi_service_drain(p->service);
    assert_int_equal(rm_manifest_parse(p->runtime, double_text, strlen(double_text), &manifest, NULL), RM_OK);
    assert_int_equal(
        rmi_service_open(p->service, manifest, &(rmi_session_options){0}, &client, p, &second, &err),
        RM_E_LIMIT);
    rm_error_clear(&err);
    finish(p);
}

static void tokens(void **unused)
{
    static const char *const known[] = {"one", "two", NULL};
    static const char *const wrong[] = {"",           "Bearer", "Bearer ", "Bearer on", "Bearer onee",
                                        "bearer one", "one"};
    rm_runtime *runtime = NULL;
    rmi_service *service = NULL;
    (void)unused;
    assert_int_equal(rm_runtime_new(NULL, &runtime, NULL), RM_OK);
    assert_int_equal(rmi_service_new(runtime, &(rmi_service_options){.tokens = known}, &service, NULL),
                     RM_OK);
    assert_false(rmi_service_authorized(service, NULL, 0));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(rmi_service_authorized(service, wrong[i], strlen(wrong[i])));
    assert_true(rmi_service_authorized(service, "Bearer one", 10));
    assert_true(rmi_service_authorized(service, "Bearer two", 10));
    rmi_service_free(service);
    rm_runtime_free(runtime);
}

RMT_MAIN(nothing_is_lost_between_slow_sides, a_client_that_goes_ends_the_run, limits_end_the_run,
         cancelling_ends_the_run, what_cannot_be_opened_is_told, there_are_only_so_many, tokens)
