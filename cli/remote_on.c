#include <string.h>

#include "cli/other_servers.h"
#include "platform/platform.h"

enum { LARGEST_FILE = 1 << 20 };

/* A file that was named by an option; owned. */
typedef struct named_file {
    char *text; /* NULL: none was */
    size_t length;
} named_file;

static int read_file(const char *path, named_file *out, rm_error *err)
{
    return path != NULL ? rmi_platform_read_file(NULL, path, LARGEST_FILE, &out->text, &out->length, err)
                        : RM_OK;
}

int rmi_program_remote(const rmi_setup *setup, rm_runtime *runtime, rm_error *err)
{
    named_file token = {0}, authorities = {0};
    char line[1024] = "";
    int rc = read_file(setup->remote_token_file, &token, err);
    if (rc == RM_OK)
        rc = read_file(setup->remote_ca, &authorities, err);
    if (rc == RM_OK && token.text != NULL) {
        const size_t length = strcspn(token.text, " \t\r\n");
        if (length == 0 || length > 900)
            rc = rm_error_set(err, RM_E_VALUE, "'%s' does not begin with a token of up to 900 characters",
                              setup->remote_token_file);
        else
            memcpy(line, token.text, length);
    }
    const rm_remote_config config = {
        .size = sizeof config, .token = token.text != NULL ? line : NULL, .authorities = authorities.text};
    if (rc == RM_OK)
        rc = rm_remote_attach(runtime, &config, err);
    rm_text_free(NULL, token.text, token.length);
    rm_text_free(NULL, authorities.text, authorities.length);
    return rc;
}
