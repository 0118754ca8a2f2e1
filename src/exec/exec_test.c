/* The scheduler through its public face, with node types made for what is tested: ordering where branches
 * of different shapes meet, pending packets, retry, streaming nodes, early ends, failures in the middle of
 * runs of packets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "remotemedia/node.h"
#include "tests/support/heap.h"

/* ---- Node types --------------------------------------------------------------------------------------------- */

static int emit_int(rm_node *node, const rm_packet *from, int64_t i)
{
    rm_packet out = rm_packet_of(rm_int(i));
    out.seq = from->seq;
    return rm_emit(node, 0, out);
}

/* Emits an item `item` times, so 0 drops it. */
static int repeat(rm_node *node, void *state, unsigned port, rm_packet in, rm_error *err)
{
    (void)state, (void)port, (void)err;
    int rc = RM_OK;
    for (int64_t i = 0; rc == RM_OK && i < in.value.i; i++)
        rc = emit_int(node, &in, in.value.i);
    rm_packet_clear(&in);
    return rc;
}

/* The same, one emission a call. */
struct slow {
    int64_t left, value;
};
static int slow_more(rm_node *node, void *state, rm_error *err)
{
    struct slow *s = state;
    (void)err;
    if (s->left-- <= 0)
        return RM_OK;
    const int rc = rm_emit_value(node, rm_int(s->value));
    return rc == RM_OK && s->left > 0 ? RM_MORE : rc;
}

static int repeat_slowly(rm_node *node, void *state, unsigned port, rm_packet in, rm_error *err)
{
    struct slow *s = state;
    (void)port;
    s->left = s->value = in.value.i;
    return slow_more(node, state, err);
}

/* Sums what it gets and emits the sum at the end. */
static int sum_process(rm_node *node, void *state, unsigned port, rm_packet in, rm_error *err)
{
    int64_t *sum = state;
    (void)node, (void)port, (void)err;
    *sum += in.value.i;
    return RM_OK;
}
static int sum_flush(rm_node *node, void *state, rm_error *err)
{
    const int64_t *sum = state;
    (void)err;
    return rm_emit_value(node, rm_int(*sum));
}

/* Fails on 13; on 14 the first two times. */
static int picky(rm_node *node, void *state, unsigned port, rm_packet in, rm_error *err)
{
    int64_t *seen = state;
    (void)port;
    int rc = rm_emit(node, 0, rm_packet_of(rm_value_retain(in.value)));
    if (in.value.i == 13)
        rc = rm_error_set(err, RM_E_VALUE, "thirteen");
    if (in.value.i == 14 && (*seen)++ < 2)
        rc = rm_error_set(err, RM_E_VALUE, "not yet");
    rm_packet_clear(&in);
    return rc;
}

/* Up to three packets in flight, finished in reverse order of arrival. */
struct late {
    uint64_t tokens[3];
    int64_t values[3];
    int count;
};
static int late_process(rm_node *node, void *state, unsigned port, rm_packet in, rm_error *err)
{
    struct late *l = state;
    (void)port, (void)err;
    l->tokens[l->count] = rm_node_suspend(node);
    l->values[l->count++] = in.value.i;
    return RM_PENDING;
}
static int late_poll(rm_node *node, void *state, rm_wait *wait, rm_error *err)
{
    struct late *l = state;
    int rc = RM_OK;
    (void)wait, (void)err;
    while (rc == RM_OK && l->count > 0) {
        rm_error failure = {0};
        l->count--;
        rm_node_resume(node, l->tokens[l->count]);
        rc = rm_emit_value(node, rm_int(l->values[l->count] * 10));
        const int code =
            l->values[l->count] == 13 ? rm_error_set(&failure, RM_E_VALUE, "late thirteen") : RM_OK;
        rc = rc == RM_OK ? rm_node_finish(node, l->tokens[l->count], code, &failure) : rc;
    }
    return rc;
}

/* Finishes at once, and is woken all the same: a wake that comes too late must not cost anybody a turn. */
static int eager(rm_node *node, void *state, unsigned port, rm_packet in, rm_error *err)
{
    (void)state, (void)port, (void)err;
    rm_node_wake(node);
    return rm_emit(node, 0, in);
}

/* Never finishes by itself. */
static int never_poll(rm_node *node, void *state, rm_wait *wait, rm_error *err)
{
    (void)node, (void)state, (void)wait, (void)err;
    return RM_PENDING;
}

/* Holds its first packet past its timeout, and tries to emit for it when the second one comes. */
struct tardy {
    uint64_t tokens[2];
    int count;
    bool abandoned;
};
static int tardy_process(rm_node *node, void *state, unsigned port, rm_packet in, rm_error *err)
{
    struct tardy *t = state;
    (void)port, (void)in, (void)err;
    t->tokens[t->count++ % 2] = rm_node_suspend(node);
    return RM_PENDING;
}
static int tardy_poll(rm_node *node, void *state, rm_wait *wait, rm_error *err)
{
    struct tardy *t = state;
    int rc = RM_OK;
    (void)wait, (void)err;
    if (!t->abandoned || t->count < 2)
        return RM_PENDING;
    for (int i = 0; rc == RM_OK && i < 2; i++) {
        rm_node_resume(node, t->tokens[i]);
        rc = rm_emit_value(node, rm_int(i == 0 ? 111 : 2));
        rc = rc == RM_OK ? rm_node_finish(node, t->tokens[i], RM_OK, NULL) : rc;
    }
    return rc;
}
static void tardy_abandon(rm_node *node, void *state, uint64_t token)
{
    struct tardy *t = state;
    (void)node, (void)token;
    t->abandoned = true;
}

/* Takes its stream one by one, and gives the turn back in between. */
static int one_by_one(rm_node *node, void *state, rm_error *err)
{
    rm_packet packet = rm_packet_of(rm_null());
    (void)state;
    const int rc = rm_node_pull(node, false, &packet, err);
    if (rc != RM_OK)
        return rc == RM_AGAIN ? RM_OK : rc;
    return rm_emit_value(node, rm_value_move(&packet.value));
}

/* Takes its stream in pairs and emits their sums; a lone last one as it is. */
static int pairs(rm_node *node, void *state, rm_error *err)
{
    rm_packet a = rm_packet_of(rm_null()), b = rm_packet_of(rm_null());
    (void)state;
    int rc = rm_node_pull(node, true, &a, err);
    if (rc != RM_OK)
        return rc;
    rc = rm_node_pull(node, true, &b, err);
    if (rc != RM_OK && rc != RM_DONE)
        return rc;
    const int emitted = rm_emit_value(node, rm_int(a.value.i + (rc == RM_DONE ? 0 : b.value.i)));
    return emitted != RM_OK ? emitted : rc == RM_DONE ? RM_DONE : RM_MORE;
}

/* 0, 1, 2 ... for ever. */
static int count_up(rm_node *node, void *state, rm_error *err)
{
    int64_t *next = state;
    (void)err;
    return rm_emit_value(node, rm_int((*next)++));
}

/* Passes `state` items, then wants no more. */
static int first_three(rm_node *node, void *state, unsigned port, rm_packet in, rm_error *err)
{
    int64_t *seen = state;
    (void)port, (void)err;
    const int rc = rm_emit(node, 0, in);
    return rc == RM_OK && ++*seen == 3 ? RM_DONE : rc;
}

/* Two outputs: small numbers on the first, others on the second. */
static int split(rm_node *node, void *state, unsigned port, rm_packet in, rm_error *err)
{
    (void)state, (void)port, (void)err;
    return rm_emit(node, in.value.i < 10 ? 0 : 1, in);
}

/* Answers what it must not. */
static int odd(rm_node *node, void *state, unsigned port, rm_packet in, rm_error *err)
{
    (void)node, (void)state, (void)port, (void)err;
    rm_packet_clear(&in);
    return RM_PENDING;
}

static int pass(rm_node *node, void *state, unsigned port, rm_packet in, rm_error *err)
{
    (void)state, (void)port, (void)err;
    return rm_emit(node, 0, in);
}

static const rm_port split_ports[] = {
    {.name = "in", .direction = RM_INPUT, .kinds = RM_KIND_INT, .text = "numbers"},
    {.name = "small", .direction = RM_OUTPUT, .kinds = RM_KIND_INT, .text = "below 10"},
    {.name = "large", .direction = RM_OUTPUT, .kinds = RM_KIND_INT, .text = "others"},
    {0},
};
static const rm_port source_ports[] = {
    {.name = "out", .direction = RM_OUTPUT, .kinds = RM_KIND_INT, .text = "numbers"},
    {0},
};

#define TYPE(NAME, SIZE)                                                                                    \
    .abi_version = RM_NODE_ABI_VERSION, .size = sizeof(rm_node_type), .name = NAME, .summary = "For tests", \
    .state_size = SIZE
static const rm_node_type types[] = {
    {TYPE("Repeat", 0), .process = repeat},
    {TYPE("Slow", sizeof(struct slow)), .process = repeat_slowly, .more = slow_more},
    {TYPE("Sum", sizeof(int64_t)), .process = sum_process, .flush = sum_flush},
    {TYPE("Picky", sizeof(int64_t)), .process = picky},
    {TYPE("Late", sizeof(struct late)), .process = late_process, .poll = late_poll, .max_in_flight = 3},
    {TYPE("Never", sizeof(struct late)), .process = late_process, .poll = never_poll},
    {TYPE("Eager", 0), .process = eager, .poll = never_poll},
    {TYPE("Tardy", sizeof(struct tardy)), .process = tardy_process, .poll = tardy_poll,
     .abandon = tardy_abandon},
    {TYPE("OneByOne", 0), .stream = one_by_one, .end = one_by_one},
    {TYPE("Pairs", 0), .stream = pairs, .end = pairs},
    {TYPE("CountUp", sizeof(int64_t)), .generate = count_up, .ports = source_ports},
    {TYPE("FirstThree", sizeof(int64_t)), .process = first_three},
    {TYPE("Split", 0), .process = split, .ports = split_ports},
    {TYPE("Pass", 0), .process = pass},
    {TYPE("Odd", 0), .process = odd},
};

/* ---- Running ------------------------------------------------------------------------------------------------ */

/* "a:Type b:Type{...more fields} a>b a>c" as a manifest. */
static void manifest_of(const char *graph, char *text, size_t size)
{
    char nodes[2048] = "", connections[2048] = "", copy[2048];
    (void)snprintf(copy, sizeof copy, "%s", graph);
    for (char *save = NULL, *word = strtok_r(copy, " ", &save); word != NULL;
         word = strtok_r(NULL, " ", &save)) {
        char *arrow = strchr(word, '>'), *colon = strchr(word, ':'), *more = strchr(word, '{');
        char *end = arrow != NULL ? connections : nodes;
        const size_t used = strlen(end);
        if (arrow != NULL) {
            *arrow = '\0';
            (void)snprintf(end + used, 2048 - used, "%s{\"from\":\"%s\",\"to\":\"%s\"}", used ? "," : "",
                           word, arrow + 1);
            continue;
        }
        *colon = '\0';
        if (more != NULL)
            *more++ = '\0';
        (void)snprintf(end + used, 2048 - used, "%s{\"id\":\"%s\",\"node_type\":\"%s\"%s%s", used ? "," : "",
                       word, colon + 1, more ? "," : "", more ? more : "}");
    }
    (void)snprintf(text, size,
                   "{\"version\":\"v1\",\"metadata\":{\"name\":\"t\"},\"nodes\":[%s],\"connections\":[%s]}",
                   nodes, connections);
}

/* Outputs as JSON, or "code: message [item n]" after them. */
static void run(rmt_heap *heap, const char *graph, const char *input, const rm_pipeline_options *options,
                char *got, size_t size)
{
    const rm_config config = {.size = sizeof config, .allocator = &heap->allocator};
    rm_runtime *runtime = NULL;
    rm_manifest *manifest = NULL;
    rm_value items = rm_null(), outputs = rm_null();
    rm_error err = {0};
    char text[8192], *json = NULL;
    size_t length = 0;
    manifest_of(graph, text, sizeof text);
    int rc = rm_runtime_new(&config, &runtime, &err);
    for (size_t i = 0; rc == RM_OK && i < sizeof types / sizeof *types; i++)
        rc = rm_runtime_add_type(runtime, &types[i], &err);
    if (rc == RM_OK)
        rc = rm_manifest_parse(runtime, text, strlen(text), &manifest, &err);
    if (rc == RM_OK)
        rc = rm_json_parse(&heap->allocator, input, strlen(input), 0, &items, &err);
    if (rc == RM_OK)
        rc = rm_run(manifest, options, items, &outputs, &err);
    *got = '\0';
    if (outputs.kind == RM_MAP && rm_json_write(NULL, outputs, 0, &json, &length, NULL, NULL) == RM_OK)
        (void)snprintf(got, size, "%s", json);
    rm_text_free(NULL, json, length);
    if (rc != RM_OK)
        (void)snprintf(got + strlen(got), size - strlen(got), " %s: %s at %s[%lld]", rm_code_name(rc),
                       err.message, err.node, err.has_item ? (long long)err.item : -1LL);
    rm_value_clear(&outputs);
    rm_value_clear(&items);
    rm_manifest_free(manifest);
    rm_runtime_free(runtime);
    rm_error_clear(&err);
}

#define RETRY "{\"retry\":{\"attempts\":2,\"backoff_ms\":1}}"
static const struct {
    const char *label, *graph, *input, *want;
} cases[] = {
    {"a chain", "a:Pass b:Pass a>b", "[1,2,3]", "{\"b\":[1,2,3]}"},
    {"branches meet by seq, then connection", "a:Pass b:Repeat c:Pass d:Pass a>b a>c b>d c>d", "[2,0,1]",
     "{\"d\":[2,2,2,0,1,1]}"},
    {"the order of connections decides, not that of nodes", "a:Pass b:Repeat c:Pass d:Pass a>b a>c c>d b>d",
     "[2,0,1]", "{\"d\":[2,2,2,0,1,1]}"},
    {"several calls for one packet keep its seq", "a:Pass b:Slow c:Pass d:Pass a>b a>c b>d c>d", "[3,0,1]",
     "{\"d\":[3,3,3,3,0,1,1]}"},
    {"a deep branch and a short one", "a:Pass b:Pass c:Pass e:Pass d:Pass a>b b>c c>e a>d e>d", "[1,2]",
     "{\"d\":[1,1,2,2]}"},
    {"flushes in topological order, each delivered before the next",
     "a:Pass s:Sum t:Sum d:Pass a>s a>d s>t t>d s>d", "[1,2,3]", "{\"d\":[1,2,3,6,6]}"},
    {"disconnected parts are independent", "a:Pass b:Sum", "[1,2]", "{\"a\":[1,2],\"b\":[3]}"},
    {"ports", "a:Split b:Pass c:Pass a.small>b a.large>c", "[1,20,3]", "{\"b\":[1,3],\"c\":[20]}"},
    {"an output that is not connected", "a:Split b:Pass a.small>b", "[1,20,3]", "{\"b\":[1,3]}"},
    {"an output node in the middle", "a:Pass{\"is_output_node\":true} b:Sum a>b", "[1,2]",
     "{\"a\":[1,2],\"b\":[3]}"},
    {"input by source", "a:Pass b:Pass c:Pass b>c a>c", "{\"a\":[1,2],\"b\":[10]}", "{\"c\":[10,1,2]}"},
    {"a generator is stopped by who wants no more", "a:CountUp b:Pass c:FirstThree a>b b>c", "null",
     "{\"c\":[0,1,2]}"},
    {"no input for a node that does not generate", "a:Pass", "null", "{\"a\":[]}"},
    {"items for a generator", "a:CountUp", "[1]",
     "{\"a\":[]} value: node 'a' (CountUp) generates its own items and takes no input at a[-1]"},
    {"pending packets come out in order", "a:Pass b:Late c:Pass a>b b>c", "[1,2,3,4,5,6,7]",
     "{\"c\":[10,20,30,40,50,60,70]}"},
    {"a merge waits for what is pending", "a:Pass b:Late c:Pass a>b b>c a>c", "[1,2,3,4]",
     "{\"c\":[10,1,20,2,30,3,40,4]}"},
    {"a pending packet that fails", "a:Pass b:Late a>b", "[1,12,13,14,15]",
     "{\"b\":[10,120,130]} value: late thirteen at b[2]"},
    {"an unfinished packet is told", "a:Never{\"timeout_ms\":5}", "[1]",
     "{\"a\":[]} timeout: node 'a' took longer than its timeout_ms of 5 at a[0]"},
    {"what comes for a packet after its timeout is dropped",
     "a:Tardy{\"timeout_ms\":5,\"on_error\":\"skip\"}", "[1,2]", "{\"a\":[2]}"},
    {"a stream node that gives its turn back", "a:Pass b:OneByOne c:Pass a>b b>c a>c", "[1,2,3]",
     "{\"c\":[1,1,2,2,3,3]}"},
    {"a stream node", "a:Pass b:Pairs c:Pass a>b b>c", "[1,2,3,4,5]", "{\"c\":[3,7,5]}"},
    {"stream nodes in two branches", "a:Pass b:Pairs c:Pairs d:Pass a>b a>c b>d c>d", "[1,2,3,4,5]",
     "{\"d\":[3,3,7,7,5,5]}"},
    {"a stream node behind a stream node", "a:Pairs b:Pairs a>b", "[1,2,3,4,5]", "{\"b\":[10,5]}"},
    {"a stream node takes what a flush gives", "a:Sum b:Pairs a>b", "[1,2,3]", "{\"b\":[6]}"},
    {"a stream node beside others", "a:Pass b:Pairs c:Pass a>b a>c b>c", "[1,2,3]", "{\"c\":[1,2,3,3,3]}"},
    {"a failure keeps what came before it, everywhere", "a:Pass b:Picky c:Pass d:Sum a>b b>c a>d",
     "[1,2,13,4]", "{\"c\":[1,2,13],\"d\":[]} value: thirteen at b[2]"},
    {"what came before a failure does not depend on the order of nodes", "a:Pass z:Pass b:Picky a>z a>b",
     "[1,2,13,4]", "{\"z\":[1,2,13],\"b\":[1,2,13]} value: thirteen at b[2]"},
    {"skip", "a:Picky{\"on_error\":\"skip\"}", "[1,13,3]", "{\"a\":[1,13,3]}"},
    {"retry gives the results of the attempt that worked", "a:Picky" RETRY, "[1,14,3]", "{\"a\":[1,14,3]}"},
    {"retry gives up", "a:Picky" RETRY, "[1,13,3]", "{\"a\":[1]} value: thirteen at a[1]"},
    {"an answer that would lose the packet", "a:Odd", "[1]",
     "{\"a\":[]} internal: Odd answered RM_PENDING (2), but has no poll at a[0]"},
    {"an item of the wrong kind", "a:Split b:Pass a.small>b", "[1,\"x\"]",
     "{\"b\":[1]} type: Split 'a' takes int, got string at a[1]"},
};

static void gives_the_answer_or_out_of_memory(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char got[4096];
        for (size_t nth = 0, faults = 1; faults != 0 || nth == 0; nth++) {
            rmt_heap heap;
            rmt_heap_init(&heap, nth);
            run(&heap, cases[i].graph, cases[i].input, NULL, got, sizeof got);
            faults = heap.faults;
            const bool right = faults == 0 || nth == 0
                                   ? strcmp(got, cases[i].want) == 0
                                   : strstr(got, "out_of_memory") || strstr(cases[i].want, got);
            if (!right || heap.live_blocks != 0 || heap.mistakes != 0)
                fail_msg("%s, allocation %zu: got %s, want %s (%zu blocks left)", cases[i].label, nth, got,
                         cases[i].want, (size_t)heap.live_blocks);
            if (nth == 0)
                faults = 1;
        }
    }
}

/* Whatever the queues hold, the outputs are the same; with a limit of 1, a merge whose one input gets many
 * packets of one seq before the other gets any would stand still if queues were never allowed to
 * overshoot. */
static void limits_change_nothing(void **unused)
{
    static const struct {
        const char *graph, *input;
    } graphs[] = {
        {"a:Pass b:Repeat c:Repeat d:Pass a>b b>c c>d a>d", "[3,1,0,4,200,2]"},
        {"a:Repeat x:Split y:Pass d:Sum e:Pass a>x x.small>y y>d x.large>d y>e x.large>e", "[9,12,3,300]"},
        {"a:Pass b:Late c:Repeat d:Pass a>b a>c b>d c>d", "[3,1,0,4,200,2,5,6,7,8]"},
        {"a:Pass b:Pairs c:Repeat d:Pass a>b a>c b>d c>d", "[3,1,0,4,100,2,5,6,7,8]"},
        {"a:Pass b:Slow c:Picky e:Pass d:Sum a>b b>c c>e a>e e>d", "[3,1,0,4,100,2,13,6,7,8]"},
        {"a:Repeat b:Eager c:Sum a>b b>c", "[900]"},
        {"a:Repeat b:Pairs c:Pairs e:Pairs d:Pass a>b b>e a>c c>d e>d a>d", "[3,100,5,0,8]"},
    };
    (void)unused;
    for (size_t i = 0; i < sizeof graphs / sizeof *graphs; i++) {
        static char want[65536], got[65536];
        for (size_t limit = 0; limit < 8; limit++) {
            const rm_pipeline_options options = {.size = sizeof options, .queue_packets = limit};
            rmt_heap heap;
            rmt_heap_init(&heap, 0);
            run(&heap, graphs[i].graph, graphs[i].input, &options, limit == 0 ? want : got, sizeof got);
            if (limit > 0 && strcmp(got, want) != 0)
                fail_msg("graph %zu with queues of %zu: got %.600s, want %.600s", i, limit, got, want);
            assert_int_equal(heap.live_blocks, 0);
            assert_null(strstr(want, "internal"));
        }
    }
}

/* Items by source, more than are taken at once: one that wants no more, or that fails, does not cut the others short. */
static void sources_do_not_end_one_another(void **unused)
{
    static char list[2048], input[8192], got[65536];
    rmt_heap heap;
    (void)unused;
    for (int i = 0; i < 200; i++)
        (void)snprintf(list + strlen(list), sizeof list - strlen(list), "%s%d", i ? "," : "", i);
    (void)snprintf(input, sizeof input, "{\"a\":[%s],\"b\":[%s],\"c\":[%s]}", list, list, list);
    rmt_heap_init(&heap, 0);
    run(&heap, "a:FirstThree b:Sum c:Pairs", input, NULL, got, sizeof got);
    assert_non_null(strstr(got, "\"a\":[0,1,2],\"b\":[19900],"));
    assert_non_null(strstr(got, ",397]}"));
    rmt_heap_init(&heap, 0);
    run(&heap, "a:Picky b:Pass c:Pass", input, NULL, got, sizeof got);
    assert_non_null(strstr(got, "12,13],\"b\":[0,"));
    assert_non_null(strstr(got, "12,13],\"c\":[0,"));
    assert_non_null(strstr(got, "12,13]} value: thirteen at a[13]"));
    rmt_heap_init(&heap, 0);
    run(&heap, "a:Pairs b:Pairs c:Pairs", input, NULL, got, sizeof got);
    assert_non_null(strstr(got, ",397],\"b\":[1,"));
    assert_non_null(strstr(got, ",397]}"));
    assert_int_equal(heap.live_blocks, 0);
}

/* The value of the only result, as an int. */
static int64_t one(rm_pipeline *pipeline, int64_t item)
{
    size_t sink;
    rm_packet packet = rm_packet_of(rm_null());
    rm_error err = {0};
    assert_int_equal(rm_pipeline_push(pipeline, NULL, rm_int(item), &err), RM_OK);
    assert_int_equal(rm_run_step(pipeline, &err), RM_AGAIN);
    assert_int_equal(rm_pipeline_pull(pipeline, &sink, &packet, &err), RM_OK);
    assert_int_equal(packet.value.kind, RM_INT);
    return packet.value.i;
}

static void parameters_change_while_running(void **unused)
{
    char text[4096];
    rm_runtime *runtime = NULL;
    rm_manifest *manifest = NULL;
    rm_pipeline *pipeline = NULL;
    rm_value name = rm_null();
    rm_error err = {0};
    (void)unused;
    manifest_of("m:MultiplyNode t:Take{\"params\":{\"count\":9}} m>t", text, sizeof text);
    assert_int_equal(rm_runtime_new(NULL, &runtime, &err), RM_OK);
    assert_int_equal(rm_manifest_parse(runtime, text, strlen(text), &manifest, &err), RM_OK);
    const rm_pipeline_options unset = {.timeout_ms = 1};
    assert_int_equal(rm_pipeline_open(manifest, &unset, &pipeline, &err), RM_E_USAGE);
    assert_null(pipeline);
    assert_int_equal(rm_pipeline_open(manifest, NULL, &pipeline, &err), RM_OK);
    assert_int_equal(one(pipeline, 5), 10);
    assert_int_equal(rm_pipeline_set_param(pipeline, "m", "factor", rm_int(7), &err), RM_OK);
    assert_int_equal(one(pipeline, 5), 35);
    assert_int_equal(rm_string_new(NULL, "x", 1, &name, &err), RM_OK);
    assert_int_equal(rm_pipeline_set_param(pipeline, "m", "factor", name, &err), RM_E_TYPE);
    assert_int_equal(rm_pipeline_set_param(pipeline, "m", "facter", rm_int(7), &err), RM_E_UNKNOWN_PARAMETER);
    assert_non_null(strstr(err.message, "did you mean 'factor'"));
    assert_int_equal(rm_pipeline_set_param(pipeline, "x", "factor", rm_int(7), &err), RM_E_UNKNOWN_NODE);
    assert_int_equal(rm_pipeline_set_param(pipeline, "t", "count", rm_int(7), &err), RM_E_USAGE);
    assert_int_equal(one(pipeline, 6), 42);
    rm_pipeline_free(pipeline);
    rm_manifest_free(manifest);
    rm_runtime_free(runtime);
    rm_error_clear(&err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_change_while_running),
        cmocka_unit_test(gives_the_answer_or_out_of_memory),
        cmocka_unit_test(limits_change_nothing),
        cmocka_unit_test(sources_do_not_end_one_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
