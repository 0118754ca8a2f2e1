#include "tests/support/wasi_guest.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/heap.h"

void rmt_guest_init(rmt_guest *guest, const rmi_wasi_config *config)
{
    rm_error err = {0};
    *guest = (rmt_guest){.memory = calloc(1, RMT_GUEST_MEMORY), .used = 64};
    assert_non_null(guest->memory);
    if (rmi_wasi_new(config, &guest->wasi, &err) != RM_OK)
        fail_msg("%s", err.message);
}

void rmt_guest_needs_directories(void)
{
    const rm_sandbox_grant root = {"/", "/", false, false};
    rmi_wasi *wasi = NULL;
    rm_error err = {0};
    int rc = rmi_wasi_new(&(rmi_wasi_config){.grants = &root, .grant_count = 1, .input = -1}, &wasi, &err);
    rmi_wasi_free(wasi);
    if (rc == RM_E_MISSING_FEATURE) {
        print_message("skipped: %s\n", err.message);
        skip();
    }
}

void rmt_guest_clear(rmt_guest *guest)
{
    rmi_wasi_free(guest->wasi);
    free(guest->memory);
}

static int call_import(rmt_guest *guest, const rmi_import *import, const rmi_slot *slots)
{
    rmi_guest_memory memory = {.data = guest->memory, .size = RMT_GUEST_MEMORY};
    rmi_slot result = {.i32 = 12345};
    int ended = import->call(guest->wasi, memory, slots, &result);
    return ended != 0 ? RMT_ENDED : result.i32;
}

static const rmi_import *find(const char *name)
{
    for (const rmi_import *import = rmi_wasi_imports; import->name != NULL; import++)
        if (strcmp(import->name, name) == 0)
            return import;
    fail_msg("no import %s", name);
    return NULL;
}

int rmt_guest_call(rmt_guest *guest, const char *name, const uint64_t *args)
{
    const rmi_import *import = find(name);
    rmi_slot slots[16] = {0};
    for (size_t i = 0; i < strcspn(import->signature, ":"); i++)
        slots[i].u64 = args[i];
    return call_import(guest, import, slots);
}

int rmt_guest_call_with_all(rmt_guest *guest, const rmi_import *import, uint64_t value)
{
    rmi_slot slots[16];
    for (size_t i = 0; i < 16; i++)
        slots[i].u64 = value;
    return call_import(guest, import, slots);
}

uint32_t rmt_guest_put(rmt_guest *guest, const void *data, size_t size)
{
    if (guest->used + size + 8 > RMT_GUEST_MEMORY) /* older data has been used */
        guest->used = 64;
    uint32_t at = guest->used;
    memcpy(guest->memory + at, data, size);
    guest->used += (uint32_t)((size + 7) & ~(size_t)7);
    return at;
}

uint32_t rmt_guest_get32(const rmt_guest *guest, uint32_t address)
{
    uint32_t value = 0;
    memcpy(&value, guest->memory + address, sizeof value);
    return value;
}

uint64_t rmt_guest_get64(const rmt_guest *guest, uint32_t address)
{
    uint64_t value = 0;
    memcpy(&value, guest->memory + address, sizeof value);
    return value;
}

static uint32_t put_text(rmt_guest *guest, const char *text)
{
    return rmt_guest_put(guest, text, strlen(text));
}

static uint32_t room(rmt_guest *guest, size_t size)
{
    static const char zeros[4096];
    assert_true(size <= sizeof zeros);
    return rmt_guest_put(guest, zeros, size);
}

int rmt_guest_open(rmt_guest *guest, uint32_t directory, const char *path, unsigned how, uint64_t rights)
{
    uint32_t at = put_text(guest, path), out = room(guest, 4);
    int error =
        RMT_GUEST_CALL(guest, "path_open", directory, 1, at, strlen(path), how, rights, rights, 0, out);
    return error != 0 ? -error : (int)rmt_guest_get32(guest, out);
}

int rmt_guest_write(rmt_guest *guest, uint32_t fd, const char *text)
{
    const uint32_t vector[] = {put_text(guest, text), (uint32_t)strlen(text)};
    uint32_t at = rmt_guest_put(guest, vector, sizeof vector), out = room(guest, 4);
    int error = RMT_GUEST_CALL(guest, "fd_write", fd, at, 1, out);
    return error == RMT_ENDED ? error : error != 0 ? -error - 1000 : (int)rmt_guest_get32(guest, out);
}

int rmt_guest_read(rmt_guest *guest, uint32_t fd, char *out, size_t size)
{
    const uint32_t vector[] = {room(guest, size), (uint32_t)size};
    uint32_t at = rmt_guest_put(guest, vector, sizeof vector), count = room(guest, 4);
    int error = RMT_GUEST_CALL(guest, "fd_read", fd, at, 1, count);
    if (error != 0)
        return error == RMT_ENDED ? error : -error - 1000;
    memcpy(out, guest->memory + vector[0], rmt_guest_get32(guest, count));
    return (int)rmt_guest_get32(guest, count);
}

int rmt_guest_path(rmt_guest *guest, const char *name, uint32_t directory, const char *path)
{
    return RMT_GUEST_CALL(guest, name, directory, put_text(guest, path), strlen(path));
}

int rmt_guest_rename(rmt_guest *guest, uint32_t directory, const char *from, const char *to)
{
    uint32_t first = put_text(guest, from), second = put_text(guest, to);
    return RMT_GUEST_CALL(guest, "path_rename", directory, first, strlen(from), directory, second,
                          strlen(to));
}

int rmt_guest_link(rmt_guest *guest, uint32_t from_directory, const char *from, uint32_t directory,
                   const char *to)
{
    uint32_t first = put_text(guest, from), second = put_text(guest, to);
    return RMT_GUEST_CALL(guest, "path_link", from_directory, 0, first, strlen(from), directory, second,
                          strlen(to));
}

int rmt_guest_symlink(rmt_guest *guest, const char *target, uint32_t directory, const char *path)
{
    uint32_t first = put_text(guest, target), second = put_text(guest, path);
    return RMT_GUEST_CALL(guest, "path_symlink", first, strlen(target), directory, second, strlen(path));
}

int rmt_guest_stat(rmt_guest *guest, uint32_t directory, const char *path, bool follow, int *type,
                   uint64_t *size)
{
    uint32_t at = put_text(guest, path), out = room(guest, WASI_FILESTAT_SIZE);
    int error = RMT_GUEST_CALL(guest, "path_filestat_get", directory, follow, at, strlen(path), out);
    *type = guest->memory[out + 16];
    *size = rmt_guest_get64(guest, out + 32);
    return error;
}

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

int rmt_guest_list(rmt_guest *guest, uint32_t fd, uint32_t size, char *out, size_t out_size)
{
    char names[64][32];
    size_t count = 0;
    uint64_t cookie = 0;
    uint32_t at = room(guest, size), used_at = room(guest, 4), used = size;
    while (used == size) {
        int error = RMT_GUEST_CALL(guest, "fd_readdir", fd, at, size, cookie, used_at);
        if (error != 0)
            return error;
        used = rmt_guest_get32(guest, used_at);
        for (uint32_t i = 0; used - i >= WASI_DIRENT_SIZE;) {
            uint32_t length = rmt_guest_get32(guest, at + i + 16);
            if (used - i - WASI_DIRENT_SIZE < length)
                break;
            cookie = rmt_guest_get64(guest, at + i);
            assert_true(count < 64);
            assert_true(length < sizeof names[0]);
            memcpy(names[count], guest->memory + at + i + WASI_DIRENT_SIZE, length);
            names[count][length] = '\0';
            count += strcmp(names[count], ".") != 0 && strcmp(names[count], "..") != 0;
            i += WASI_DIRENT_SIZE + length;
        }
    }
    qsort(names, count, sizeof names[0], compare);
    out[0] = '\0';
    for (size_t i = 0, length = 0; i < count; i++)
        length += (size_t)snprintf(out + length, out_size - length, "%s%s", i == 0 ? "" : " ", names[i]);
    return 0;
}

int rmt_open_descriptors(void)
{
    DIR *directory = opendir("/proc/self/fd");
    int count = 0;
    assert_non_null(directory);
    while (readdir(directory) != NULL)
        count++;
    (void)closedir(directory);
    return count;
}

/* ---- Files of the host */

void rmt_files_path(const rmt_files *files, const char *name, char path[128])
{
    (void)snprintf(path, 128, "%s/%s", files->directory, name);
}

void rmt_files_add(const rmt_files *files, const char *name, const char *text)
{
    char path[128];
    rmt_files_path(files, name, path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

bool rmt_files_is(const rmt_files *files, const char *name, const char *text)
{
    char path[128], content[64] = {0};
    rmt_files_path(files, name, path);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return text == NULL;
    size_t length = fread(content, 1, sizeof content - 1, file);
    (void)fclose(file);
    return text != NULL && strlen(text) == length && memcmp(content, text, length) == 0;
}

void rmt_directory_make(char path[64])
{
    rmt_guest_needs_directories();
    (void)snprintf(path, 64, "/tmp/wasi-test-XXXXXX");
    assert_non_null(mkdtemp(path));
}

void rmt_directory_remove(const char *path)
{
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf %s", path);
    assert_int_equal(system(command), 0);
}

void rmt_files_make(rmt_files *files)
{
    static const char *const links[][2] = {{"to_passwd", "/etc/passwd"},
                                           {"to_secret", "../secret"},
                                           {"to_up", ".."},
                                           {"to_a", "a.txt"},
                                           {"to_itself", "to_itself"},
                                           {"to_proc", "/proc/self/root"},
                                           {"to_nothing", "nothing"},
                                           {"to_new_outside", "../new"}};
    char path[128];
    rmt_directory_make(files->directory);
    files->descriptors = rmt_open_descriptors();
    rmt_files_path(files, "in", path);
    assert_int_equal(mkdir(path, 0777), 0);
    rmt_files_path(files, "in/sub", path);
    assert_int_equal(mkdir(path, 0777), 0);
    rmt_files_add(files, "secret", "secret");
    rmt_files_add(files, "out.json", "old");
    rmt_files_add(files, "in/a.txt", "hello");
    rmt_files_add(files, "in/sub/b.txt", "below");
    rmt_files_path(files, "in/fifo", path);
    assert_int_equal(mkfifo(path, 0666), 0);
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "in/%s", links[i][0]);
        rmt_files_path(files, name, path);
        assert_int_equal(symlink(links[i][1], path), 0);
    }
    rmt_files_path(files, "in/sub/up", path);
    assert_int_equal(symlink("../../secret", path), 0);
}

void rmt_files_clear(const rmt_files *files)
{
    assert_int_equal(rmt_open_descriptors(), files->descriptors);
    rmt_directory_remove(files->directory);
}

void rmt_files_grant(rmt_guest *guest, const rmt_files *files, const rm_sandbox_grant *grants, size_t count)
{
    char hosts[4][128];
    rm_sandbox_grant made[4];
    assert_true(count <= 4);
    for (size_t i = 0; i < count; i++) {
        made[i] = grants[i];
        if (grants[i].path[0] != '/') {
            rmt_files_path(files, grants[i].path, hosts[i]);
            made[i].path = hosts[i];
        }
    }
    rmt_guest_init(guest, &(rmi_wasi_config){.grants = made,
                                             .grant_count = count,
                                             .input = -1,
                                             .output = {.descriptor = -1},
                                             .errors = {.descriptor = -1}});
}

int rmt_guest_read_path(rmt_guest *guest, uint32_t directory, const char *path, char *out, size_t size)
{
    memset(out, 0, size);
    int fd = rmt_guest_open(guest, directory, path, 0, WASI_RIGHT_FD_READ);
    if (fd < 0)
        return fd;
    int length = rmt_guest_read(guest, (uint32_t)fd, out, size - 1);
    assert_int_equal(RMT_GUEST_CALL(guest, "fd_close", (uint32_t)fd), 0);
    return length;
}
