#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "transport/http/websocket.h"

static const struct {
    const char *name;
    rm_dtype dtype;
} formats[] = {{"f32", RM_FLOAT32}, {"i16", RM_INT16}, {"i32", RM_INT32}};

enum { FORMATS = sizeof formats / sizeof *formats };

const char *rmi_ws_format_name(rm_dtype dtype)
{
    for (size_t i = 0; i < FORMATS; i++)
        if (formats[i].dtype == dtype)
            return formats[i].name;
    return NULL;
}

void rmi_ws_put_head(rmi_text *out, rmi_ws_kind kind, size_t length)
{
    unsigned char head[10] = {(unsigned char)(0x80u | (unsigned)kind)};
    size_t size = 2;
    if (length < 126) {
        head[1] = (unsigned char)length;
    } else {
        const size_t bytes = length < 1 << 16 ? 2 : 8;
        head[1] = bytes == 2 ? 126 : 127;
        for (size_t i = 0; i < bytes; i++)
            head[2 + i] = (unsigned char)((uint64_t)length >> (8 * (bytes - 1 - i)));
        size += bytes;
    }
    rmi_text_append(out, (const char *)head, size);
}

bool rmi_ws_put_accept(rmi_text *out, const char *key)
{
    static const char fixed[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; /* of RFC 6455 */
    unsigned char digest[EVP_MAX_MD_SIZE], text[2 * EVP_MAX_MD_SIZE];
    char joined[128];
    unsigned length = 0;
    const int size = snprintf(joined, sizeof joined, "%s%s", key, fixed);
    if (size < 0 || (size_t)size >= sizeof joined ||
        EVP_Digest(joined, (size_t)size, digest, &length, EVP_sha1(), NULL) != 1)
        return false;
    (void)EVP_EncodeBlock(text, digest, (int)length);
    rmi_text_append_c(out, (const char *)text);
    return true;
}

static int read_number(rm_value value, const char *name, int32_t most, int32_t *out, rm_error *err)
{
    if (value.kind != RM_INT || value.i < 1 || value.i > most)
        return rm_error_set(err, RM_E_VALUE, "\"%s\" must be an integer from 1 to %d", name, (int)most);
    *out = (int32_t)value.i;
    return RM_OK;
}

static int read_format(rm_value value, rm_dtype *out, rm_error *err)
{
    const char *text = rm_string_text(value, NULL);
    for (size_t i = 0; text != NULL && i < FORMATS; i++)
        if (strcmp(formats[i].name, text) == 0) {
            *out = formats[i].dtype;
            return RM_OK;
        }
    return rm_error_set(err, RM_E_VALUE, "\"format\" is \"f32\", \"i16\" or \"i32\"");
}

static int read_source(rm_value value, char *out, size_t size, rm_error *err)
{
    size_t length = 0;
    const char *text = rm_string_text(value, &length);
    if (text == NULL || length == 0 || length >= size || strlen(text) != length)
        return rm_error_set(err, RM_E_VALUE, "\"source\" is the id of a node");
    memcpy(out, text, length + 1);
    return RM_OK;
}

static int read_member(const char *name, rm_value value, rmi_ws_greeting *out, rm_error *err)
{
    if (strcmp(name, "sample_rate") == 0)
        return read_number(value, name, INT32_MAX, &out->sample_rate, err);
    if (strcmp(name, "channels") == 0)
        return read_number(value, name, 255, &out->channels, err);
    if (strcmp(name, "format") == 0)
        return read_format(value, &out->format, err);
    if (strcmp(name, "source") == 0)
        return read_source(value, out->source, sizeof out->source, err);
    return rm_error_set(
        err, RM_E_UNKNOWN_FIELD,
        "'%.100s' is no member of the first message; it has sample_rate, channels, format, source", name);
}

int rmi_ws_read_greeting(const char *text, size_t length, rmi_ws_greeting *out, rm_error *err)
{
    rm_value whole = rm_null(), key, value;
    *out = (rmi_ws_greeting){.format = RM_FLOAT32};
    int rc = rm_json_parse(NULL, text, length, RM_JSON_RAW, &whole, err);
    if (rc == RM_OK && whole.kind != RM_MAP)
        rc = rm_error_set(
            err, RM_E_TYPE,
            "the first message is a JSON object, such as {\"sample_rate\": 16000, \"channels\": 1, \"format\": \"f32\"} or {}");
    for (size_t i = 0; rc == RM_OK && rm_map_at(whole, i, &key, &value); i++)
        rc = read_member(rm_string_text(key, NULL), value, out, err);
    if (rc == RM_OK && out->sample_rate == 0 && (out->channels != 0 || rm_map_get(whole, "format", 6, NULL)))
        rc = rm_error_set(err, RM_E_MISSING_FIELD, "\"sample_rate\" is missing");
    if (out->channels == 0)
        out->channels = 1;
    rm_value_clear(&whole);
    return rc;
}
