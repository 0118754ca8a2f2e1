/* WASI for a guest: descriptors, input and output, waiting, clocks, and calls of a hostile guest. Paths are
 * in wasi_path_test.c. */
#include "tests/support/wasi_guest.h"

#include <string.h>

static const rmi_wasi_config nothing = {
    .input = -1, .output = {.descriptor = -1}, .errors = {.descriptor = -1}};

static const uint64_t RIGHTS_READ = WASI_RIGHT_FD_READ | WASI_RIGHT_FD_SEEK | WASI_RIGHT_FD_TELL;

/* ---- What a guest gets without being granted anything ---- */

static void nothing_is_there_by_default(void **unused)
{
    (void)unused;
    rmt_guest guest;
    char byte = 0;
    rmt_guest_init(&guest, &nothing);
    assert_int_equal(RMT_GUEST_CALL(&guest, "environ_sizes_get", 0, 4), 0);
    assert_int_equal(rmt_guest_get32(&guest, 0), 0);
    assert_int_equal(rmt_guest_get32(&guest, 4), 0);
    assert_int_equal(RMT_GUEST_CALL(&guest, "args_sizes_get", 0, 4), 0);
    assert_int_equal(rmt_guest_get32(&guest, 0), 0);
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_prestat_get", 3, 0), WASI_EBADF);
    assert_int_equal(rmt_guest_open(&guest, 3, "etc/passwd", 0, RIGHTS_READ), -WASI_EBADF);
    assert_int_equal(rmt_guest_open(&guest, 0, "etc/passwd", 0, RIGHTS_READ), -WASI_ENOTDIR);
    assert_int_equal(rmt_guest_read(&guest, 0, &byte, 1), 0);
    assert_int_equal(rmt_guest_write(&guest, 1, "dropped"), 7);
    assert_int_equal(rmt_guest_read(&guest, 1, &byte, 1), -WASI_EBADF - 1000);
    assert_int_equal(rmt_guest_write(&guest, 0, "x"), -WASI_EBADF - 1000);
    assert_int_equal(RMT_GUEST_CALL(&guest, "sock_shutdown", 1, 0), WASI_ENOTSOCK);
    assert_int_equal(RMT_GUEST_CALL(&guest, "sock_shutdown", 9, 0), WASI_EBADF);
    assert_int_equal(RMT_GUEST_CALL(&guest, "proc_raise", 9), WASI_ENOSYS);
    assert_int_equal(RMT_GUEST_CALL(&guest, "sched_yield", 0), 0);
    rmt_guest_clear(&guest);
}

static void arguments_and_environment_are_copied(void **unused)
{
    (void)unused;
    rmt_guest guest;
    char program[] = "program";
    const char *args[] = {program, "", "two words", NULL}, *env[] = {"A=1", NULL};
    rmi_wasi_config config = nothing;
    config.args = args;
    config.env = env;
    rmt_guest_init(&guest, &config);
    memset(program, '#', sizeof program - 1);
    assert_int_equal(RMT_GUEST_CALL(&guest, "args_sizes_get", 0, 4), 0);
    assert_int_equal(rmt_guest_get32(&guest, 0), 3);
    assert_int_equal(rmt_guest_get32(&guest, 4), 19);
    assert_int_equal(RMT_GUEST_CALL(&guest, "args_get", 9, 101), 0); /* not aligned */
    assert_string_equal((char *)guest.memory + rmt_guest_get32(&guest, 9), "program");
    assert_string_equal((char *)guest.memory + rmt_guest_get32(&guest, 13), "");
    assert_string_equal((char *)guest.memory + rmt_guest_get32(&guest, 17), "two words");
    assert_int_equal(RMT_GUEST_CALL(&guest, "environ_get", 0, 101), 0);
    assert_string_equal((char *)guest.memory + rmt_guest_get32(&guest, 0), "A=1");
    assert_int_equal(RMT_GUEST_CALL(&guest, "args_get", RMT_GUEST_MEMORY - 11, 0), WASI_EFAULT);
    assert_int_equal(RMT_GUEST_CALL(&guest, "args_get", 0, RMT_GUEST_MEMORY - 18), WASI_EFAULT);
    assert_int_equal(RMT_GUEST_CALL(&guest, "args_get", 0, RMT_GUEST_MEMORY - 19), 0);
    rmt_guest_clear(&guest);
}

static void exit_ends_the_call(void **unused)
{
    (void)unused;
    rmt_guest guest;
    uint32_t code = 1;
    rmt_guest_init(&guest, &nothing);
    assert_false(rmi_wasi_exited(guest.wasi, &code));
    assert_int_equal(RMT_GUEST_CALL(&guest, "proc_exit", 42), RMT_ENDED);
    assert_true(rmi_wasi_exited(guest.wasi, &code));
    assert_int_equal(code, 42);
    assert_int_equal(rmi_wasi_overflowed(guest.wasi), 0);
    rmt_guest_clear(&guest);
}

/* ---- Wild arguments ---- */

static int open_everything(rmt_guest *guest, const char *directory)
{
    const rm_sandbox_grant grants[] = {{directory, ".", true, false}};
    rmi_wasi_config config = nothing;
    config.grants = grants;
    config.grant_count = 1;
    rmt_guest_init(guest, &config);
    return rmt_guest_open(guest, 3, "file", WASI_O_CREAT, WASI_RIGHTS_FILE);
}

/* Every function with every argument out of range, and then just one of them. */
static void wild_arguments_are_errors(void **unused)
{
    (void)unused;
    static const uint64_t wild[] = {UINT64_MAX,           INT64_MAX, UINT32_MAX, INT32_MAX, RMT_GUEST_MEMORY,
                                    RMT_GUEST_MEMORY - 1, 1u << 31,  3,          4,         0};
    char directory[64];
    rmt_directory_make(directory);
    for (const rmi_import *import = rmi_wasi_imports; import->name != NULL; import++) {
        const size_t count = strcspn(import->signature, ":");
        for (size_t i = 0; i < sizeof wild / sizeof *wild; i++) {
            rmt_guest guest;
            assert_int_equal(open_everything(&guest, directory), 4);
            (void)rmt_guest_call_with_all(&guest, import, wild[i]);
            for (size_t at = 0; at < count; at++) { /* the others are 3, 4 or 16: a descriptor, a length */
                for (uint64_t others = 3; others <= 16; others += others == 3 ? 1 : 12) {
                    uint64_t args[16];
                    for (size_t j = 0; j < 16; j++)
                        args[j] = others;
                    args[0] = others == 16 ? 3 : others;
                    args[at] = wild[i];
                    int error = rmt_guest_call(&guest, import->name, args);
                    assert_true(error >= RMT_ENDED && error <= WASI_ENOTCAPABLE);
                    assert_true(error != RMT_ENDED || strcmp(import->name, "proc_exit") == 0);
                }
            }
            rmt_guest_clear(&guest);
        }
    }
    rmt_directory_remove(directory);
}

/* Each has one address that is out of range. */
static const struct {
    const char *name;
    uint64_t args[9];
} wild_pointers[] = {
    {"args_sizes_get", {RMT_GUEST_MEMORY - 3, 0}},
    {"args_sizes_get", {0, RMT_GUEST_MEMORY - 3}},
    {"environ_sizes_get", {0, UINT32_MAX}},
    {"clock_res_get", {1, RMT_GUEST_MEMORY - 7}},
    {"clock_time_get", {1, 0, RMT_GUEST_MEMORY - 7}},
    {"fd_fdstat_get", {4, RMT_GUEST_MEMORY - 23}},
    {"fd_filestat_get", {4, RMT_GUEST_MEMORY - 63}},
    {"fd_prestat_get", {3, RMT_GUEST_MEMORY - 7}},
    {"fd_prestat_dir_name", {3, RMT_GUEST_MEMORY, 9}},
    {"fd_read", {4, RMT_GUEST_MEMORY - 7, 1, 0}},
    {"fd_read", {4, 64, UINT32_MAX, 0}},
    {"fd_read", {4, 64, 0x20000001, 0}}, /* its size is 8 in 32 bits */
    {"fd_read", {4, 64, 0, RMT_GUEST_MEMORY - 3}},
    {"fd_read", {4, 128, 1, 0}}, /* a vector of just over the memory */
    {"fd_write", {4, 136, 1, 0}},
    {"fd_pread", {4, 128, 1, 0, 0}},
    {"fd_pwrite", {4, 136, 1, 0, 0}},
    {"fd_pwrite", {4, 64, 0, 0, UINT32_MAX}},
    {"fd_readdir", {3, RMT_GUEST_MEMORY - 99, 100, 0, 0}},
    {"fd_readdir", {3, 0, 100, 0, RMT_GUEST_MEMORY - 3}},
    {"fd_seek", {4, 0, 0, RMT_GUEST_MEMORY - 7}},
    {"fd_tell", {4, RMT_GUEST_MEMORY - 7}},
    {"path_create_directory", {3, RMT_GUEST_MEMORY - 1, 2}},
    {"path_filestat_get", {3, 0, RMT_GUEST_MEMORY - 1, 2, 0}},
    {"path_filestat_get", {3, 0, 256, 4, RMT_GUEST_MEMORY - 63}},
    {"path_filestat_set_times", {3, 0, UINT32_MAX, UINT32_MAX, 0, 0, 0}},
    {"path_link", {3, 0, UINT32_MAX, 1, 3, 256, 4}},
    {"path_link", {3, 0, 256, 4, 3, UINT32_MAX, 1}},
    {"path_open", {3, 0, UINT32_MAX, 2, 0, 0, 0, 0, 0}},
    {"path_open", {3, 0, 256, 4, 0, 0, 0, 0, RMT_GUEST_MEMORY - 3}},
    {"path_readlink", {3, UINT32_MAX, 2, 0, 10, 0}},
    {"path_readlink", {3, 256, 4, RMT_GUEST_MEMORY, 1, 0}},
    {"path_readlink", {3, 256, 4, 0, 10, RMT_GUEST_MEMORY - 3}},
    {"path_remove_directory", {3, UINT32_MAX, 2}},
    {"path_rename", {3, UINT32_MAX, 2, 3, 256, 4}},
    {"path_rename", {3, 256, 4, 3, UINT32_MAX, 2}},
    {"path_symlink", {UINT32_MAX, 2, 3, 256, 4}},
    {"path_symlink", {256, 4, 3, UINT32_MAX, 2}},
    {"path_unlink_file", {3, UINT32_MAX, 2}},
    {"poll_oneoff", {RMT_GUEST_MEMORY - 47, 0, 1, 0}},
    {"poll_oneoff", {0, RMT_GUEST_MEMORY - 31, 1, 0}},
    {"poll_oneoff", {0, 0, 1, RMT_GUEST_MEMORY - 3}},
    {"poll_oneoff", {0, 0, UINT32_MAX, 0}},
    {"random_get", {RMT_GUEST_MEMORY - 1, 2}},
    {"random_get", {1, UINT32_MAX}},
};

static void pointers_are_checked(void **unused)
{
    (void)unused;
    char directory[64];
    const uint32_t vectors[] = {RMT_GUEST_MEMORY - 1, 2, 16, UINT32_MAX};
    rmt_guest guest;
    rmt_directory_make(directory);
    int before = rmt_open_descriptors();
    assert_int_equal(open_everything(&guest, directory), 4);
    int open = rmt_open_descriptors();
    for (size_t i = 0; i < sizeof wild_pointers / sizeof *wild_pointers; i++) {
        memcpy(guest.memory + 128, vectors, sizeof vectors);
        memcpy(guest.memory + 256, "file", 4);
        int error = rmt_guest_call(&guest, wild_pointers[i].name, wild_pointers[i].args);
        if (error != WASI_EFAULT)
            fail_msg("%s, case %zu: %d", wild_pointers[i].name, i, error);
    }
    assert_int_equal(rmt_open_descriptors(), open);
    rmt_guest_clear(&guest);
    assert_int_equal(rmt_open_descriptors(), before);
    rmt_directory_remove(directory);
}

/* ---- Descriptors ---- */

static void descriptors_run_out(void **unused)
{
    (void)unused;
    char directory[64];
    rmt_guest guest;
    int last = 0;
    rmt_directory_make(directory);
    int before = rmt_open_descriptors();
    assert_int_equal(open_everything(&guest, directory), 4);
    for (int i = 0; i < 2000 && last >= 0; i++)
        last = rmt_guest_open(&guest, 3, "file", 0, RIGHTS_READ);
    assert_int_equal(last, -WASI_EMFILE);
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_close", 700), 0);
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_close", 700), WASI_EBADF);
    assert_int_equal(rmt_guest_open(&guest, 3, "file", 0, RIGHTS_READ), 700);
    rmt_guest_clear(&guest);
    assert_int_equal(rmt_open_descriptors(), before);
    rmt_directory_remove(directory);
}

static void descriptors_are_renumbered_and_closed(void **unused)
{
    (void)unused;
    char directory[64], text[8] = {0};
    rmt_guest guest;
    rmt_directory_make(directory);
    assert_int_equal(open_everything(&guest, directory), 4);
    assert_int_equal(rmt_guest_write(&guest, 4, "abc"), 3);
    assert_int_equal(rmt_guest_open(&guest, 3, "file", 0, RIGHTS_READ), 5);
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_renumber", 5, 4), 0);
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_renumber", 5, 4), WASI_EBADF);
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_renumber", 4, 5), WASI_EBADF);
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_renumber", 4, 4), 0);
    assert_int_equal(rmt_guest_read(&guest, 4, text, sizeof text), 3);
    assert_string_equal(text, "abc");
    assert_int_equal(rmt_guest_write(&guest, 4, "abc"), -WASI_EBADF - 1000);
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_renumber", 4, 1),
                     0); /* also over its output, and the directory */
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_renumber", 1, 3), 0);
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_close", 3), 0);
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_close", 0), 0);
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_close", 0), WASI_EBADF);
    rmt_guest_clear(&guest);
    rmt_directory_remove(directory);
}

static void files_are_read_written_and_sized(void **unused)
{
    (void)unused;
    char directory[64];
    rmt_guest guest;
    rmt_directory_make(directory);
    assert_int_equal(open_everything(&guest, directory), 4);
    memcpy(guest.memory + 1000, "hello, world", 12);
    const uint32_t vectors[] = {1000, 5, 0, 0, 1005, 7};
    memcpy(guest.memory + 513, vectors, sizeof vectors); /* not aligned */
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_write", 4, 513, 3, 2), 0);
    assert_int_equal(rmt_guest_get32(&guest, 2), 12);
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_tell", 4, 8), 0);
    assert_int_equal(rmt_guest_get64(&guest, 8), 12);
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_pread", 4, 513, 3, 7, 0), 0);
    assert_int_equal(rmt_guest_get32(&guest, 0), 5);
    assert_memory_equal(guest.memory + 1000, "world", 5);
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_pwrite", 4, 513, 1, 1, 0), 0);
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_pread", 4, 513, 1, (uint64_t)-1, 0), WASI_EINVAL);
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_seek", 4, (uint64_t)-2, WASI_SEEK_END, 8), 0);
    assert_int_equal(rmt_guest_get64(&guest, 8), 10);
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_seek", 4, 0, 3, 8), WASI_EINVAL);
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_seek", 4, (uint64_t)-1, WASI_SEEK_SET, 8), WASI_EINVAL);
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_seek", 1, 0, WASI_SEEK_SET, 8), WASI_ESPIPE);
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_filestat_set_size", 4, 5), 0);
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_filestat_set_size", 4, (uint64_t)-5), WASI_EINVAL);
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_filestat_get", 4, 64), 0);
    assert_int_equal(rmt_guest_get64(&guest, 64 + 32), 5);
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_allocate", 4, 0, 4096), 0);
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_filestat_get", 4, 64), 0);
    assert_int_equal(rmt_guest_get64(&guest, 64 + 32), 4096);
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_advise", 4, 0, 0, 3), 0);
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_advise", 4, 0, 0, 6), WASI_EINVAL);
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_sync", 4), 0);
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_datasync", 4), 0);
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_filestat_set_times", 4, 1000000001, 2000000002, 5), 0);
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_filestat_set_times", 4, 0, 0, 3), WASI_EINVAL);
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_filestat_get", 4, 64), 0);
    assert_int_equal(rmt_guest_get64(&guest, 64 + 48), 2000000002);
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_fdstat_set_flags", 4, WASI_FD_APPEND), 0);
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_fdstat_set_flags", 4, WASI_FD_SYNC), WASI_ENOTSUP);
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_fdstat_set_flags", 4, 32), WASI_EINVAL);
    assert_int_equal(rmt_guest_write(&guest, 4, "end"), 3);
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_filestat_get", 4, 64), 0);
    assert_int_equal(rmt_guest_get64(&guest, 64 + 32), 4099);
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_read", 3, 513, 1, 0), WASI_EISDIR);
    rmt_guest_clear(&guest);
    rmt_directory_remove(directory);
}

static void many_vectors_are_not_too_many(void **unused)
{
    (void)unused;
    char directory[64];
    rmt_guest guest;
    rmt_directory_make(directory);
    assert_int_equal(open_everything(&guest, directory), 4);
    for (uint32_t i = 0; i < 20000; i++) {
        const uint32_t vector[] = {1000, 1};
        memcpy(guest.memory + 2000 + (size_t)i * 8, vector, sizeof vector);
    }
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_write", 4, 2000, 20000, 0), 0);
    assert_in_range(rmt_guest_get32(&guest, 0), 1, 20000);
    const uint32_t whole[] = {0, RMT_GUEST_MEMORY};
    for (uint32_t i = 0; i < 100; i++) /* more than one piece */
        memcpy(guest.memory + 2000 + (size_t)i * 8, whole, sizeof whole);
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_pwrite", 4, 2000, 100, 0, 0), 0);
    assert_int_equal(rmt_guest_get32(&guest, 0), 100 * RMT_GUEST_MEMORY);
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_filestat_get", 4, 64), 0);
    assert_int_equal(rmt_guest_get64(&guest, 64 + 32), 100 * RMT_GUEST_MEMORY);
    rmt_guest_clear(&guest);
    rmt_directory_remove(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_there_by_default),
        cmocka_unit_test(arguments_and_environment_are_copied),
        cmocka_unit_test(exit_ends_the_call),
        cmocka_unit_test(wild_arguments_are_errors),
        cmocka_unit_test(pointers_are_checked),
        cmocka_unit_test(descriptors_run_out),
        cmocka_unit_test(descriptors_are_renumbered_and_closed),
        cmocka_unit_test(files_are_read_written_and_sized),
        cmocka_unit_test(many_vectors_are_not_too_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
