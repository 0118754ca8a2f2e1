#include "transport/control.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/text.h"

/* ns between two looks, while a packet waits for an answer, at whether the run was stopped. */
static const int64_t patience = 20000000;

typedef struct watch {
    struct watch *next;
    rmi_port_place place;
    bool intercepts;
    int64_t deadline_ms;
} watch;

struct rmi_attachment {
    rmi_attachment *next; /* in the control's list */
    rmi_control *control; /* shared */
    void (*woken)(void *context);
    void *context;
    bool attached;
    watch *watches;
    size_t watch_count;

    rmi_control_event events[RMI_CONTROL_EVENTS + 2]; /* the last places are for the loss and the end */
    size_t first, count;
    uint64_t lost;

    rmi_control_command command;
    bool has_command;

    bool pinned;         /* the session uses it, without the lock at times */
    uint64_t waiting_id; /* of the packet that waits for an answer; 0: none */
    bool answered;
    rmi_control_decision decision;
    rm_packet answer;
};

/* Shared by a session and its attachments; all is under the lock. `woken` functions call back. */
struct rmi_control {
    pthread_mutex_t lock; /* recursive */
    pthread_cond_t answered;
    size_t users;
    rmi_session *session;  /* NULL: it has ended */
    rm_pipeline *pipeline; /* borrowed; NULL: not open yet */
    rmi_attachment *attachments;
    bool changed; /* watches were taken away */
    uint64_t next_id;
    rmi_probe probe;
};

/* ---- Begin and end */

static void init_lock(rmi_control *control)
{
    pthread_mutexattr_t recursive;
    pthread_condattr_t monotonic;
    pthread_mutexattr_init(&recursive);
    pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&control->lock, &recursive);
    pthread_mutexattr_destroy(&recursive);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&control->answered, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

/* Unlocks, and frees the control after its last user. */
static void leave(rmi_control *control, bool is_user)
{
    const bool last = is_user && --control->users == 0;
    pthread_mutex_unlock(&control->lock);
    if (!last)
        return;
    pthread_cond_destroy(&control->answered);
    pthread_mutex_destroy(&control->lock);
    rmi_free(NULL, control, sizeof *control);
}

static bool look(void *context, rmi_port_place place, rm_packet *packet);

static rmi_control *control_of(rmi_session *session)
{
    rmi_control *control = rmi_session_control(session);
    if (control != NULL)
        return control;
    control = rmi_alloc_zeroed(NULL, sizeof *control);
    if (control == NULL)
        return NULL;
    init_lock(control);
    control->users = 1; /* the session */
    control->session = session;
    control->probe = (rmi_probe){.packet = look, .context = control};
    rmi_session_set_control(session, control);
    return control;
}

int rmi_attachment_new(rmi_session *session, void (*woken)(void *context), void *context,
                       rmi_attachment **out, rm_error *err)
{
    rmi_attachment *made = rmi_alloc_zeroed(NULL, sizeof *made);
    rmi_control *control = made != NULL ? control_of(session) : NULL;
    *out = NULL;
    if (control == NULL) {
        rmi_free(NULL, made, made != NULL ? sizeof *made : 0);
        return rmi_out_of_memory(err);
    }
    *made = (rmi_attachment){.control = control, .woken = woken, .context = context, .attached = true};
    pthread_mutex_lock(&control->lock);
    control->users++;
    made->next = control->attachments;
    control->attachments = made;
    *out = made;
    pthread_mutex_unlock(&control->lock);
    return RM_OK;
}

static void free_watches(rmi_attachment *a)
{
    while (a->watches != NULL) {
        watch *next = a->watches->next;
        rmi_free(NULL, a->watches, sizeof *a->watches);
        a->watches = next;
    }
    a->watch_count = 0;
}

static void clear_command(rmi_attachment *a)
{
    rmi_free_text(NULL, a->command.node);
    rmi_free_text(NULL, a->command.port);
    rm_packet_clear(&a->command.packet);
    a->command = (rmi_control_command){.packet = rm_packet_of(rm_null())};
    a->has_command = false;
}

void rmi_attachment_end(rmi_attachment *a)
{
    rmi_control *control = a->control;
    pthread_mutex_lock(&control->lock);
    rmi_attachment **link = &control->attachments;
    while (*link != NULL && *link != a)
        link = &(*link)->next;
    if (*link != NULL)
        *link = a->next;
    a->attached = false;
    free_watches(a);
    control->changed = true;
    pthread_cond_broadcast(&control->answered);
    if (control->session != NULL)
        rmi_session_wake(control->session);
    pthread_mutex_unlock(&control->lock);
}

void rmi_control_event_clear(rmi_control_event *event)
{
    rmi_free_text(NULL, event->node);
    rmi_free_text(NULL, event->port);
    rm_packet_clear(&event->packet);
    rm_error_clear(&event->err);
}

void rmi_attachment_free(rmi_attachment *a)
{
    rmi_control_event event;
    if (a == NULL)
        return;
    while (rmi_attachment_next(a, &event))
        rmi_control_event_clear(&event);
    pthread_mutex_lock(&a->control->lock);
    while (a->pinned) /* it has been told to go on */
        pthread_cond_wait(&a->control->answered, &a->control->lock);
    clear_command(a);
    rm_packet_clear(&a->answer);
    leave(a->control, true);
    rmi_free(NULL, a, sizeof *a);
}

/* ---- Events; under the lock */

static void put_event(rmi_attachment *a, const rmi_control_event *event)
{
    const size_t most = sizeof a->events / sizeof *a->events;
    a->events[(a->first + a->count++) % most] = *event;
    a->woken(a->context);
}

static void put_error(rmi_attachment *a, const char *node, const char *port, bool in, rm_error *err)
{
    rmi_control_event event = {.kind = RMI_CONTROL_ERROR, .in = in};
    if (a->count >= RMI_CONTROL_EVENTS) {
        a->lost++;
        rm_error_clear(err);
        return;
    }
    event.node = node != NULL ? rmi_copy_text(NULL, node) : NULL;
    event.port = port != NULL ? rmi_copy_text(NULL, port) : NULL;
    rm_error_move(&event.err, err);
    put_event(a, &event);
}

/* Puts an event with a copy of the packet. false: there is no room, or no memory. */
static bool put_packet(rmi_attachment *a, rmi_control_kind kind, rmi_port_place place, uint64_t id,
                       const rm_packet *packet)
{
    const rm_pipeline *pipeline = a->control->pipeline;
    rmi_control_event event = {.kind = kind, .in = place.in, .id = id, .packet = *packet};
    const rm_value metadata = rm_value_retain(rm_packet_metadata(packet));
    event.packet.reserved = 0;
    event.packet.metadata = metadata.kind == RM_MAP ? metadata.heap : NULL;
    event.packet.value = rm_null();
    bool done = a->count < RMI_CONTROL_EVENTS &&
                rm_value_to_plain(NULL, packet->value, &event.packet.value, NULL) == RM_OK;
    if (done) {
        event.node = rmi_copy_text(NULL, rmi_pipeline_node_id(pipeline, place.node));
        event.port = rmi_copy_text(NULL, rmi_pipeline_port_name(pipeline, place));
        done = event.node != NULL && event.port != NULL;
    }
    if (done) {
        put_event(a, &event);
    } else {
        a->lost++;
        rmi_control_event_clear(&event);
    }
    return done;
}

bool rmi_attachment_has_event(rmi_attachment *a)
{
    pthread_mutex_lock(&a->control->lock);
    const bool has = a->count > 0 || a->lost > 0;
    pthread_mutex_unlock(&a->control->lock);
    return has;
}

bool rmi_attachment_next(rmi_attachment *a, rmi_control_event *event)
{
    const size_t most = sizeof a->events / sizeof *a->events;
    pthread_mutex_lock(&a->control->lock);
    const bool found = a->count > 0, lost = !found && a->lost > 0;
    if (found) {
        *event = a->events[a->first];
        a->first = (a->first + 1) % most;
        a->count--;
    } else if (lost) {
        *event = (rmi_control_event){.kind = RMI_CONTROL_ERROR};
        (void)rm_error_set(&event->err, RM_E_LIMIT,
                           "%" PRIu64 " events were dropped: the client did not take them in time", a->lost);
        a->lost = 0;
    }
    pthread_mutex_unlock(&a->control->lock);
    return found || lost;
}

/* ---- Packets of the run; on the session's thread, inside a step */

static bool covers(const watch *w, rmi_port_place place)
{
    return w->place.node == place.node && w->place.in == place.in &&
           (w->place.any || w->place.port == place.port);
}

/* Waits for the client's answer; without one in time the packet passes. false: it is dropped. */
static bool intercept(rmi_attachment *a, const watch *w, rmi_port_place place, rm_packet *packet)
{
    rmi_control *control = a->control;
    const int64_t until = rmi_platform_now() + w->deadline_ms * 1000000;
    a->pinned = true;
    a->waiting_id = ++control->next_id;
    a->answered = false;
    if (!put_packet(a, RMI_CONTROL_INTERCEPT, place, a->waiting_id, packet))
        a->waiting_id = 0;
    while (a->waiting_id != 0 && !a->answered && a->attached && rmi_platform_now() < until &&
           !rmi_session_has_to_stop(control->session)) {
        const int64_t slice = rmi_platform_now() + patience, end = slice < until ? slice : until;
        const struct timespec at = {end / 1000000000, end % 1000000000};
        (void)pthread_cond_timedwait(&control->answered, &control->lock, &at);
    }
    const bool answered = a->answered && a->waiting_id != 0;
    a->waiting_id = 0;
    a->answered = false;
    if (answered && a->decision == RMI_CONTROL_REPLACE) {
        rm_value_clear(&packet->value);
        packet->value = rm_value_move(&a->answer.value);
        if (a->answer.metadata != NULL)
            rm_packet_set_metadata(packet, rm_value_retain(rm_packet_metadata(&a->answer)));
    }
    rm_packet_clear(&a->answer);
    a->pinned = false;
    pthread_cond_broadcast(&control->answered);
    return !answered || a->decision != RMI_CONTROL_DROP;
}

static watch *watch_of(const rmi_attachment *a, rmi_port_place place, bool intercepts)
{
    for (watch *w = a->watches; w != NULL; w = w->next)
        if (w->intercepts == intercepts && covers(w, place))
            return w;
    return NULL;
}

/* An interceptor that has not been asked yet; NULL: there is none. */
static rmi_attachment *next_interceptor(const rmi_control *control, rmi_port_place place,
                                        rmi_attachment *const *asked, size_t count)
{
    for (rmi_attachment *a = control->attachments; a != NULL; a = a->next) {
        bool known = watch_of(a, place, true) == NULL;
        for (size_t i = 0; i < count && !known; i++)
            known = asked[i] == a;
        if (!known)
            return a;
    }
    return NULL;
}

/* Attachments may come and go while an answer is waited for, so the list is looked at anew after each. */
static bool look(void *context, rmi_port_place place, rm_packet *packet)
{
    enum { MOST_ASKED = 16 };
    rmi_control *control = context;
    rmi_attachment *asked[MOST_ASKED], *next;
    size_t count = 0;
    bool passes = true;
    pthread_mutex_lock(&control->lock);
    for (rmi_attachment *a = control->attachments; a != NULL; a = a->next)
        if (watch_of(a, place, false) != NULL)
            (void)put_packet(a, RMI_CONTROL_TAP, place, 0, packet);
    while (passes && count < MOST_ASKED && (next = next_interceptor(control, place, asked, count)) != NULL) {
        asked[count++] = next;
        passes = intercept(next, watch_of(next, place, true), place, packet);
    }
    pthread_mutex_unlock(&control->lock);
    return passes;
}

int rmi_attachment_reply(rmi_attachment *a, uint64_t id, rmi_control_decision decision, rm_packet *packet,
                         rm_error *err)
{
    int rc = RM_OK;
    pthread_mutex_lock(&a->control->lock);
    if (id == 0 || id != a->waiting_id || a->answered) {
        rc = rm_error_set(err, RM_E_VALUE,
                          "nothing waits for the answer %" PRIu64 ": it may have come too late", id);
        rm_packet_clear(packet);
    } else {
        a->answered = true;
        a->decision = decision;
        a->answer = rm_packet_move(packet);
        pthread_cond_broadcast(&a->control->answered);
    }
    pthread_mutex_unlock(&a->control->lock);
    return rc;
}

/* ---- Commands */

void rmi_attachment_do(rmi_attachment *a, rmi_control_command *command)
{
    rmi_control *control = a->control;
    pthread_mutex_lock(&control->lock);
    a->command = *command;
    a->has_command = true;
    if (control->session != NULL)
        rmi_session_wake(control->session);
    else
        clear_command(a); /* the last event tells why */
    pthread_mutex_unlock(&control->lock);
}

bool rmi_attachment_idle(rmi_attachment *a)
{
    pthread_mutex_lock(&a->control->lock);
    const bool idle = !a->has_command;
    pthread_mutex_unlock(&a->control->lock);
    return idle;
}

static watch **find_watch(rmi_attachment *a, rmi_port_place place, bool intercepts)
{
    watch **link = &a->watches;
    while (*link != NULL && ((*link)->intercepts != intercepts || (*link)->place.node != place.node ||
                             (*link)->place.in != place.in || (*link)->place.any != place.any ||
                             (*link)->place.port != place.port))
        link = &(*link)->next;
    return link;
}

static int set_watch(rmi_attachment *a, rmi_port_place place, bool intercepts, bool on, rm_error *err)
{
    watch **link = find_watch(a, place, intercepts), *found = *link;
    if (!on && found == NULL)
        return rm_error_set(err, RM_E_USAGE, "that port is not %s",
                            intercepts ? "intercepted" : "subscribed to");
    if (!on) {
        *link = found->next;
        rmi_free(NULL, found, sizeof *found);
        a->watch_count--;
        return RM_OK;
    }
    if (found == NULL && a->watch_count == RMI_CONTROL_WATCHES)
        return rm_error_set(err, RM_E_LIMIT, "a client watches %d ports at most", (int)RMI_CONTROL_WATCHES);
    if (found == NULL && (found = rmi_alloc_zeroed(NULL, sizeof *found)) == NULL)
        return rmi_out_of_memory(err);
    if (*link == NULL) {
        *link = found;
        a->watch_count++;
    }
    found->place = place;
    found->intercepts = intercepts;
    found->deadline_ms = a->command.deadline_ms;
    return RM_OK;
}

/* RM_AGAIN: later. */
static int perform(rmi_attachment *a, rm_error *err)
{
    rm_pipeline *pipeline = a->control->pipeline;
    rmi_control_command *command = &a->command;
    const rmi_control_action action = command->action;
    rmi_port_place place = {0};
    if (action == RMI_CONTROL_SET_STATE)
        return rmi_pipeline_set_state(pipeline, command->node, command->state, err);
    int rc = rmi_pipeline_find_port(pipeline, command->node, command->port, command->in, &place, err);
    if (rc != RM_OK)
        return rc;
    if (action == RMI_CONTROL_PUBLISH)
        return rmi_pipeline_publish(pipeline, place, &command->packet, err);
    rc = set_watch(a, place, action == RMI_CONTROL_BEGIN_INTERCEPT || action == RMI_CONTROL_END_INTERCEPT,
                   action == RMI_CONTROL_SUBSCRIBE || action == RMI_CONTROL_BEGIN_INTERCEPT, err);
    a->control->changed |= rc == RM_OK;
    return rc;
}

/* Nodes that nobody watches are not looked at. */
static void probe_nodes(rmi_control *control)
{
    const uint32_t count = rmi_pipeline_node_count(control->pipeline);
    for (uint32_t i = 0; i < count; i++) {
        bool watched = false;
        for (const rmi_attachment *a = control->attachments; a != NULL && !watched; a = a->next)
            for (const watch *w = a->watches; w != NULL && !watched; w = w->next)
                watched = w->place.node == i;
        rmi_pipeline_probe_node(control->pipeline, i, watched);
    }
    control->changed = false;
}

static void work_for(rmi_attachment *a)
{
    rm_error err = {0};
    const int rc = perform(a, &err);
    if (rc == RM_AGAIN)
        return;
    if (rc == RM_OK && a->command.action == RMI_CONTROL_PUBLISH)
        a->command.packet = rm_packet_of(rm_null());
    if (rc != RM_OK)
        put_error(a, a->command.node, a->command.port, a->command.in, &err);
    clear_command(a);
    a->woken(a->context);
}

void rmi_control_work(rmi_control *control, rm_pipeline *pipeline)
{
    pthread_mutex_lock(&control->lock);
    if (control->pipeline == NULL)
        rmi_pipeline_set_probe(pipeline, &control->probe);
    control->pipeline = pipeline;
    for (rmi_attachment *a = control->attachments, *next; a != NULL; a = next) {
        next = a->next;
        if (a->has_command)
            work_for(a);
    }
    if (control->changed)
        probe_nodes(control);
    pthread_mutex_unlock(&control->lock);
}

void rmi_control_end(rmi_control *control, int code, const rm_error *err)
{
    if (control == NULL)
        return;
    pthread_mutex_lock(&control->lock);
    if (control->pipeline != NULL)
        rmi_pipeline_set_probe(control->pipeline, NULL);
    control->pipeline = NULL;
    control->session = NULL;
    for (rmi_attachment *a = control->attachments; a != NULL; a = a->next) {
        rmi_control_event event = {.kind = RMI_CONTROL_CLOSED};
        rm_error lost = {0};
        clear_command(a);
        if (a->lost > 0) {
            (void)rm_error_set(&lost, RM_E_LIMIT,
                               "%" PRIu64 " events were dropped: the client did not take them in time",
                               a->lost);
            a->lost = 0;
            put_event(a, &(rmi_control_event){.kind = RMI_CONTROL_ERROR, .err = lost});
        }
        event.err.code = code;
        memcpy(event.err.message, err->message, sizeof event.err.message);
        put_event(a, &event);
    }
    leave(control, true);
}
