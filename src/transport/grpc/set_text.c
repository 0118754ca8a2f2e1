#include <string.h>

#include "transport/grpc/messages.h"

bool rmi_set_text(char **field, const char *text)
{
    char *copy = strdup(text);
    if (copy !=
        NULL) /* a text that nobody has set is a constant of protobuf-c's, which its free functions know */
        *field = copy;
    return copy != NULL;
}
