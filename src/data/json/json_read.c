/* Reads JSON text with yyjson, in our memory; checks what yyjson does not check. */
#include <stdalign.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/recycler.h"
#include "data/integer.h"
#include "data/json/json_parts.h"

/* ---- Memory ---- */

enum { BLOCK_HEAD = 16, PADDING = 4 };

/* Small texts are read within one piece of memory. Further blocks come from the allocator, with their size in
 * front, since yyjson frees without a size. */
typedef struct json_memory {
    const rm_allocator *allocator;
    unsigned char *piece;
    size_t used, size;
} json_memory;

static bool in_piece(const json_memory *memory, const void *block)
{
    return (uintptr_t)block - (uintptr_t)memory->piece < memory->size;
}

static void *json_malloc(void *context, size_t size)
{
    json_memory *memory = context;
    size_t rounded = 0;
    if (rmi_add(size, BLOCK_HEAD - 1, &rounded) &&
        (rounded & ~(size_t)(BLOCK_HEAD - 1)) <= memory->size - memory->used) {
        void *block = memory->piece + memory->used;
        memory->used += rounded & ~(size_t)(BLOCK_HEAD - 1);
        return block;
    }
    unsigned char *whole = rmi_add(size, BLOCK_HEAD, &size) ? rmi_alloc(memory->allocator, size) : NULL;
    if (whole == NULL)
        return NULL;
    memcpy(whole, &size, sizeof size);
    return whole + BLOCK_HEAD;
}

static void json_free(void *context, void *block)
{
    const json_memory *memory = context;
    size_t size = 0;
    if (block == NULL || in_piece(memory, block))
        return;
    unsigned char *whole = (unsigned char *)block - BLOCK_HEAD;
    memcpy(&size, whole, sizeof size);
    rmi_free(memory->allocator, whole, size);
}

static void *json_realloc(void *context, void *block, size_t old_size, size_t size)
{
    const json_memory *memory = context;
    size_t whole_size = 0;
    if (in_piece(memory, block)) {
        void *moved = json_malloc(context, size);
        if (moved != NULL)
            memcpy(moved, block, old_size < size ? old_size : size);
        return moved;
    }
    if (!rmi_add(size, BLOCK_HEAD, &whole_size))
        return NULL;
    unsigned char *whole = (unsigned char *)block - BLOCK_HEAD;
    memcpy(&old_size, whole, sizeof old_size);
    whole = rmi_resize(memory->allocator, whole, old_size, whole_size);
    if (whole == NULL)
        return NULL;
    memcpy(whole, &whole_size, sizeof whole_size);
    return whole + BLOCK_HEAD;
}

/* ---- Places ---- */

/* The text that is read; yyjson reads `copy`, and changes strings in it. */
typedef struct json_text {
    const char *text, *what;
    size_t length;
    char *copy;
    rm_error *err;
} json_text;

/* Line and column of a byte, both from 1, columns in characters. */
static void locate(const json_text *from, size_t offset, size_t *line, size_t *column)
{
    *line = *column = 1;
    for (size_t i = 0; i < offset && i < from->length; i++) {
        if (from->text[i] == '\n') {
            ++*line;
            *column = 1;
        } else if (((unsigned char)from->text[i] & 0xC0) != 0x80) {
            ++*column;
        }
    }
}

static int fail_at(const json_text *from, size_t offset, int code, const char *says)
{
    size_t line = 0, column = 0;
    locate(from, offset, &line, &column);
    if (code == RM_E_PARSE)
        return rm_error_set(from->err, code, "invalid JSON in %s at line %zu, column %zu: %s", from->what,
                            line, column, says);
    return rm_error_set(from->err, code, "%s at line %zu, column %zu: %s", from->what, line, column, says);
}

/* The offset of the first bracket or brace before `end` that nests too deep, or SIZE_MAX. */
static size_t find_too_deep(const char *text, size_t end)
{
    size_t depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < end; i++) {
        char c = text[i];
        if (in_string) {
            i += c == '\\';
            in_string = c != '"';
        } else if (c == '"') {
            in_string = true;
        } else if ((c == '[' || c == '{') && ++depth > RMI_JSON_MAX_NESTING) {
            return i;
        } else if ((c == ']' || c == '}') && depth > 0) {
            depth--;
        }
    }
    return SIZE_MAX;
}

static int fail_too_deep(const json_text *from, size_t end)
{
    char says[64];
    (void)snprintf(says, sizeof says, "nested deeper than %d levels", RMI_JSON_MAX_NESTING);
    return fail_at(from, find_too_deep(from->text, end), RM_E_LIMIT, says);
}

/* ---- What yyjson refuses ---- */

static bool starts_with(const json_text *from, size_t offset, const char *word)
{
    size_t length = strlen(word);
    return offset <= from->length && from->length - offset >= length &&
           memcmp(from->text + offset, word, length) == 0;
}

static void add_hint(const json_text *from, size_t offset)
{
    static const struct {
        const char *start, *hint;
    } hints[] = {
        {"NaN", "JSON has no NaN; use null"},
        {"nan", "JSON has no NaN; use null"},
        {"-Inf", "JSON has no infinity; use null or a large number"},
        {"Inf", "JSON has no infinity; use null or a large number"},
        {"inf", "JSON has no infinity; use null or a large number"},
        {"'", "strings take double quotes"},
        {"//", "JSON has no comments"},
        {"/*", "JSON has no comments"},
        {"#", "JSON has no comments"},
        {"True", "JSON writes true"},
        {"False", "JSON writes false"},
        {"None", "JSON writes null"},
    };
    for (size_t i = 0; i < sizeof hints / sizeof *hints; i++) {
        if (starts_with(from, offset, hints[i].start)) {
            rm_error_hint(from->err, "%s", hints[i].hint);
            return;
        }
    }
}

/* Writes "unexpected character" with the character, if it is printable. */
static void name_character(const json_text *from, size_t offset, const char *rest, char *says, size_t size)
{
    unsigned char c = offset < from->length ? (unsigned char)from->text[offset] : 0;
    if (c >= 0x80 && rmi_utf8_check(from->text + offset, from->length - offset) == 0)
        (void)snprintf(says, size, "byte 0x%02X is not UTF-8", c);
    else if (c > 0x20 && c < 0x7F)
        (void)snprintf(says, size, "unexpected '%c'%s", c, rest);
    else if (c < 0x80)
        (void)snprintf(says, size, "unexpected character U+%04X%s", c, rest);
    else
        (void)snprintf(says, size, "unexpected character%s", rest);
}

static int describe(const json_text *from, const yyjson_read_err *told)
{
    static const char unexpected[] = "unexpected character";
    char says[160];
    size_t offset = told->pos;
    bool surrogate = strstr(told->msg, "surrogate") != NULL;
    if (told->code == YYJSON_READ_ERROR_MEMORY_ALLOCATION)
        return rmi_out_of_memory(from->err);
    if (find_too_deep(from->text, offset) != SIZE_MAX)
        return fail_too_deep(from, offset);
    if (told->code == YYJSON_READ_ERROR_EMPTY_CONTENT)
        return rm_error_set(from->err, RM_E_PARSE, "%s is empty; expected JSON", from->what);
    if (strncmp(told->msg, unexpected, sizeof unexpected - 1) == 0 && told->msg[sizeof unexpected - 1] == ',')
        name_character(from, offset, told->msg + sizeof unexpected - 1, says, sizeof says);
    else if (surrogate)
        (void)snprintf(says, sizeof says, "a lone surrogate escape in a string");
    else
        (void)snprintf(says, sizeof says, "%s", told->msg);
    if (surrogate && !starts_with(from, offset, "\\ud") && !starts_with(from, offset, "\\uD") && offset >= 6)
        offset -= 6; /* the place of the escape without its partner */
    (void)fail_at(from, offset, RM_E_PARSE, says);
    add_hint(from, offset);
    if (told->code == YYJSON_READ_ERROR_INVALID_NUMBER && offset > 0)
        add_hint(from, offset - 1); /* "-Infinity": yyjson's place is behind the sign */
    if (surrogate)
        rm_error_hint(from->err, "characters past U+FFFF are two escapes, as in \\ud83d\\ude00");
    return RM_E_PARSE;
}

/* ---- What yyjson accepts ---- */

/* Checks a number that yyjson left as text: an integer past 64 bits, or a float past double's range. */
static int check_raw(const json_text *from, yyjson_val *raw)
{
    char says[96];
    const char *digits = yyjson_get_raw(raw);
    size_t length = yyjson_get_len(raw), offset = (size_t)(digits - from->copy);
    size_t sign = length != 0 && digits[0] == '-';
    bool is_float = false;
    for (size_t i = sign; i < length; i++)
        is_float = is_float || digits[i] < '0' || digits[i] > '9';
    if (is_float) {
        (void)snprintf(says, sizeof says, "%.40s%s is past the range of a float", digits,
                       length > 40 ? "..." : "");
        return fail_at(from, offset, RM_E_LIMIT, says);
    }
    if (length - sign > RMI_INTEGER_MAX_DIGITS) {
        (void)snprintf(says, sizeof says, "an integer has %zu digits; %d are allowed", length - sign,
                       RMI_INTEGER_MAX_DIGITS);
        return fail_at(from, offset, RM_E_LIMIT, says);
    }
    return RM_OK;
}

/* Checks all values, which lie in a row, without recursion: `ends` holds the ends of the open containers. */
static int check_values(const json_text *from, yyjson_doc *document)
{
    const yyjson_val *ends[RMI_JSON_MAX_NESTING];
    yyjson_val *value = yyjson_doc_get_root(document);
    const yyjson_val *end = unsafe_yyjson_get_next(value);
    size_t depth = 0;
    for (; value < end; value++) {
        uint8_t type = unsafe_yyjson_get_type(value);
        if (type == YYJSON_TYPE_RAW) {
            int rc = check_raw(from, value);
            if (rc != RM_OK)
                return rc;
        }
        if (type != YYJSON_TYPE_ARR && type != YYJSON_TYPE_OBJ)
            continue;
        while (depth > 0 && value >= ends[depth - 1])
            depth--;
        if (depth == RMI_JSON_MAX_NESTING)
            return fail_too_deep(from, from->length);
        ends[depth++] = unsafe_yyjson_get_next(value);
    }
    return RM_OK;
}

/* Reads `from` into *out, which lives in `memory` together with from->copy. The caller calls check_values
 * next. */
static int read_source(json_text *from, json_memory *memory, rmi_json_cuts *cuts, yyjson_doc **out)
{
    const yyjson_alc alc = {json_malloc, json_realloc, json_free, memory};
    yyjson_read_err told = {0};
    size_t size = 0;
    *out = NULL;
    if (starts_with(from, 0, "\xEF\xBB\xBF")) { /* a byte order mark is skipped */
        from->text += 3;
        from->length -= 3;
    }
    if (from->length == 0)
        return rm_error_set(from->err, RM_E_PARSE, "%s is empty; expected JSON", from->what);
    const size_t length = from->length - cuts->left_out;
    from->copy = rmi_add(length, PADDING, &size) ? json_malloc(memory, size) : NULL;
    if (from->copy == NULL)
        return rmi_out_of_memory(from->err);
    rmi_json_cuts_copy(cuts, from->text, from->length, from->copy);
    memset(from->copy + length, 0, PADDING);
    *out = yyjson_read_opts(from->copy, length, YYJSON_READ_INSITU | YYJSON_READ_BIGNUM_AS_RAW, &alc, &told);
    if (*out != NULL)
        return RM_OK;
    json_free(memory, from->copy);
    return describe(from, &told);
}

static void free_source(const json_text *from, json_memory *memory, yyjson_doc *document)
{
    yyjson_doc_free(document);
    json_free(memory, from->copy);
}

/* ---- Documents ---- */

struct rmi_json_document {
    size_t size;
    yyjson_doc *document;
    char *copy;
    json_memory memory;
    alignas(BLOCK_HEAD) unsigned char piece[];
};

int rmi_json_read(const rm_allocator *allocator, const char *text, size_t length, const char *what,
                  rmi_json_document **out, rm_error *err)
{
    enum { LARGEST_PIECE = 65536 };
    json_text from = {.text = text, .what = what, .length = length, .err = err};
    /* The text, and one value of 16 bytes for every six of it: yyjson's first request, unless it must
     * grow. */
    size_t piece = length < LARGEST_PIECE / 4 ? length + length / 6 * 16 + 256 : 0;
    rmi_json_document *document = rmi_alloc(allocator, sizeof *document + piece);
    *out = NULL;
    if (document == NULL)
        return rmi_out_of_memory(err);
    document->size = sizeof *document + piece;
    document->memory = (json_memory){.allocator = allocator, .piece = document->piece, .size = piece};
    rmi_json_cuts none = {.count = 0};
    int rc = read_source(&from, &document->memory, &none, &document->document);
    if (rc == RM_OK && (rc = check_values(&from, document->document)) != RM_OK)
        free_source(&from, &document->memory, document->document);
    document->copy = from.copy;
    if (rc == RM_OK)
        *out = document;
    else
        rmi_free(allocator, document, document->size);
    return rc;
}

yyjson_val *rmi_json_root(const rmi_json_document *document)
{
    return yyjson_doc_get_root(document->document);
}

void rmi_json_document_free(rmi_json_document *document)
{
    if (document == NULL)
        return;
    yyjson_doc_free(document->document);
    json_free(&document->memory, document->copy);
    rmi_free(document->memory.allocator, document, document->size);
}

/* ---- Values ---- */

/* Reads a text without the strings in `cuts`, if there are any. */
static int read_cut(json_memory *memory, rmi_json_target *target, json_text *from, rmi_json_cuts *cuts,
                    rm_value *out)
{
    yyjson_doc *document = NULL;
    int rc = read_source(from, memory, cuts, &document);
    if (rc != RM_OK)
        return rc;
    target->doubtful = false;
    target->cuts = cuts->count != 0 ? cuts : NULL;
    rc = rmi_json_build(target, yyjson_doc_get_root(document), "", out, from->err);
    if (rc != RM_E_OUT_OF_MEMORY && (rc != RM_OK || target->doubtful)) {
        int checked = check_values(from, document); /* its errors come first, with the place in the text */
        rc = checked != RM_OK ? checked : rc;
    }
    free_source(from, memory, document);
    if (rc != RM_OK)
        rm_value_clear(out);
    return rc;
}

static int read_value(json_memory *memory, rmi_json_target *target, const char *text, size_t length,
                      rm_value *out, rm_error *err)
{
    enum { GUESSED, FOUND, NONE } cutting = GUESSED;
    const size_t used = memory->used;
    rmi_json_cuts cuts = {.count = 0};
    int rc = RM_OK;
    *out = rm_null();
    if (rmi_json_short_number(text, length, out))
        return RM_OK;
    for (bool done = false; !done; cutting++) {
        json_text from = {.text = text, .what = "text", .length = length, .err = err};
        if (cutting != NONE)
            rc = rmi_json_cuts_find(&cuts, memory->allocator, text, length, cutting == GUESSED, err);
        const bool whole = cuts.count == 0;
        if (rc == RM_OK)
            rc = read_cut(memory, target, &from, &cuts, out);
        done = whole || rc == RM_E_OUT_OF_MEMORY || (rc == RM_OK && cuts.used == cuts.count);
        rmi_json_cuts_clear(&cuts, memory->allocator);
        if (done)
            break;
        rm_value_clear(out);
        rm_error_clear(err);
        memory->used = used;
        rc = RM_OK;
    }
    return rc;
}

int rm_json_parse(const rm_allocator *allocator, const char *text, size_t length, unsigned flags,
                  rm_value *out, rm_error *err)
{
    alignas(BLOCK_HEAD) unsigned char piece[4096];
    json_memory memory = {.allocator = allocator, .piece = piece, .size = sizeof piece};
    rmi_keys keys;
    rmi_json_target target = {.allocator = allocator, .lasting = allocator, .keys = &keys, .flags = flags};
    keys.kept = 0;
    int rc = read_value(&memory, &target, text, length, out, err);
    rmi_keys_clear(&keys);
    return rc;
}

struct rmi_json_reader {
    rmi_recycler blocks;
    rmi_json_target target;
    rmi_keys keys;
    json_memory memory;
    alignas(BLOCK_HEAD) unsigned char piece[16384];
};

int rmi_json_reader_new(const rm_allocator *allocator, unsigned flags, rmi_json_reader **out, rm_error *err)
{
    rmi_json_reader *reader = rmi_alloc(allocator, sizeof *reader);
    *out = reader;
    if (reader == NULL)
        return rmi_out_of_memory(err);
    rmi_recycler_init(&reader->blocks, allocator);
    reader->keys.kept = 0;
    reader->memory =
        (json_memory){.allocator = allocator, .piece = reader->piece, .size = sizeof reader->piece};
    reader->target = (rmi_json_target){
        .allocator = &reader->blocks.allocator, .lasting = allocator, .keys = &reader->keys, .flags = flags};
    return RM_OK;
}

int rmi_json_reader_read(rmi_json_reader *reader, const char *text, size_t length, rm_value *out,
                         rm_error *err)
{
    reader->memory.used = 0;
    return read_value(&reader->memory, &reader->target, text, length, out, err);
}

void rmi_json_reader_free(rmi_json_reader *reader)
{
    if (reader == NULL)
        return;
    rmi_keys_clear(&reader->keys);
    rmi_recycler_clear(&reader->blocks);
    rmi_free(reader->memory.allocator, reader, sizeof *reader);
}
