/* Files that belong to the program. */
#include <stdio.h>
#include <unistd.h>

#include "platform/platform.h"

enum { LONGEST = 4096 };

static bool is_there(const char *folder, const char *near, const char *name, char *path, size_t size)
{
    const int length = snprintf(path, size, "%s/%s%s%s", folder, near, near[0] != '\0' ? "/" : "", name);
    return length > 0 && (size_t)length < size && access(path, R_OK) == 0;
}

bool rmi_find_beside(const char *given, const char *const *near, const char *name, char *path, size_t size)
{
    bool (*const homes[])(char *buffer, size_t size) = {rmi_platform_program_directory,
                                                        rmi_platform_own_directory};
    char folder[LONGEST];
    if (given[0] != '\0')
        return is_there(given, "", name, path, size);
    for (size_t home = 0; home < sizeof homes / sizeof *homes; home++) {
        if (!homes[home](folder, sizeof folder))
            continue;
        for (const char *const *place = near; *place != NULL; place++)
            if (is_there(folder, *place, name, path, size))
                return true;
    }
    return false;
}
