#include "transport/http/http_request.h"

#include <stddef.h>
#include <string.h>

static const char *const names[] = {
#define NAME(name, text) text,
    RMI_HTTP_HEADERS(NAME)
#undef NAME
};

rmi_http_request *rmi_http_request_of(llhttp_t *parser)
{
    return (rmi_http_request *)((char *)parser - offsetof(rmi_http_request, parser));
}

void rmi_http_request_begin(rmi_http_request *request, const llhttp_settings_t *settings, void *connection)
{
    rmi_http_request_clear(request);
    *request = (rmi_http_request){0};
    rmi_text_init(&request->head, NULL);
    llhttp_init(&request->parser, HTTP_REQUEST, settings);
    request->parser.data = connection;
}

void rmi_http_request_clear(rmi_http_request *request)
{
    rmi_text_clear(&request->head);
}

/* ---- What the parser finds */

/* Counts bytes of the head; false: there are too many. */
static bool count(rmi_http_request *request, size_t length)
{
    request->head_bytes += length;
    if (request->head_bytes > RMI_HTTP_MOST_HEAD)
        request->wrong = 431;
    return request->wrong == 0;
}

int rmi_http_on_url(llhttp_t *parser, const char *data, size_t length)
{
    rmi_http_request *request = rmi_http_request_of(parser);
    rmi_text_append(&request->head, data, length);
    if (request->head.length > RMI_HTTP_LONGEST_TARGET)
        request->wrong = 414;
    return count(request, length) ? 0 : -1;
}

int rmi_http_on_header_name(llhttp_t *parser, const char *data, size_t length)
{
    rmi_http_request *request = rmi_http_request_of(parser);
    for (size_t i = 0; i < length; i++, request->name_length++)
        if (request->name_length < sizeof request->name)
            request->name[request->name_length] =
                (char)(data[i] >= 'A' && data[i] <= 'Z' ? data[i] + ('a' - 'A') : data[i]);
    return count(request, length + 4) ? 0 : -1; /* ": " and the end of the line */
}

int rmi_http_on_header_value(llhttp_t *parser, const char *data, size_t length)
{
    rmi_http_request *request = rmi_http_request_of(parser);
    if (!request->in_value) {
        rmi_text_append(&request->head, "", 1); /* ends the text before */
        request->value_start = request->head.length;
        request->in_value = true;
    }
    rmi_text_append(&request->head, data, length);
    return count(request, length) ? 0 : -1;
}

int rmi_http_on_header_end(llhttp_t *parser)
{
    rmi_http_request *request = rmi_http_request_of(parser);
    if (!request->in_value)
        (void)rmi_http_on_header_value(parser, "", 0);
    request->in_value = false;
    for (size_t i = 0; i < RMI_HTTP_HEADER_COUNT; i++) {
        const bool is_it = strlen(names[i]) == request->name_length &&
                           memcmp(names[i], request->name, request->name_length) == 0;
        if (is_it && request->values[i] != 0 && i != RMI_HTTP_ACCEPT)
            request->wrong = 400; /* which of two hosts or tokens would count? */
        if (is_it)
            request->values[i] = request->value_start;
    }
    request->name_length = 0;
    return request->wrong == 0 ? 0 : -1;
}

/* ---- What it says */

const char *rmi_http_target(const rmi_http_request *request)
{
    return request->head.data != NULL ? request->head.data : "";
}

const char *rmi_http_value(const rmi_http_request *request, rmi_http_header header)
{
    return request->values[header] != 0 ? request->head.data + request->values[header] : NULL;
}

static int hex(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *found = c == '\0' ? NULL : strchr(digits, c >= 'A' && c <= 'F' ? c + ('a' - 'A') : c);
    return found != NULL ? (int)(found - digits) : -1;
}

bool rmi_http_path(const rmi_http_request *request, char *path, size_t size)
{
    size_t length = 0;
    for (const char *at = rmi_http_target(request); *at != '\0' && *at != '?' && *at != '#'; at++) {
        int c = (unsigned char)*at;
        if (c == '%') {
            const int high = hex(at[1]), low = high < 0 ? -1 : hex(at[2]);
            c = low < 0 ? 0 : high * 16 + low;
            at += low < 0 ? 0 : 2;
        }
        if (c == 0 || length + 1 >= size)
            return false;
        path[length++] = (char)c;
    }
    path[length] = '\0';
    return rmi_utf8_check(path, length) == length;
}

bool rmi_http_query_has(const rmi_http_request *request, const char *pair)
{
    const char *at = strchr(rmi_http_target(request), '?');
    const size_t length = strlen(pair);
    while (at != NULL) {
        at++;
        if (strncmp(at, pair, length) == 0 && strchr("&#", at[length]) != NULL)
            return true;
        at = strchr(at, '&');
    }
    return false;
}

bool rmi_http_same_word(const char *a, const char *b, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        const char x = (char)(a[i] >= 'A' && a[i] <= 'Z' ? a[i] + ('a' - 'A') : a[i]);
        const char y = (char)(b[i] >= 'A' && b[i] <= 'Z' ? b[i] + ('a' - 'A') : b[i]);
        if (x != y)
            return false;
    }
    return true;
}

bool rmi_http_list_has(const char *list, const char *word)
{
    const size_t wanted = strlen(word);
    while (list != NULL && *list != '\0') {
        list += strspn(list, " \t,");
        const size_t length = strcspn(list, " \t,;");
        if (length == wanted && rmi_http_same_word(list, word, length))
            return true;
        list += strcspn(list, ",");
    }
    return false;
}
