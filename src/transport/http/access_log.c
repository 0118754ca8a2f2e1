#include "transport/http/access_log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/text.h"

struct rmi_access_log {
    int descriptor;
};

int rmi_access_log_open(const char *path, rmi_access_log **out, rm_error *err)
{
    rmi_access_log *log = calloc(1, sizeof *log);
    *out = log;
    if (log == NULL)
        return rmi_out_of_memory(err);
    log->descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (log->descriptor >= 0)
        return RM_OK;
    const int rc = rm_error_set(err, RM_E_IO, "cannot write the access log '%s': %s", path, strerror(errno));
    free(log);
    *out = NULL;
    return rc;
}

void rmi_access_log_close(rmi_access_log *log)
{
    if (log != NULL)
        (void)close(log->descriptor);
    free(log);
}

/* A text of a client, with everything but plain ASCII as \u00XX. */
static void put_text(rmi_text *text, const char *name, const char *value)
{
    rmi_text_printf(text, ",\"%s\":\"", name);
    for (; *value != '\0'; value++) {
        const unsigned char c = (unsigned char)*value;
        if (c < ' ' || c > '~' || c == '"' || c == '\\')
            rmi_text_printf(text, "\\u%04x", c);
        else
            rmi_text_append(text, value, 1);
    }
    rmi_text_append(text, "\"", 1);
}

static void put_time(rmi_text *text)
{
    struct timespec now = {0};
    struct tm t = {0};
    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)gmtime_r(&now.tv_sec, &t);
    rmi_text_printf(text, "{\"time\":\"%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ\"", t.tm_year + 1900,
                    t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec, now.tv_nsec / 1000000);
}

/* One write of a file that is opened to append is not mixed with others. A part of a line that a full disk has let in is
 * cut off again, so that the next line is whole. */
static bool write_line(const rmi_access_log *log, const rmi_text *text)
{
    struct stat before;
    const bool known = fstat(log->descriptor, &before) == 0;
    const ssize_t written = write(log->descriptor, text->data, text->length);
    if (written > 0 && (size_t)written < text->length && known && S_ISREG(before.st_mode) &&
        ftruncate(log->descriptor, before.st_size) != 0)
        return false;
    return written == (ssize_t)text->length;
}

bool rmi_access_log_put(rmi_access_log *log, const rmi_access_line *line)
{
    rmi_text text;
    rmi_text_init(&text, NULL);
    put_time(&text);
    put_text(&text, "protocol", line->protocol);
    put_text(&text, "client", line->client);
    put_text(&text, "method", line->method);
    put_text(&text, "target", line->target);
    rmi_text_printf(&text, ",\"status\":%d,\"bytes_in\":%" PRIu64 ",\"bytes_out\":%" PRIu64 ",\"ms\":%.3f}\n",
                    line->status, line->bytes_in, line->bytes_out, (double)line->ns / 1e6);
    const bool good = !text.failed && write_line(log, &text);
    rmi_text_clear(&text);
    return good;
}
