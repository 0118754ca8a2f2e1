/* Window: overlapping lists of the last `size` items. */
#include "nodes/process_many.h"

enum { MAX_SIZE = 1 << 20 }; /* memory for `size` items is allocated at open */

struct slot {
    rm_value value;
    int64_t timestamp;
};

struct window {
    int64_t size, hop; /* parameters */
    bool partial;      /* parameter */
    struct slot *ring; /* the items of the window that comes next, from `head` on */
    size_t head, count;
    size_t skip;   /* items to pass over before the next window begins (hop > size) */
    bool has_news; /* the ring holds an item that no window has shown yet */
};

static int window_open(rm_node *node, void *state, rm_error *err)
{
    struct window *w = state;
    w->ring = rmi_node_resize(node, NULL, 0, (size_t)w->size * sizeof *w->ring, err);
    return w->ring != NULL ? RM_OK : RM_E_OUT_OF_MEMORY;
}

static struct slot *slot_at(const struct window *w, size_t index)
{
    return &w->ring[(w->head + index) % (size_t)w->size];
}

static void forget(struct window *w, size_t n)
{
    for (size_t i = 0; i < n; i++)
        rm_value_clear(&slot_at(w, i)->value);
    w->head = (w->head + n) % (size_t)w->size;
    w->count -= n;
}

/* Makes a packet with the items of the ring. */
static int show(rm_node *node, struct window *w, rm_packet *packet, rm_error *err)
{
    rm_value list = rm_null();
    int rc = rm_list_new(rm_node_allocator(node), w->count, &list, err);
    for (size_t i = 0; i < w->count && rc == RM_OK; i++)
        rc = rm_list_append(&list, rm_value_retain(slot_at(w, i)->value), err);
    if (rc == RM_OK) {
        *packet = rm_packet_of(rm_value_move(&list));
        packet->timestamp = slot_at(w, 0)->timestamp;
    }
    rm_value_clear(&list);
    return rc;
}

/* Takes the item; when a window is complete, sets *full and *shown. */
static int window_add(rm_node *node, struct window *w, rm_packet *item, rm_packet *shown, bool *full,
                      rm_error *err)
{
    const size_t size = (size_t)w->size, hop = (size_t)w->hop;
    int rc = RM_OK;
    *full = false;
    if (w->skip > 0) {
        w->skip--;
        return RM_OK;
    }
    *slot_at(w, w->count++) = (struct slot){rm_value_move(&item->value), item->timestamp};
    w->has_news = true;
    if (w->count < size)
        return RM_OK;
    rc = show(node, w, shown, err);
    *full = rc == RM_OK;
    w->has_news = false;
    forget(w, hop < size ? hop : size);
    w->skip = hop > size ? hop - size : 0;
    return rc;
}

/* Windows gather at the front of `batch`, each with the seq of its last item. */
static int window_process_many(rm_node *node, void *state, unsigned port, rm_packet *batch, size_t n,
                               size_t *done, rm_error *err)
{
    struct window *w = state;
    size_t shown = 0, i = 0;
    int rc = RM_OK;
    (void)port;
    for (; i < n; i++) {
        rm_packet packet = rm_packet_of(rm_null());
        bool full = false;
        const int64_t seq = batch[i].seq;
        if ((rc = window_add(node, w, &batch[i], &packet, &full, err)) != RM_OK)
            break;
        rm_packet_clear(&batch[i]);
        packet.seq = seq;
        if (full)
            batch[shown++] = packet;
    }
    return rmi_batch_end(node, batch, shown, i, done, rc, err);
}

static int window_flush(rm_node *node, void *state, rm_error *err)
{
    struct window *w = state;
    rm_packet packet = rm_packet_of(rm_null());
    if (!w->partial || !w->has_news)
        return RM_OK;
    w->has_news = false;
    int rc = show(node, w, &packet, err);
    return rc == RM_OK ? rm_emit(node, 0, packet) : rc;
}

static int window_close(rm_node *node, void *state, rm_error *err)
{
    struct window *w = state;
    (void)err;
    forget(w, w->count);
    rmi_node_free(node, w->ring, (size_t)w->size * sizeof *w->ring);
    return RM_OK;
}

static const rm_port window_ports[] = {
    {.name = "in", .direction = RM_INPUT, .kinds = RM_KIND_PLAIN, .text = "Any item"},
    {.name = "out", .direction = RM_OUTPUT, .kinds = RM_KIND_LIST, .text = "Lists of `size` items"},
    {0},
};

static const rm_param window_params[] = {
    {.name = "size",
     .text = "Items in a window",
     .type = RM_PARAM_INT64,
     .flags = RM_PARAM_REQUIRED,
     .offset = offsetof(struct window, size),
     .i64 = {.min = 1, .max = MAX_SIZE}},
    {.name = "hop",
     .text = "Items from the start of one window to the start of the next",
     .type = RM_PARAM_INT64,
     .offset = offsetof(struct window, hop),
     .i64 = {.fallback = 1, .min = 1, .max = INT32_MAX}},
    {.name = "partial",
     .text = "At the end, emit the items that no window has shown as a shorter window",
     .type = RM_PARAM_BOOL,
     .offset = offsetof(struct window, partial),
     .flag = {.fallback = false}},
    {0},
};

const rm_node_type rmi_node_window = {
    .abi_version = RM_NODE_ABI_VERSION,
    .size = sizeof(rm_node_type),
    .name = "Window",
    .summary = "Emits the last `size` items as a list, every `hop` items",
    .description =
        "With a hop below the size windows overlap, with a larger one items between windows are left "
        "out. Only complete windows are emitted; with `partial` the end of the stream gives a shorter "
        "one if an item would otherwise be missed. A window's timestamp is its first item's.",
    .ports = window_ports,
    .params = window_params,
    .state_size = sizeof(struct window),
    .open = window_open,
    .process_many = window_process_many,
    .flush = window_flush,
    .close = window_close,
};
