/* A main for fuzz targets without libFuzzer: handles each file named, and each file in a folder named, once. Prints how many
 * there were. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz/fuzz.h"

static size_t count;

static void replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    rmf_require(file != NULL && fseek(file, 0, SEEK_END) == 0, "cannot read %s", path);
    const long size = ftell(file);
    uint8_t *data = malloc(size > 0 ? (size_t)size : 1);
    rmf_require(size >= 0 && data != NULL && fseek(file, 0, SEEK_SET) == 0 &&
                    fread(data, 1, (size_t)size, file) == (size_t)size,
                "cannot read %s", path);
    (void)fclose(file);
    (void)printf("%s\n", path);
    (void)fflush(stdout); /* the last line names the input of a crash */
    (void)LLVMFuzzerTestOneInput(data, (size_t)size);
    free(data);
    count++;
}

static void replay(const char *path)
{
    struct stat status;
    rmf_require(stat(path, &status) == 0, "there is no %s", path);
    if (!S_ISDIR(status.st_mode)) {
        replay_file(path);
        return;
    }
    DIR *directory = opendir(path);
    rmf_require(directory != NULL, "cannot read %s", path);
    for (const struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
        char inner[4096];
        (void)snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.')
            replay_file(inner);
    }
    (void)closedir(directory);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        replay(argv[i]);
    (void)printf("%zu inputs\n", count);
    return 0;
}
