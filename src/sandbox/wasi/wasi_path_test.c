/* WASI for a guest: what paths in granted directories lead to, and what they must never lead to. */
#include "tests/support/wasi_guest.h"

#include <stdio.h>
#include <string.h>

static const uint64_t READS = WASI_RIGHT_FD_READ | WASI_RIGHT_FD_SEEK | WASI_RIGHT_FD_READDIR;
static const uint64_t WRITES = WASI_RIGHTS_WRITE;

static void grant_directory(rmt_guest *guest, const rmt_files *f, bool write)
{
    rmt_files_grant(guest, f, &(rm_sandbox_grant){"in", "data", write, false}, 1);
}

static void granted_directories_are_announced(void **unused)
{
    (void)unused;
    rmt_files f;
    rmt_guest guest;
    char text[64];
    const rm_sandbox_grant grants[] = {{"in", ".", false, false}, {"in/sub", "/deep/sub", false, false}};
    rmt_files_make(&f);
    rmt_files_grant(&guest, &f, grants, 2);
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_prestat_get", 4, 0), 0);
    assert_int_equal(rmt_guest_get32(&guest, 0), 0);
    assert_int_equal(rmt_guest_get32(&guest, 4), 9);
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_prestat_dir_name", 4, 0, 9), 0);
    assert_memory_equal(guest.memory, "/deep/sub", 9);
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_prestat_dir_name", 4, 0, 8), WASI_ENAMETOOLONG);
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_prestat_get", 5, 0), WASI_EBADF);
    assert_int_equal(rmt_guest_read_path(&guest, 3, "sub/b.txt", text, sizeof text), 5);
    assert_string_equal(text, "below");
    assert_int_equal(rmt_guest_read_path(&guest, 4, "b.txt", text, sizeof text), 5);
    int sub = rmt_guest_open(&guest, 3, "sub", WASI_O_DIRECTORY, READS);
    assert_int_equal(rmt_guest_read_path(&guest, (uint32_t)sub, "b.txt", text, sizeof text), 5);
    assert_int_equal(rmt_guest_read_path(&guest, (uint32_t)sub, "../a.txt", text, sizeof text), -WASI_EPERM);
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_prestat_get", (uint32_t)sub, 0), WASI_EBADF);
    assert_int_equal(rmt_guest_open(&guest, 3, "sub", WASI_O_DIRECTORY, READS | WRITES), -WASI_EISDIR);
    assert_int_equal(rmt_guest_open(&guest, 3, "sub", 0, WRITES), -WASI_EISDIR);
    assert_int_equal(rmt_guest_open(&guest, 3, "a.txt", WASI_O_DIRECTORY, READS), -WASI_ENOTDIR);
    assert_int_equal(rmt_guest_open(&guest, 3, "new", WASI_O_DIRECTORY | WASI_O_CREAT, READS), -WASI_EINVAL);
    rmt_guest_clear(&guest);
    rmt_files_clear(&f);
}

/* Each path with what comes of opening it for reading. */
static void paths_stay_beneath(void **unused)
{
    (void)unused;
    static const struct {
        const char *path;
        int result;
    } cases[] = {
        {"a.txt", 5},
        {"./sub/../a.txt", 5},
        {"to_a", 5},
        {"sub//b.txt", 5},
        {"..", -WASI_EPERM},
        {"../secret", -WASI_EPERM},
        {"sub/../../secret", -WASI_EPERM},
        {"sub/../../in/a.txt", -WASI_EPERM},
        {"/etc/passwd", -WASI_EPERM},
        {"/", -WASI_EPERM},
        {"to_passwd", -WASI_EPERM},
        {"to_secret", -WASI_EPERM},
        {"to_up/secret", -WASI_EPERM},
        {"to_up", -WASI_EPERM},
        {"sub/up", -WASI_EPERM},
        {"to_proc/etc/passwd", -WASI_EPERM},
        {"to_itself", -WASI_ELOOP},
        {"to_nothing", -WASI_ENOENT},
        {"nothing", -WASI_ENOENT},
        {"a.txt/", -WASI_ENOTDIR},
        {"a.txt/b", -WASI_ENOTDIR},
        {"fifo", -WASI_EACCES}, /* and does not wait for a writer */
        {"", -WASI_ENOENT},
    };
    rmt_files f;
    rmt_guest guest;
    char text[64];
    rmt_files_make(&f);
    grant_directory(&guest, &f, true);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int result = rmt_guest_read_path(&guest, 3, cases[i].path, text, sizeof text);
        if (result != cases[i].result)
            fail_msg("'%s': %d", cases[i].path, result);
    }
    assert_int_equal(rmt_guest_open(&guest, 3, "to_new_outside", WASI_O_CREAT, WRITES), -WASI_EPERM);
    assert_true(rmt_files_is(&f, "new", NULL));
    assert_int_equal(rmt_guest_open(&guest, 3, "to_nothing", WASI_O_CREAT, WRITES),
                     4); /* links within are fine */
    rmt_guest_clear(&guest);
    rmt_files_clear(&f);
}

static void names_may_be_strange_but_not_too_long(void **unused)
{
    (void)unused;
    rmt_files f;
    rmt_guest guest;
    char path[5000];
    int type = 0;
    uint64_t size = 0;
    rmt_files_make(&f);
    grant_directory(&guest, &f, true);
    memset(path, 'x', sizeof path);
    path[4999] = '\0';
    assert_int_equal(rmt_guest_path(&guest, "path_unlink_file", 3, path), WASI_ENAMETOOLONG);
    path[256] = '\0';
    assert_int_equal(rmt_guest_path(&guest, "path_create_directory", 3, path), WASI_ENAMETOOLONG);
    assert_int_equal(rmt_guest_open(&guest, 3, path, WASI_O_CREAT, WRITES), -WASI_ENAMETOOLONG);
    path[255] = '\0';
    assert_int_equal(rmt_guest_path(&guest, "path_create_directory", 3, path), 0);
    uint32_t at = rmt_guest_put(&guest, "a.txt\0b", 7);
    assert_int_equal(RMT_GUEST_CALL(&guest, "path_unlink_file", 3, at, 7), WASI_EINVAL);
    assert_int_equal(rmt_guest_path(&guest, "path_create_directory", 3, "\xff\n \\"), 0);
    assert_int_equal(rmt_guest_stat(&guest, 3, "\xff\n \\", true, &type, &size), 0);
    assert_int_equal(type, WASI_TYPE_DIRECTORY);
    rmt_guest_clear(&guest);
    rmt_files_clear(&f);
}

static void links_are_looked_at_and_made(void **unused)
{
    (void)unused;
    rmt_files f;
    rmt_guest guest;
    int type = 0;
    uint64_t size = 0;
    char text[64];
    rmt_files_make(&f);
    grant_directory(&guest, &f, true);
    assert_int_equal(rmt_guest_stat(&guest, 3, "to_passwd", false, &type, &size), 0);
    assert_int_equal(type, WASI_TYPE_LINK);
    assert_int_equal(rmt_guest_stat(&guest, 3, "to_passwd", true, &type, &size), WASI_EPERM);
    assert_int_equal(rmt_guest_stat(&guest, 3, "to_up/", false, &type, &size), WASI_EPERM);
    assert_int_equal(rmt_guest_stat(&guest, 3, "to_a", true, &type, &size), 0);
    assert_int_equal(size, 5);
    assert_int_equal(rmt_guest_stat(&guest, 3, ".", false, &type, &size), 0);
    assert_int_equal(type, WASI_TYPE_DIRECTORY);
    uint32_t at = rmt_guest_put(&guest, "to_secret", 9);
    assert_int_equal(RMT_GUEST_CALL(&guest, "path_readlink", 3, at, 9, 1000, 100, 0), 0);
    assert_int_equal(rmt_guest_get32(&guest, 0), 9);
    assert_memory_equal(guest.memory + 1000, "../secret", 9);
    assert_int_equal(RMT_GUEST_CALL(&guest, "path_readlink", 3, at, 9, 1000, 4, 0), 0);
    assert_int_equal(rmt_guest_get32(&guest, 0), 4);
    at = rmt_guest_put(&guest, "a.txt", 5);
    assert_int_equal(RMT_GUEST_CALL(&guest, "path_readlink", 3, at, 5, 1000, 100, 0), WASI_EINVAL);
    assert_int_equal(rmt_guest_symlink(&guest, "/etc/passwd", 3, "new"), WASI_EPERM);
    assert_int_equal(rmt_guest_symlink(&guest, "a.txt", 3, "to_up/new"), WASI_EPERM);
    assert_int_equal(rmt_guest_symlink(&guest, "../secret", 3, "new"),
                     0); /* but it leads nowhere for the guest */
    assert_int_equal(rmt_guest_read_path(&guest, 3, "new", text, sizeof text), -WASI_EPERM);
    assert_int_equal(rmt_guest_symlink(&guest, "a.txt", 3, "new"), WASI_EEXIST);
    assert_int_equal(rmt_guest_link(&guest, 3, "a.txt", 3, "second"), 0);
    assert_int_equal(rmt_guest_link(&guest, 3, "a.txt", 3, "../second"), WASI_EPERM);
    assert_int_equal(rmt_guest_link(&guest, 3, "../secret", 3, "third"), WASI_EPERM);
    assert_int_equal(rmt_guest_link(&guest, 3, "to_secret", 3, "link"),
                     0); /* the link, not what it leads to */
    assert_int_equal(rmt_guest_read_path(&guest, 3, "link", text, sizeof text), -WASI_EPERM);
    rmt_guest_clear(&guest);
    rmt_files_clear(&f);
}

/* A call that must not change anything outside, with the error it gives. */
static void changes_stay_beneath(void **unused)
{
    (void)unused;
    static const char *const functions[] = {"path_unlink_file", "path_remove_directory",
                                            "path_create_directory"};
    static const char *const outside[] = {"../secret", "../new",   "to_up/secret",
                                          "to_up/new", "/tmp/new", "sub/../../x"};
    rmt_files f;
    rmt_guest guest;
    int type = 0;
    uint64_t size = 0;
    rmt_files_make(&f);
    grant_directory(&guest, &f, true);
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++) {
        for (size_t j = 0; j < 3; j++)
            assert_int_equal(rmt_guest_path(&guest, functions[j], 3, outside[i]), WASI_EPERM);
        assert_int_equal(rmt_guest_rename(&guest, 3, "a.txt", outside[i]), WASI_EPERM);
        assert_int_equal(rmt_guest_rename(&guest, 3, outside[i], "new"), WASI_EPERM);
        assert_int_equal(rmt_guest_open(&guest, 3, outside[i], WASI_O_CREAT | WASI_O_TRUNC, WRITES),
                         -WASI_EPERM);
        assert_int_equal(rmt_guest_stat(&guest, 3, outside[i], false, &type, &size), WASI_EPERM);
        uint32_t at = rmt_guest_put(&guest, outside[i], strlen(outside[i]));
        assert_int_equal(
            RMT_GUEST_CALL(&guest, "path_filestat_set_times", 3, 1, at, strlen(outside[i]), 0, 0, 10),
            WASI_EPERM);
    }
    assert_int_equal(rmt_guest_path(&guest, "path_remove_directory", 3, ".."), WASI_EINVAL);
    assert_int_equal(rmt_guest_path(&guest, "path_remove_directory", 3, "sub/.."), WASI_EINVAL);
    assert_int_equal(rmt_guest_path(&guest, "path_unlink_file", 3, "."), WASI_EINVAL);
    assert_int_equal(rmt_guest_path(&guest, "path_create_directory", 3, "."), WASI_EEXIST);
    assert_int_equal(rmt_guest_rename(&guest, 3, "..", "new"), WASI_EINVAL);
    assert_int_equal(rmt_guest_rename(&guest, 3, "sub", ".."), WASI_EINVAL);
    assert_true(rmt_files_is(&f, "secret", "secret"));
    assert_int_equal(rmt_guest_path(&guest, "path_create_directory", 3, "new/"), 0);
    assert_int_equal(rmt_guest_rename(&guest, 3, "a.txt", "new/a.txt"), 0);
    assert_int_equal(rmt_guest_path(&guest, "path_remove_directory", 3, "new"), WASI_ENOTEMPTY);
    assert_int_equal(rmt_guest_path(&guest, "path_unlink_file", 3, "new/a.txt/"), WASI_ENOTDIR);
    assert_int_equal(rmt_guest_path(&guest, "path_unlink_file", 3, "new/a.txt"), 0);
    assert_int_equal(rmt_guest_path(&guest, "path_remove_directory", 3, "new"), 0);
    assert_int_equal(rmt_guest_path(&guest, "path_unlink_file", 3, "to_secret"), 0); /* the link itself */
    assert_true(rmt_files_is(&f, "secret", "secret"));
    rmt_guest_clear(&guest);
    rmt_files_clear(&f);
}

static void read_only_means_read_only(void **unused)
{
    (void)unused;
    rmt_files f;
    rmt_guest guest;
    char text[64];
    const rm_sandbox_grant grants[] = {{"in", "data", false, false}, {"in/sub", "sub", true, false}};
    rmt_files_make(&f);
    rmt_files_grant(&guest, &f, grants, 2);
    assert_int_equal(rmt_guest_open(&guest, 3, "new", WASI_O_CREAT, WRITES), -WASI_EROFS);
    assert_int_equal(rmt_guest_open(&guest, 3, "new", WASI_O_CREAT, READS), -WASI_EROFS);
    assert_int_equal(rmt_guest_open(&guest, 3, "a.txt", WASI_O_TRUNC, READS), -WASI_EROFS);
    assert_int_equal(rmt_guest_open(&guest, 3, "a.txt", 0, WASI_RIGHT_FD_WRITE), -WASI_EROFS);
    assert_int_equal(rmt_guest_open(&guest, 3, "a.txt", 0, READS | WASI_RIGHT_FD_ALLOCATE), -WASI_EROFS);
    assert_int_equal(rmt_guest_path(&guest, "path_unlink_file", 3, "a.txt"), WASI_EROFS);
    assert_int_equal(rmt_guest_path(&guest, "path_create_directory", 3, "new"), WASI_EROFS);
    assert_int_equal(rmt_guest_path(&guest, "path_remove_directory", 3, "sub"), WASI_EROFS);
    assert_int_equal(rmt_guest_rename(&guest, 3, "a.txt", "b.txt"), WASI_EROFS);
    assert_int_equal(rmt_guest_symlink(&guest, "a.txt", 3, "new"), WASI_EROFS);
    assert_int_equal(rmt_guest_link(&guest, 3, "a.txt", 3, "new"), WASI_EROFS);
    assert_int_equal(rmt_guest_link(&guest, 3, "a.txt", 4, "new"),
                     WASI_EROFS); /* else it could be written there */
    assert_int_equal(rmt_guest_link(&guest, 4, "b.txt", 3, "new"), WASI_EROFS);
    uint32_t at = rmt_guest_put(&guest, "a.txt", 5);
    assert_int_equal(RMT_GUEST_CALL(&guest, "path_filestat_set_times", 3, 0, at, 5, 0, 0, 10), WASI_EROFS);
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_filestat_set_times", 3, 0, 0, 10), WASI_EROFS);
    int fd = rmt_guest_open(&guest, 3, "a.txt", 0, READS);
    assert_int_equal(fd, 5);
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_filestat_set_times", 5, 0, 0, 10), WASI_EROFS);
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_filestat_set_size", 5, 0), WASI_EINVAL);
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_allocate", 5, 0, 100), WASI_EBADF);
    assert_int_equal(rmt_guest_write(&guest, 5, "x"), -WASI_EBADF - 1000);
    assert_int_equal(rmt_guest_read_path(&guest, 3, "a.txt", text, sizeof text), 5);
    /* What access() of wasi-libc asks for. */
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_fdstat_get", 3, 64), 0);
    assert_int_equal(rmt_guest_get64(&guest, 64 + 16) & WASI_RIGHT_FD_WRITE, 0);
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_fdstat_get", 4, 64), 0);
    assert_int_equal(rmt_guest_get64(&guest, 64 + 16) & WASI_RIGHT_FD_WRITE, WASI_RIGHT_FD_WRITE);
    rmt_guest_clear(&guest);
    rmt_files_clear(&f);
}

static void the_process_itself_is_out_of_reach(void **unused)
{
    (void)unused;
    rmt_files f;
    rmt_guest guest;
    char text[64];
    rmt_files_make(&f);
    rmt_files_grant(&guest, &f, &(rm_sandbox_grant){"/", "/", true, false}, 1);
    assert_int_equal(rmt_guest_read_path(&guest, 3, "proc/self/environ", text, sizeof text), -WASI_EACCES);
    assert_int_equal(rmt_guest_open(&guest, 3, "proc/self/mem", 0, READS | WRITES), -WASI_EACCES);
    assert_int_equal(rmt_guest_open(&guest, 3, "proc/self/root/etc", 0, READS), -WASI_ELOOP);
    assert_int_equal(rmt_guest_open(&guest, 3, "proc/self/fd/0", 0, READS), -WASI_ELOOP);
    assert_int_equal(rmt_guest_open(&guest, 3, "proc", WASI_O_DIRECTORY, READS), -WASI_EACCES);
    assert_int_equal(rmt_guest_open(&guest, 3, "dev/zero", 0, READS), -WASI_EACCES);
    assert_true(rmt_guest_open(&guest, 3, "etc/passwd", 0, READS) > 0);
    rmt_guest_clear(&guest);
    const rm_sandbox_grant proc = {"/proc/self", ".", false, false};
    rmi_wasi *wasi = NULL;
    assert_int_equal(
        rmi_wasi_new(&(rmi_wasi_config){.grants = &proc, .grant_count = 1, .input = -1}, &wasi, NULL),
        RM_E_VALUE);
    rmt_files_clear(&f);
}

static void directories_are_listed(void **unused)
{
    (void)unused;
    static const char all[] =
        "a.txt fifo sub to_a to_itself to_new_outside to_nothing to_passwd to_proc to_secret to_up";
    rmt_files f;
    rmt_guest guest;
    char names[512];
    rmt_files_make(&f);
    grant_directory(&guest, &f, false);
    for (uint32_t size = 24 + 14; size < 600; size += 7) {
        assert_int_equal(rmt_guest_list(&guest, 3, size, names, sizeof names), 0);
        assert_string_equal(names, all);
    }
    static const uint64_t cookies[] = {13, 14, 1000, INT64_MAX, UINT64_MAX, UINT64_MAX - 1, UINT32_MAX};
    for (size_t i = 0; i < sizeof cookies / sizeof *cookies; i++) {
        assert_int_equal(RMT_GUEST_CALL(&guest, "fd_readdir", 3, 1000, 1000, cookies[i], 0), 0);
        assert_int_equal(rmt_guest_get32(&guest, 0), 0);
    }
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_readdir", 3, 1000, 1000, 12, 0), 0);
    assert_in_range(rmt_guest_get32(&guest, 0), 26, 40); /* the last one, whichever */
    assert_int_equal(rmt_guest_get64(&guest, 1000), 13);
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_readdir", 3, 1000, 10, 0, 0), 0);
    assert_int_equal(rmt_guest_get32(&guest, 0), 10);
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_readdir", 1, 1000, 10, 0, 0), WASI_ENOTDIR);
    rmt_guest_clear(&guest);
    rmt_files_clear(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(granted_directories_are_announced),
        cmocka_unit_test(paths_stay_beneath),
        cmocka_unit_test(names_may_be_strange_but_not_too_long),
        cmocka_unit_test(links_are_looked_at_and_made),
        cmocka_unit_test(changes_stay_beneath),
        cmocka_unit_test(read_only_means_read_only),
        cmocka_unit_test(the_process_itself_is_out_of_reach),
        cmocka_unit_test(directories_are_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
