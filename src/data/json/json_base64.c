/* The long base64 strings of arrays need no JSON reader. They are cut out of the text for the reader, with an
 * empty string in the place of each, and only the tensor reader looks at them. When anything does not fit,
 * the whole text is read again, so that values and error messages are the same. */
#include <string.h>

#include "base/alloc.h"
#include "data/json/json_parts.h"

/* A string this long has at least one probe in it. */
enum { STRIDE = 1 << 15, PROBE = 64, LEAST = 2 * STRIDE };

static bool is_base64(const char *text)
{
    bool good = true;
    for (size_t i = 0; i < PROBE; i++) {
        const unsigned char c = (unsigned char)text[i], letter = c | 0x20;
        good &= (letter >= 'a' && letter <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
    }
    return good;
}

/* Returns the end of the string that `probe` lies in. A guess skips to the last probe in a row that looks
 * like base64; a quote in between is no base64, and the tensor reader finds it. */
static const char *find_end(const char *text, size_t length, size_t probe, bool guess)
{
    while (guess && length - probe >= STRIDE + PROBE && is_base64(text + probe + STRIDE))
        probe += STRIDE;
    return memchr(text + probe, '"', length - probe);
}

static int add(rmi_json_cuts *cuts, const rm_allocator *allocator, const char *start, const char *end,
               rm_error *err)
{
    void *at = cuts->at;
    int rc = rmi_grow(allocator, &at, &cuts->capacity, cuts->count + 1, sizeof *cuts->at, err);
    cuts->at = at;
    if (rc == RM_OK) {
        cuts->at[cuts->count++] = (rmi_json_cut){.text = start, .length = (size_t)(end - start)};
        cuts->left_out += (size_t)(end - start);
    }
    return rc;
}

int rmi_json_cuts_find(rmi_json_cuts *cuts, const rm_allocator *allocator, const char *text, size_t length,
                       bool guess, rm_error *err)
{
    size_t passed = 0; /* everything before it has been checked or cut out */
    int rc = RM_OK;
    *cuts = (rmi_json_cuts){.count = 0};
    for (size_t probe = STRIDE; rc == RM_OK && probe < length && length - probe >= PROBE; probe += STRIDE) {
        if (!is_base64(text + probe))
            continue;
        const size_t low = probe - passed > STRIDE ? probe - STRIDE : passed;
        const char *quote = memrchr(text + low, '"', probe - low);
        if (quote == NULL)
            continue;
        const char *end = find_end(text, length, probe, guess);
        if (end == NULL)
            break;
        if (end - quote > LEAST)
            rc = add(cuts, allocator, quote + 1, end, err);
        passed = probe = (size_t)(end - text) + 1;
    }
    return rc;
}

void rmi_json_cuts_copy(rmi_json_cuts *cuts, const char *text, size_t length, char *to)
{
    const char *from = text;
    for (size_t i = 0; i < cuts->count; i++) {
        rmi_json_cut *cut = &cuts->at[i];
        memcpy(to, from, (size_t)(cut->text - from));
        to += cut->text - from;
        from = cut->text + cut->length;
        cut->place = to;
    }
    memcpy(to, from, (size_t)(text + length - from));
}

bool rmi_json_cut_string(rmi_json_cuts *cuts, const char **text, size_t *length)
{
    size_t from = 0, to = cuts != NULL ? cuts->count : 0;
    while (from < to) {
        const size_t middle = from + (to - from) / 2;
        rmi_json_cut *cut = &cuts->at[middle];
        if (cut->place == *text) {
            cuts->used += !cut->used;
            cut->used = true;
            *text = cut->text;
            *length = cut->length;
            return true;
        }
        if (cut->place < *text)
            from = middle + 1;
        else
            to = middle;
    }
    return false;
}

void rmi_json_cuts_clear(rmi_json_cuts *cuts, const rm_allocator *allocator)
{
    rmi_free(allocator, cuts->at, cuts->capacity * sizeof *cuts->at);
    *cuts = (rmi_json_cuts){.count = 0};
}
