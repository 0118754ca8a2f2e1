/* Child processes, for a program that ends without them. */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "platform/platform.h"

/* The parent and the group of a process, from its line in /proc: "number (name) state parent group ...". */
static bool is_ours(const char *number)
{
    char path[64], line[512];
    (void)snprintf(path, sizeof path, "/proc/%.16s/stat", number);
    const int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return false;
    const ssize_t length = read(descriptor, line, sizeof line - 1);
    (void)close(descriptor);
    line[length > 0 ? length : 0] = '\0';
    const char *after = strrchr(line, ')'); /* a name may have any characters */
    if (after == NULL || strlen(after) < sizeof ") S ")
        return false;
    char *rest = NULL;
    return strtol(after + sizeof ") S", &rest, 10) == getpid() && strtol(rest, NULL, 10) == getpgrp();
}

void rmi_platform_end_children(void)
{
    DIR *processes = opendir("/proc");
    const struct dirent *entry;
    while (processes != NULL && (entry = readdir(processes)) != NULL)
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' && is_ours(entry->d_name))
            (void)kill((pid_t)strtol(entry->d_name, NULL, 10), SIGTERM);
    if (processes != NULL)
        (void)closedir(processes);
}
