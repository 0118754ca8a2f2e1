/* A node of sandbox_guests.py: does what its items ask for. */
#include "../../examples/wasm-node/node.h"

static int64_t left;    /* emissions of an item "many" still to make */
static int64_t made;    /* items made by generate */
static int64_t flushes; /* still to come */

static int configure(const node_value *params, const node_value *config)
{
    node_value value;
    (void)config;
    if (node_get(params, "flushes", &value))
        flushes = value.integer;
    return NODE_OK;
}

static int more(void)
{
    node_emit(0);
    node_put_int(left);
    return --left > 0 ? NODE_MORE : NODE_OK;
}

static int obey(uint32_t port, const node_value *wish, const node_value *with)
{
    if (node_is(wish->data, wish->count, "many")) {
        left = with->integer;
        return more();
    }
    if (node_is(wish->data, wish->count, "done")) {
        node_emit(port);
        node_put_text("the last");
        return NODE_DONE;
    }
    if (node_is(wish->data, wish->count, "log")) {
        node_log(NODE_WARNING, "a line of the log");
        return NODE_OK;
    }
    if (node_is(wish->data, wish->count, "fail")) {
        node_emit(0);
        node_put_text("before the failure");
        return node_fail(NODE_E_ARITHMETIC, "as ", "it was told");
    }
    if (node_is(wish->data, wish->count, "loop"))
        for (volatile int64_t i = 0;; i++)
            ;
    if (node_is(wish->data, wish->count, "trap"))
        __builtin_trap();
    if (node_is(wish->data, wish->count, "take"))
        return node_alloc((uint32_t)with->integer) != NULL ? NODE_OK : NODE_E_OUT_OF_MEMORY;
    if (node_is(wish->data, wish->count, "give")) {
        node_emit(0);
        uint8_t *room = NULL;
        node_put_head(NODE_BYTES, (uint32_t)with->integer);
        room = node_room((uint32_t)with->integer);
        if (room != NULL)
            memset(room, 'x', (uint32_t)with->integer);
        return NODE_OK;
    }
    return node_fail(NODE_E_VALUE, "there is no such wish");
}

static int process(uint32_t port, const node_packet *packet)
{
    node_value wish, with = {0};
    if (node_get(&packet->value, "do", &wish)) {
        (void)node_get(&packet->value, "with", &with);
        return obey(port, &wish, &with);
    }
#ifdef VARIADIC
    node_emit(0);
    node_put_list(2);
    node_put_int(port);
#else
    node_emit(port); /* packets leave by the port that they came in by */
#endif
    node_put_value(&packet->value);
    return NODE_OK;
}

static int generate(void)
{
    node_emit(0);
    node_put_int(++made);
    return made < 3 ? NODE_OK : NODE_DONE;
}

static int flush(void)
{
    if (flushes == 0)
        return NODE_OK;
    node_emit(0);
    node_put_text("flushed");
    return --flushes > 0 ? NODE_MORE : NODE_OK;
}

#ifdef PAIR
static const char *const names[] = {"a", "b", NULL};
#else
static const char *const names[] = {"a", NULL};
#endif

const node_type node = {.inputs = names,
                        .outputs = names,
#ifdef VARIADIC
                        .variadic = true,
#endif
                        .configure = configure,
                        .process = process,
                        .more = more,
                        .generate = generate,
                        .flush = flush};
