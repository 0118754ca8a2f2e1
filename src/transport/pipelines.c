#include "transport/pipelines.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/text.h"

enum { LONGEST_PATH = 4096 };

typedef struct entry {
    char *name;            /* owned */
    rm_manifest *manifest; /* owned */
} entry;

struct rmi_pipelines {
    const rm_allocator *allocator;
    entry *entries; /* sorted by name */
    size_t count, capacity;
};

void rmi_pipelines_free(rmi_pipelines *pipelines)
{
    if (pipelines == NULL)
        return;
    for (size_t i = 0; i < pipelines->count; i++) {
        rmi_free_text(pipelines->allocator, pipelines->entries[i].name);
        rm_manifest_free(pipelines->entries[i].manifest);
    }
    rmi_free(pipelines->allocator, pipelines->entries, pipelines->capacity * sizeof *pipelines->entries);
    rmi_free(pipelines->allocator, pipelines, sizeof *pipelines);
}

static bool is_manifest(const char *name)
{
    const size_t length = strlen(name);
    return name[0] != '.' && length > 5 && strcmp(name + length - 5, ".json") == 0;
}

/* Puts the file before the message, where the cause does not say it. */
static int name_file(const char *path, int rc, rm_error *err)
{
    char message[sizeof err->message];
    if (err == NULL || strstr(err->message, path) != NULL)
        return rc;
    (void)snprintf(message, sizeof message, "%s", err->message);
    (void)snprintf(err->message, sizeof err->message, "%.200s: %.300s", path, message);
    return rc;
}

static int add(rmi_pipelines *pipelines, rm_runtime *runtime, const char *folder, const char *file,
               rm_error *err)
{
    char path[LONGEST_PATH];
    entry made = {0};
    struct stat info;
    if (snprintf(path, sizeof path, "%s/%s", folder, file) >= LONGEST_PATH)
        return rm_error_set(err, RM_E_VALUE, "the path of '%s' in '%.100s' is too long", file, folder);
    if (rmi_utf8_check(file, strlen(file)) != strlen(file))
        return rm_error_set(err, RM_E_VALUE, "a file in '%.100s' has a name that is not UTF-8, so no client could name it",
                            folder);
    if (stat(path, &info) != 0)
        return rm_error_set(err, RM_E_IO, "cannot look at '%.300s': %s", path, strerror(errno));
    if (!S_ISREG(info.st_mode)) /* reading a pipe would wait */
        return rm_error_set(err, RM_E_VALUE, "'%.300s' is no regular file; the manifests of a folder are", path);
    int rc = rmi_grow(pipelines->allocator, (void **)&pipelines->entries, &pipelines->capacity,
                      pipelines->count + 1, sizeof *pipelines->entries, err);
    if (rc == RM_OK) {
        rc = rm_manifest_load(runtime, path, &made.manifest, err);
        if (rc == RM_OK)
            rc = rm_manifest_validate(made.manifest, err);
        if (rc != RM_OK)
            rc = name_file(path, rc, err);
    }
    if (rc == RM_OK) {
        path[strlen(path) - 5] = '\0';
        made.name = rmi_copy_text(pipelines->allocator, strrchr(path, '/') + 1);
        rc = made.name != NULL ? RM_OK : rmi_out_of_memory(err);
    }
    if (rc == RM_OK)
        pipelines->entries[pipelines->count++] = made;
    else
        rm_manifest_free(made.manifest);
    return rc;
}

static int compare(const void *a, const void *b)
{
    return strcmp(((const entry *)a)->name, ((const entry *)b)->name);
}

static int add_all(rmi_pipelines *pipelines, rm_runtime *runtime, const char *folder, rm_error *err)
{
    DIR *listed = opendir(folder);
    int rc = RM_OK;
    if (listed == NULL)
        return rm_error_set(err, errno == ENOENT ? RM_E_NOT_FOUND : RM_E_IO,
                            "cannot read the folder '%s': %s", folder, strerror(errno));
    for (const struct dirent *found; rc == RM_OK && (found = readdir(listed)) != NULL;)
        if (is_manifest(found->d_name))
            rc = add(pipelines, runtime, folder, found->d_name, err);
    (void)closedir(listed);
    if (rc == RM_OK && pipelines->count > 1)
        qsort(pipelines->entries, pipelines->count, sizeof *pipelines->entries, compare);
    return rc;
}

int rmi_pipelines_load(rm_runtime *runtime, const char *folder, rmi_pipelines **out, rm_error *err)
{
    const rm_allocator *allocator = rm_runtime_allocator(runtime);
    rmi_pipelines *pipelines = rmi_alloc_zeroed(allocator, sizeof *pipelines);
    *out = pipelines;
    if (pipelines == NULL)
        return rmi_out_of_memory(err);
    pipelines->allocator = allocator;
    const int rc = add_all(pipelines, runtime, folder, err);
    if (rc != RM_OK) {
        rmi_pipelines_free(pipelines);
        *out = NULL;
    }
    return rc;
}

size_t rmi_pipelines_count(const rmi_pipelines *pipelines)
{
    return pipelines != NULL ? pipelines->count : 0;
}

const char *rmi_pipelines_name(const rmi_pipelines *pipelines, size_t index)
{
    return pipelines->entries[index].name;
}

rm_manifest *rmi_pipelines_manifest(const rmi_pipelines *pipelines, size_t index)
{
    return pipelines->entries[index].manifest;
}

size_t rmi_pipelines_find(const rmi_pipelines *pipelines, const char *name)
{
    for (size_t i = 0; i < rmi_pipelines_count(pipelines); i++)
        if (strcmp(pipelines->entries[i].name, name) == 0)
            return i;
    return SIZE_MAX;
}
