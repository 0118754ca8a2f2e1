/* Errors about a guest, and errors that a guest reports. */
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

/* The string under a key, borrowed; NULL: there is none. */
static const char *text_of(rm_value document, const char *key)
{
    rm_value value = rm_null();
    const bool found = rm_map_get(document, key, strlen(key), &value) && value.kind == RM_STRING;
    return found ? rm_string_text(value, NULL) : NULL;
}

int rmi_guest_error(rm_value document, int code, bool may_stop, rm_error *err)
{
    rm_value value = rm_null(), detail = rm_null();
    const int named = rmi_code_named(text_of(document, "code"));
    code = named != RM_OK ? named : code;
    if (code >= 0 || strcmp(rm_code_name(code), "unknown") == 0)
        code = RM_E_VALUE;
    if ((code == RM_E_CANCELLED || code == RM_E_TIMEOUT) && !may_stop) /* only the host cancels */
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
    if (rm_map_get(document, "detail", 6, &value) && value.kind == RM_STRING)
        detail = rm_value_retain(value);
    rmi_error_keep(err, rmi_traceback_of(document), detail);
    err->no_memory = rm_map_get(document, "no_memory", 9, &value) && value.kind == RM_BOOL && value.b;
    return code;
}
