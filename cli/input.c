#include "cli/input.h"

#include <string.h>

rmi_format rmi_format_of(rmi_format wanted, const char *path)
{
    const char *slash = strrchr(path, '/'), *dot = strrchr(slash != NULL ? slash : path, '.');
    if (wanted != RMI_FORMAT_BY_NAME)
        return wanted;
    bool lines = dot != NULL && (strcmp(dot, ".jsonl") == 0 || strcmp(dot, ".ndjson") == 0);
    return lines ? RMI_FORMAT_JSONL : RMI_FORMAT_JSON;
}

/* A byte order mark alone is blank too: editors leave one in an empty file. */
static bool is_blank(const char *text, size_t length)
{
    size_t i = length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    while (i < length && (text[i] == ' ' || text[i] == '\t' || text[i] == '\r' || text[i] == '\n'))
        i++;
    return i == length;
}

/* The words before the pointer into the JSON text, where there is one. */
static const char *before_pointer(const rm_error *cause)
{
    return cause->pointer[0] != '\0' ? " at " : "";
}

/* Whether `map` gives items by source: all its members are lists. */
static bool is_by_source(rm_value map)
{
    rm_value key, items;
    for (size_t i = 0; rm_map_at(map, i, &key, &items); i++) {
        if (items.kind != RM_LIST)
            return false;
    }
    return true;
}

static int read_document(rmi_input *input, rmi_wake *wake, rm_error *err)
{
    const char *text = NULL;
    size_t length = 0;
    rm_error cause = {0};
    int rc = rmi_reader_whole(&input->reader, SIZE_MAX, wake, &text, &length, err);
    if (rc == RM_AGAIN)
        return rm_error_set(err, RM_E_CANCELLED, "interrupted while reading %s", input->reader.name);
    if (rc != RM_OK)
        return rc;
    if (is_blank(text, length))
        return rm_list_new(NULL, 0, &input->whole, err);
    rc = rm_json_parse(NULL, text, length, input->flags, &input->whole, &cause);
    if (rc != RM_OK) {
        rm_error_set(err, rc, "%s%s%s: %s", input->reader.name, before_pointer(&cause), cause.pointer,
                     cause.message);
        if (cause.hint[0] != '\0')
            rm_error_hint(err, "%s", cause.hint);
        else if (rc == RM_E_PARSE)
            rm_error_hint(err, "for one JSON value a line, give --input-format jsonl");
    } else if (input->whole.kind != RM_LIST && !(input->whole.kind == RM_MAP && is_by_source(input->whole))) {
        rc = rm_error_set(err, RM_E_TYPE, "%s holds %s; a JSON array of items is needed", input->reader.name,
                          rm_kind_name((rm_kind)input->whole.kind));
        rm_error_hint(err, "for one JSON value a line, give --input-format jsonl");
    }
    rm_error_clear(&cause);
    return rc;
}

int rmi_input_open(rmi_input *input, const char *path, const char *where, int standard_input,
                   rmi_format format, unsigned flags, rmi_wake *wake, rm_error *err)
{
    *input = (rmi_input){.lines = rmi_format_of(format, path) == RMI_FORMAT_JSONL, .flags = flags};
    int rc = rmi_reader_open(&input->reader, path, where, standard_input, err);
    if (rc == RM_OK && input->lines)
        rc = rmi_json_reader_new(NULL, flags, &input->json, err);
    if (rc == RM_OK && !input->lines)
        rc = read_document(input, wake, err);
    if (!input->lines)
        rmi_reader_close(&input->reader);
    input->failed = rc != RM_OK;
    return rc;
}

void rmi_input_of(rmi_input *input, rm_value items)
{
    *input = (rmi_input){.reader = {.descriptor = -1}, .whole = rm_value_retain(items)};
}

void rmi_input_close(rmi_input *input)
{
    rmi_reader_close(&input->reader);
    rmi_json_reader_free(input->json);
    input->json = NULL;
    rm_value_clear(&input->whole);
    rm_error_clear(&input->held);
}

/* Holds the error with its line back: the runtime asks for input again when it has nothing else to do, and
 * gets the error then. */
static int hold(rmi_input *input, int rc)
{
    const rm_error *cause = &input->cause;
    rm_error_set(&input->held, rc, "line %lld of %s%s%s: %s", (long long)input->line, input->reader.name,
                 before_pointer(cause), cause->pointer, cause->message);
    if (cause->hint[0] != '\0')
        rm_error_hint(&input->held, "%s", cause->hint);
    input->held.has_item = true;
    input->held.item = input->items;
    rm_error_clear(&input->cause);
    return RM_AGAIN;
}

static int next_line(rmi_input *input, rm_value *item, rm_error *err)
{
    const char *text = NULL;
    size_t length = 0;
    int rc = input->held.code;
    if (rc != RM_OK) {
        rm_error_move(err, &input->held);
        return rc;
    }
    do {
        rc = rmi_reader_line(&input->reader, &text, &length, &input->cause);
        input->line += rc == RM_OK;
    } while (rc == RM_OK && is_blank(text, length));
    if (rc == RM_OK)
        rc = rmi_json_reader_read(input->json, text, length, item, &input->cause);
    return rc < 0 ? hold(input, rc) : rc;
}

/* Gives the next item of a map: the first of each source, the second of each, and so on. */
static int next_by_source(rmi_input *input, const char **source, rm_value *item)
{
    rm_value key, items;
    for (bool any = true; any; input->source = 0, input->next++) {
        any = false;
        while (rm_map_at(input->whole, input->source, &key, &items)) {
            input->source++;
            if (input->next >= rm_list_length(items))
                continue;
            *source = rm_string_text(key, NULL);
            *item = rm_value_retain(rm_list_get(items, input->next));
            return RM_OK;
        }
        for (size_t i = 0; !any && rm_map_at(input->whole, i, &key, &items); i++)
            any = input->next + 1 < rm_list_length(items);
    }
    return RM_DONE;
}

int rmi_input_next(void *context, const char **source, rm_value *item, rm_error *err)
{
    rmi_input *input = context;
    int rc = RM_DONE;
    if (input->ended)
        return RM_DONE;
    if (input->lines) {
        rc = next_line(input, item, err);
        input->failed = rc < 0;
    } else if (input->whole.kind == RM_MAP) {
        rc = next_by_source(input, source, item);
    } else if (input->next < rm_list_length(input->whole)) {
        *item = rm_value_retain(rm_list_get(input->whole, input->next++));
        rc = RM_OK;
    }
    input->items += rc == RM_OK;
    input->ended = rc != RM_OK && rc != RM_AGAIN;
    return rc;
}
