/* What is wrong with a guest, and what guests say is wrong. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "data/value.h"
#include "sandbox/guest.h"

int rmi_guest_broken(rm_error *err, const char *format, ...)
{
    char text[384];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return rm_error_set(err, RM_E_VALUE, "the module breaks the node interface: %s", text);
}

int rmi_guest_read(int rc, const char *where, rm_error *err)
{
    if (rc == RM_OK || rc == RM_E_OUT_OF_MEMORY || err == NULL)
        return rc;
    char said[256];
    (void)snprintf(said, sizeof said, "%.250s", err->message);
    (void)rmi_guest_broken(err, "in its %s, %s", where, said);
    return err->code = rc;
}

/* ---- Errors that guests describe */

/* The string under a key; NULL: there is none. Borrowed. */
static const char *text_of(rm_value document, const char *key)
{
    rm_value value = rm_null();
    const bool found = rm_map_get(document, key, strlen(key), &value) && value.kind == RM_STRING;
    return found ? rm_string_text(value, NULL) : NULL;
}

/* Whether it can be told as it is: maps of texts and numbers. */
static bool is_traceback(rm_value frames)
{
    if (frames.kind != RM_LIST)
        return false;
    for (size_t i = 0; i < rm_list_length(frames); i++) {
        const rm_value frame = rm_list_get(frames, i);
        if (frame.kind != RM_MAP)
            return false;
        for (size_t k = 0; k < rm_map_length(frame); k++) {
            rm_value key = rm_null(), value = rm_null();
            (void)rm_map_at(frame, k, &key, &value);
            if (value.kind != RM_STRING && value.kind != RM_INT)
                return false;
        }
    }
    return true;
}

static int code_named(rm_value document, int code)
{
    const char *name = text_of(document, "code");
    for (int known = -1; name != NULL && strcmp(rm_code_name(known), "unknown") != 0; known--)
        if (strcmp(rm_code_name(known), name) == 0)
            code = known;
    const bool is_known = code < 0 && strcmp(rm_code_name(code), "unknown") != 0;
    return is_known ? code : RM_E_VALUE;
}

int rmi_guest_error(rm_value document, int code, bool may_stop, rm_error *err)
{
    rm_value value = rm_null(), traceback = rm_null(), detail = rm_null();
    code = code_named(document, code);
    if ((code == RM_E_CANCELLED || code == RM_E_TIMEOUT) && !may_stop) /* those are the host's to tell */
        code = RM_E_VALUE;
    if (err == NULL)
        return code;
    const char *message = text_of(document, "message"), *hint = text_of(document, "hint"),
               *pointer = text_of(document, "pointer");
    if (message != NULL)
        (void)rm_error_set(err, code, "%s", message);
    else
        (void)rm_error_set(err, code, "the code in the sandbox failed (%s) without saying why",
                           rm_code_name(code));
    if (hint != NULL)
        rm_error_hint(err, "%s", hint);
    if (pointer != NULL)
        rm_error_pointer(err, "%s", pointer);
    if (rm_map_get(document, "traceback", 9, &value) && is_traceback(value))
        traceback = rm_value_retain(value);
    if (rm_map_get(document, "detail", 6, &value) && value.kind == RM_STRING)
        detail = rm_value_retain(value);
    rmi_error_keep(err, traceback, detail);
    err->no_memory = rm_map_get(document, "no_memory", 9, &value) && value.kind == RM_BOOL && value.b;
    return code;
}
