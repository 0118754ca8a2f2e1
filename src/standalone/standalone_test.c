/* A node without a pipeline: the events of each call, and out of memory everywhere. */
#include "standalone/standalone.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph/registry.h"
#include "tests/support/node_test.h"

/* ---- Node types */

/* Emits an item `item` times, one a call. */
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
    rm_packet_clear(&in);
    return slow_more(node, state, err);
}

/* Up to three packets in flight, finished in reverse order of arrival, one a poll. */
struct late {
    uint64_t tokens[3];
    int64_t values[3];
    int count;
};
static int late_process(rm_node *node, void *state, unsigned port, rm_packet in, rm_error *err)
{
    struct late *l = state;
    (void)port;
    const uint64_t token = rm_node_suspend(node);
    const int64_t value = in.value.i;
    rm_packet_clear(&in);
    if (value == 14)
        return rm_error_set(err, RM_E_VALUE, "fourteen");
    l->tokens[l->count] = token;
    l->values[l->count++] = value;
    return rm_node_suspend(node) == token ? RM_PENDING : RM_E_INTERNAL;
}
static int late_poll(rm_node *node, void *state, rm_wait *wait, rm_error *err)
{
    struct late *l = state;
    rm_error failure = {0};
    (void)err;
    if (l->count == 0)
        return RM_OK;
    l->count--;
    rm_node_resume(node, l->tokens[l->count]);
    int rc = rm_emit_value(node, rm_int(l->values[l->count] * 10));
    const int code = l->values[l->count] == 13 ? rm_error_set(&failure, RM_E_VALUE, "late thirteen") : rc;
    rc = rm_node_finish(node, l->tokens[l->count], code, &failure);
    rm_node_log(node, RM_LOG_INFO, "%d left", l->count);
    wait->deadline = l->count > 1 ? INT64_MAX : rm_clock_now() + 3600 * (int64_t)1000000000;
    return rc < 0 ? rc : l->count > 0 ? RM_PENDING : RM_OK;
}

/* Takes its stream in pairs and emits their sums; emits an unpaired last item unchanged. */
struct pair {
    int64_t sum;
    bool half;
};
static int pairs(rm_node *node, void *state, rm_error *err)
{
    struct pair *s = state;
    rm_packet packet = rm_packet_of(rm_null());
    if (rm_node_can_wait(node))
        return rm_error_set(err, RM_E_INTERNAL, "it cannot");
    int rc = rm_node_pull(node, true, &packet, err);
    if (rc == RM_DONE && s->half && (rc = rm_emit_value(node, rm_int(s->sum))) == RM_OK)
        rc = RM_DONE;
    if (rc != RM_OK)
        return rc == RM_AGAIN ? RM_OK : rc;
    s->sum = (s->half ? s->sum : 0) + packet.value.i;
    rm_packet_clear(&packet);
    s->half = !s->half;
    return s->half ? RM_OK : rm_emit_value(node, rm_int(s->sum));
}

/* Waits in one call for all of its stream, and emits the sum. */
static int sum_up(rm_node *node, void *state, rm_error *err)
{
    int64_t *sum = state;
    rm_packet packet = rm_packet_of(rm_null());
    int rc = RM_OK;
    while ((rc = rm_node_pull(node, true, &packet, err)) == RM_OK) {
        *sum += packet.value.i;
        rm_packet_clear(&packet);
    }
    if (rc == RM_AGAIN && rm_node_can_wait(node))
        rm_node_log(node, RM_LOG_INFO, "closed");
    if (rc == RM_DONE && *sum != 0) {
        rc = rm_emit_value(node, rm_int(*sum));
        *sum = 0;
    }
    return rc == RM_AGAIN ? RM_OK : rc;
}

/* 0, 1, 2. */
static int count_up(rm_node *node, void *state, rm_error *err)
{
    int64_t *next = state;
    (void)err;
    if (*next == 3)
        return RM_DONE;
    return rm_emit_value(node, rm_int((*next)++));
}

/* Emits the ids of the nodes that it is connected to. */
static int sources(rm_node *node, void *state, unsigned port, rm_packet in, rm_error *err)
{
    rm_value list = rm_null(), id = rm_null();
    (void)state;
    rm_packet_clear(&in);
    int rc = rm_list_new(rm_node_allocator(node), 0, &list, err);
    for (unsigned i = 0; rc == RM_OK && i < rm_node_input_count(node); i++) {
        const char *name = rm_node_input_source(node, i);
        rc = name != NULL ? rm_string_new(rm_node_allocator(node), name, strlen(name), &id, err) : RM_OK;
        if (rc == RM_OK)
            rc = rm_list_append(&list, rm_value_move(&id), err);
    }
    if (rc == RM_OK)
        rc = rm_list_append(&list, rm_int(port), err);
    if (rc == RM_OK)
        rc = rm_emit_value(node, rm_value_move(&list));
    rm_value_clear(&list);
    return rc;
}

static const rm_port source_ports[] = {
    {.name = "left", .direction = RM_INPUT, .kinds = RM_KIND_PLAIN},
    {.name = "right", .direction = RM_INPUT, .kinds = RM_KIND_INT, .optional = true},
    {.name = "out", .direction = RM_OUTPUT, .kinds = RM_KIND_LIST},
    {0},
};
#define TYPE .abi_version = RM_NODE_ABI_VERSION, .size = sizeof(rm_node_type)
static const rm_node_type test_types[] = {
    {TYPE, .name = "Slow", .state_size = sizeof(struct slow), .process = repeat_slowly, .more = slow_more},
    {TYPE, .name = "Late", .state_size = sizeof(struct late), .max_in_flight = 3, .process = late_process,
     .poll = late_poll},
    {TYPE, .name = "Pairs", .state_size = sizeof(struct pair), .stream = pairs, .end = pairs},
    {TYPE, .name = "Sum", .flags = RM_NODE_WAITS, .state_size = sizeof(int64_t), .stream = sum_up,
     .end = sum_up},
    {TYPE, .name = "Count", .state_size = sizeof(int64_t), .generate = count_up},
    {TYPE, .name = "Sources", .process = sources, .ports = source_ports},
};

/* ---- Objects */

static void object_release(void *object)
{
    free(object);
}
static int object_to_value(void *object, const rm_allocator *allocator, rm_value *out, rm_error *err)
{
    (void)allocator;
    if (*(int *)object == 0)
        return rm_error_set(err, RM_E_UNSUPPORTED, "no way");
    *out = rm_int(*(int *)object);
    return RM_OK;
}
static const rm_object_type thing = {
    .size = sizeof thing, .name = "thing", .release = object_release, .to_value = object_to_value};

/* ---- Events as text */

struct transcript {
    const rm_allocator *allocator;
    char text[4096];
    size_t length;
    int waits;
    bool closes;
    rm_packet given[2];
};

static void RM_PRINTF(2, 3) say(struct transcript *t, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(t->text + t->length, sizeof t->text - t->length, format, arguments);
    va_end(arguments);
    t->length += (size_t)length;
    assert_true(t->length < sizeof t->text);
}

static int say_packet(struct transcript *t, uint32_t port, const rm_packet *packet, rm_error *err)
{
    const bool is_object = packet->value.kind == RM_OBJECT;
    char *text = NULL;
    size_t length = 0;
    if (packet->value.kind == RM_INT && packet->value.i == 66)
        return rm_error_set(err, RM_E_UNSUPPORTED, "66 cannot be told");
    const int rc =
        is_object ? RM_OK : rm_json_write(t->allocator, packet->value, 0, &text, &length, NULL, err);
    if (rc != RM_OK)
        return rc;
    say(t, " %s", is_object ? "object" : text);
    if (port != 0)
        say(t, "#%u", port);
    if (packet->seq >= 0)
        say(t, "@%lld", (long long)packet->seq);
    if (packet->timestamp != RM_NO_TIME)
        say(t, "t%lld", (long long)packet->timestamp);
    if (packet->metadata != NULL)
        say(t, "m%zu", rm_map_length(rm_packet_metadata(packet)));
    rm_text_free(t->allocator, text, length);
    return RM_OK;
}

static int take_down(void *context, const rmi_event *event, rm_error *err)
{
    static const char *const names[] = {"", "", "suspended", "resumed", "finished"};
    struct transcript *t = context;
    int rc = RM_OK;
    if (event->kind == RMI_LOGGED)
        say(t, " log:%s", event->text);
    else if (event->kind == RMI_WANTS)
        say(t, " wants");
    else if (event->kind != RMI_EMITTED)
        say(t, " %s%llu", names[event->kind], (unsigned long long)event->token);
    if (event->kind == RMI_FINISHED && event->code < 0)
        say(t, "(%s: %s)", rm_code_name(event->code), event->error->message);
    for (size_t i = 0; rc == RM_OK && i < event->n; i++)
        rc = say_packet(t, event->port, &event->packets[i], err);
    return rc;
}

/* Gives 100, then -200 and 300, then the end; or RM_AGAIN, on request. */
static int give(void *context, rm_packet **packets, size_t *n, rm_error *err)
{
    struct transcript *t = context;
    (void)err;
    say(t, " waits");
    if (t->closes || ++t->waits == 3)
        return t->closes ? RM_AGAIN : RM_DONE;
    *n = (size_t)t->waits;
    *packets = t->given;
    for (size_t i = 0; i < *n; i++) {
        t->given[i] = rm_packet_of(rm_int(*n == 1 ? 100 : i == 0 ? -200 : 300));
        t->given[i].seq = 50;
        t->given[i].timestamp = 7;
    }
    return RM_OK;
}

/* ---- Steps: "p0 [1,2]" gives packets to port 0; other letters are the other calls. */

struct run {
    rm_runtime *runtime;
    rmi_standalone *standalone;
    int64_t seq;
};

static rm_packet packet_of(struct run *r, rm_value item)
{
    rm_packet packet = rm_packet_of(rm_value_retain(item));
    packet.seq = r->seq++;
    if (item.kind == RM_STRING && strncmp(rm_string_text(item, NULL), "object", 6) == 0) {
        int *object = malloc(sizeof *object);
        assert_non_null(object);
        *object = (int)strtol(rm_string_text(item, NULL) + 6, NULL, 10);
        rm_value_clear(&packet.value);
        assert_int_equal(rm_object_new(NULL, &thing, object, &packet.value, NULL), RM_OK);
    }
    if (item.kind == RM_INT && item.i < 0) {
        packet.timestamp = -item.i;
        rm_packet_set_metadata(&packet, rmt_json("{\"k\": 1}"));
    }
    return packet;
}

static int process(struct run *r, struct transcript *t, uint32_t port, const char *items, rm_error *err)
{
    enum { MOST = 8 };
    rm_packet packets[MOST];
    rm_value list = rmt_json(items);
    const size_t n = rm_list_length(list);
    size_t done = 0;
    assert_true(n <= MOST);
    for (size_t i = 0; i < n; i++)
        packets[i] = packet_of(r, rm_list_get(list, i));
    const int rc = rmi_standalone_process(r->standalone, port, packets, n, &done, err);
    say(t, " %zu/%zu", done, n);
    for (size_t i = rc < 0 ? done + 1 : done; i < n; i++) {
        rm_packet_clear(&packets[i]);
        r->seq--;
    }
    rm_value_clear(&list);
    return rc;
}

static int step(struct run *r, struct transcript *t, const char *text, rm_error *err)
{
    const rmi_standalone *described = r->standalone;
    rm_packet packet = rm_packet_of(rm_null());
    int rc = RM_E_USAGE;
    switch (text[0]) {
    case 'o':
        return rmi_standalone_open(r->standalone, err);
    case 'p':
        return process(r, t, (uint32_t)strtoul(text + 1, NULL, 10), strchr(text, '['), err);
    case 'm':
        return rmi_standalone_more(r->standalone, err);
    case 'g':
        return rmi_standalone_generate(r->standalone, err);
    case 'w':
        rc = rmi_standalone_poll(r->standalone, err);
        if (rc == RM_PENDING)
            say(t, isinf(rmi_standalone_wait_ms(r->standalone))  ? " for ever"
                   : rmi_standalone_wait_ms(r->standalone) > 3e6 ? " long"
                                                                 : "");
        return rc;
    case 'e':
        return rmi_standalone_end(r->standalone, err);
    case 'f':
        return rmi_standalone_flush(r->standalone, err);
    case 'a':
        return rmi_standalone_abandon(r->standalone, strtoull(text + 1, NULL, 10), err);
    case 'x':
        t->closes = true;
        return RM_OK;
    case 'c':
        return rmi_standalone_close(r->standalone, err);
    default:
        rc = rmi_standalone_describe(described, &packet.value, err);
        if (rc == RM_OK)
            rc = say_packet(t, 0, &packet, err);
        rm_packet_clear(&packet);
        return rc;
    }
}

static void say_error(struct transcript *t, int rc, const rm_error *err)
{
    static const char *const answers[] = {"", " more", " pending", " done"};
    assert_int_equal(rc < 0 ? rc : RM_OK, err->code);
    if (rc >= 0)
        say(t, "%s", answers[rc]);
    else
        say(t, " %s:%s:%s", rm_code_name(rc), err->message, err->has_pointer ? err->pointer : "");
}

/* Returns RM_E_OUT_OF_MEMORY when a step found no memory, else RM_OK. */
static int run(rmt_heap *heap, const char *config, const char *steps, struct transcript *t)
{
    const rm_config given = {.size = sizeof given, .allocator = &heap->allocator};
    struct run r = {0};
    rm_error err = {0};
    rm_value map = rmt_json(config);
    *t = (struct transcript){.allocator = &heap->allocator};
    int rc = rm_runtime_new(&given, &r.runtime, &err);
    for (size_t i = 0; rc == RM_OK && i < RMT_COUNT(test_types); i++)
        rc = rm_runtime_add_type(r.runtime, &test_types[i], &err);
    if (rc == RM_OK)
        rc = rmi_standalone_new(r.runtime, map, &(rmi_standalone_caller){take_down, give, t}, &r.standalone,
                                &err);
    if (rc < 0)
        say_error(t, rc, &err);
    rm_value_clear(&map);
    char *copy = strdup(steps), *rest = copy;
    for (const char *at;
         rc != RM_E_OUT_OF_MEMORY && r.standalone != NULL && (at = strtok_r(rest, ";", &rest)) != NULL;) {
        rm_error_clear(&err);
        say(t, "%s%c", t->length > 0 ? " | " : "", at[0]);
        rc = step(&r, t, at, &err);
        say_error(t, rc, &err);
    }
    free(copy);
    rm_error_clear(&err);
    rmi_standalone_free(r.standalone);
    rm_runtime_free(r.runtime);
    return rc == RM_E_OUT_OF_MEMORY ? rc : RM_OK;
}

/* ---- Cases */

#define NODE(type) "{\"node_type\": \"" type "\", \"id\": \"n\", \"is_source\": false"
#define SOURCE(type) "{\"node_type\": \"" type "\", \"id\": \"n\", \"is_source\": true, \"generates\": true"

static const struct {
    const char *config, *steps, *want;
} cases[] = {
    /* Items */
    {NODE("PassThrough") "}", "o;p0 [-5,\"a\",{\"k\":[]},\"object3\"];f;c",
     "o | p -5@0t5m1 \"a\"@1 {\"k\":[]}@2 object@3 4/4 | f | c"},
    {NODE("MultiplyNode") ",\"params\":{\"factor\":3}}", "o;p0 [1,2.5];p0 [];p0 [\"object7\"]",
     "o | p 3@0 7.5@1 2/2 | p 0/0 | p 21@2 1/1"},
    {NODE("MultiplyNode") ",\"params\":{\"factor\":66}}", "o;p0 [1];p0 [2]",
     "o | p 0/1 unsupported:66 cannot be told: | p 132@1 1/1"},
    {NODE("MultiplyNode") ",\"params\":{\"factor\":2}}", "o;p0 [1,\"object0\",3];p0 [4]",
     "o | p 2@0 1/3 unsupported:no way: | p 8@2 1/1"},
    {NODE("Sources") ",\"inputs\":[[\"a\",\"left\"],[\"b\",\"right\"]]}", "o;p0 [1];p1 [2,\"x\",3]",
     "o | p [\"a\",\"b\",0]@0 1/1 | p [\"a\",\"b\",1]@1 1/3 type:Sources 'n' takes int, got string:"},
    {NODE("Merge") ",\"inputs\":[[\"a\",null],[\"a\",\"in\"]]}", "o;p0 [1];p1 [2];f",
     "o | p 1/1 | p {\"a\":1}@0 1/1 | f {\"a\":2}@1"},
    {NODE("Batch") ",\"params\":{\"size\":2}}", "o;p0 [1,2,3];f;c", "o | p [1,2]@1 3/3 | f [3] | c"},
    {NODE("Window") ",\"params\":{\"size\":2,\"hop\":1}}", "o;p0 [1,2,3]", "o | p [1,2]@1 [2,3]@2 3/3"},
    {NODE("Take") ",\"params\":{\"count\":2}}", "o;p0 [1,2,3]", "o | p 1@0 2@1 2/3 done"},
    /* More, and calls that do not fit */
    {NODE("Slow") "}", "o;p0 [1,3,1];p0 [9];m;m;m;p0 [1]",
     "o | p 1@0 3@1 2/3 more | p 0/1 usage:node 'n' has more to emit before it takes another packet: | "
     "m 3@1 more | "
     "m 3@1 | m usage:node 'n' has said nothing of more: | p 1@3 1/1"},
    {NODE("Slow") "}", "p0 [1];o;o;p1 [1];p4294967295 [];e;g;w;a9;c;c;p0 [1]",
     "p 0/1 usage:node 'n' is not open: | o | o usage:node 'n' has been opened already: | "
     "p 0/1 usage:node 'n' has no input 1; there are 1: | "
     "p 0/0 usage:node 'n' has no input 4294967295; there are 1: | "
     "e usage:node 'n' does not take its input as a stream: | g usage:node 'n' (Slow) has no generate: | "
     "w usage:node 'n' (Slow) has no poll: | a | c | c usage:node 'n' is not open: | p 0/1 usage:node "
     "'n' is not open:"},
    /* Pending */
    {NODE("Late") "}", "o;p0 [1,2];p0 [13];w;a1;w;w;w",
     "o | p suspended1 1/2 pending | p suspended2 1/1 pending | "
     "w resumed2 130@1 finished2(value: late thirteen) log:1 left long pending | a | w log:0 left | w | w"},
    {NODE("Late") "}", "o;p0 [-1];p0 [14];w",
     "o | p suspended1 1/1 pending | p suspended2 0/1 value:fourteen: | w resumed1 -10@0t1m1 finished1 "
     "log:0 left"},
    {NODE("Late") "}", "o;p0 [1];c", "o | p suspended1 1/1 pending | c"},
    /* Streams */
    {NODE("Pairs") "}", "o;p0 [1,2];m;p0 [3,4,5];m;m;e;e;f",
     "o | p 2/2 more | m 3@1 | p 3/3 more | m 7@3 more | m | e 5 done | e 5 done | f"},
    {NODE("Pairs") "}", "o;p0 [1];p0 [];e", "o | p 1/1 | p wants 0/0 | e 1 done"},
    {NODE("Sum") "}", "o;p0 [1];p0 [2];e;f", "o | p wants 1/1 | p wants 1/1 | e 3 | f"},
    {NODE("Sum") ",\"waits\":true}", "o;p0 [1,-2];m;f",
     "o | p wants waits waits waits 199 2/2 more | m done | f"},
    {NODE("Sum") ",\"waits\":true}", "o;x;p0 [1];f;c", "o | x | p wants waits log:closed 1/1 | f | c"},
    {NODE("Sum") ",\"waits\":1}", "o", " type:'waits' of a node's configuration is true or false:"},
    {NODE("Sum") "}", "d",
     "d {\"inputs\":[\"in\"],\"outputs\":[\"out\"],\"variadic\":false,\"process\":true,\"streaming\":true,"
     "\"generates\":false,\"live\":false,\"pending\":false,\"slow\":false,\"flush\":false,"
     "\"max_in_flight\":1,\"waits\":true}"},
    /* Sources */
    {SOURCE("Count") "}", "o;g;g;g;g;f", "o | g 0 | g 1 | g 2 | g done | f"},
    {SOURCE("SimpleSource") ",\"params\":{\"count\":1}}", "o;p0 [1];g;g",
     "o | p 0/1 usage:node 'n' (SimpleSource) has no process: | g null done | g done"},
    {NODE("Count") "}", "d",
     "d {\"inputs\":[\"in\"],\"outputs\":[\"out\"],\"variadic\":false,\"process\":false,"
     "\"streaming\":false,\"generates\":true,\"live\":false,\"pending\":false,\"slow\":false,"
     "\"flush\":false,\"max_in_flight\":1}"},
    {"{\"node_type\":\"Count\",\"id\":\"n\"}", "o;g", "o | g usage:node 'n' (Count) has no generate:"},
    /* Description */
    {NODE("Merge") "}", "d",
     "d {\"inputs\":[\"in\"],\"outputs\":[\"out\"],\"variadic\":true,\"process\":true,\"streaming\":false,"
     "\"generates\":false,\"live\":false,\"pending\":false,\"slow\":false,\"flush\":true,"
     "\"max_in_flight\":1,\"advance\":true}"},
    {NODE("Late") "}", "d",
     "d {\"inputs\":[\"in\"],\"outputs\":[\"out\"],\"variadic\":false,\"process\":true,\"streaming\":false,"
     "\"generates\":false,\"live\":false,\"pending\":true,\"slow\":false,\"flush\":false,"
     "\"max_in_flight\":3}"},
    /* Errors */
    {NODE("Multiplyer") "}", "o",
     " unknown_node_type:Manifest error: unknown node type 'Multiplyer' of node 'n'; did you mean "
     "'Multiply'? Looked in: native node types (no Python here: RM_PYTHON):/node_type"},
    {NODE("MultiplyNode") ",\"params\":{\"facter\":3}}", "o",
     " unknown_parameter:Manifest error: unknown parameter 'facter' at /params; did you mean "
     "'factor'?:/params/facter"},
    {NODE("MultiplyNode") ",\"params\":{\"factor\":\"x\"}}", "o",
     " type:Manifest error: parameter 'factor' of node 'n' (MultiplyNode): expected a number, got a "
     "string:/params/factor"},
    {NODE("MultiplyNode") ",\"params\":3}", "o", " type:the parameters of node 'n' are a map:/params"},
    {NODE("MultiplyNode") ",\"inputs\":[[\"a\",\"side\"]]}", "o",
     " unknown_port:Manifest error: node 'n' (MultiplyNode) has no input 'side'. It has: in:"},
    {NODE("MultiplyNode") ",\"inputs\":[[\"a\",0]]}", "o",
     " type:an input of a node's configuration is [id of a node, name of a port or null]:"},
    {NODE("MultiplyNode") ",\"runtime_hint\":\"cpython_wasm\"}", "o",
     " missing_feature:Manifest error: node 'n': runtime_hint 'cpython' needs Python (RM_PYTHON), which "
     "this program did not attach:/runtime_hint"},
    {"{\"node_type\":\"Echo\"}", "o", " missing_field:the configuration of a node needs 'id':"},
    {"{\"node_type\":\"Echo\",\"id\":\"a b\"}", "o",
     " value:Manifest error: /id must consist of letters, digits, '_' and '-':/id"},
    {"[]", "o", " type:the configuration of a node is a map:"},
};

static void calls_do_what_the_node_does(void **unused)
{
    (void)unused;
    size_t wrong = 0;
    for (size_t i = 0; i < RMT_COUNT(cases); i++) {
        struct transcript t;
        rmt_heap heap;
        rmt_heap_init(&heap, 0);
        assert_int_equal(run(&heap, cases[i].config, cases[i].steps, &t), RM_OK);
        if (strcmp(t.text, cases[i].want) != 0 && ++wrong)
            print_error("%s\n  got  %s\n  want %s\n", cases[i].config, t.text, cases[i].want);
        assert_int_equal(heap.live_blocks + heap.mistakes, 0);
    }
    assert_int_equal(wrong, 0);
}

static void memory_may_run_out(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < RMT_COUNT(cases); i++)
        for (size_t nth = 1, faults = 1; faults != 0; nth++) {
            struct transcript t;
            rmt_heap heap;
            rmt_heap_init(&heap, nth);
            const int rc = run(&heap, cases[i].config, cases[i].steps, &t);
            faults = heap.faults;
            if (faults != 0 && rc == RM_OK && strstr(t.text, "out_of_memory") == NULL)
                fail_msg("%s, allocation %zu: %s", cases[i].config, nth, t.text);
            if (heap.live_blocks != 0 || heap.mistakes != 0)
                fail_msg("%s, allocation %zu: %zu blocks left", cases[i].config, nth, heap.live_blocks);
        }
}

RMT_MAIN(calls_do_what_the_node_does, memory_may_run_out)
