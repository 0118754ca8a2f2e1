/* WASI for a guest: single files that are granted, beside directories or alone. */
#include "tests/support/wasi_guest.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const uint64_t READS = WASI_RIGHT_FD_READ | WASI_RIGHT_FD_SEEK | WASI_RIGHT_FD_READDIR;
static const uint64_t WRITES = WASI_RIGHTS_WRITE;

static void a_granted_file_is_all_there_is(void **unused)
{
    (void)unused;
    static const char *const absent[] = {"secret",        "a.txt",     "up/in/fifo",
                                         "up/in/a.txt.x", "up/secret", "in/a.txt"};
    rmt_files f;
    rmt_guest guest;
    char text[64], names[64];
    int type = 0;
    uint64_t size = 0;
    const rm_sandbox_grant grants[] = {{"in/a.txt", "up/in/a.txt", false, true},
                                       {"in/sub/b.txt", "/abs/b.txt", false, true},
                                       {"in/sub/b.txt", "../b.txt", false, true}};
    rmt_files_make(&f);
    rmt_files_grant(&guest, &f, grants, 3);
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_prestat_dir_name", 3, 0, 1), 0);
    assert_int_equal(guest.memory[0], '.');
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_prestat_dir_name", 4, 0, 1), 0);
    assert_int_equal(guest.memory[0], '/');
    for (uint32_t root = 3; root <= 4; root++) { /* wasi-libc takes both for one */
        assert_int_equal(rmt_guest_read_path(&guest, root, "up/in/a.txt", text, sizeof text), 5);
        assert_int_equal(rmt_guest_read_path(&guest, root, "./up//x/../in/a.txt", text, sizeof text), 5);
        assert_int_equal(rmt_guest_read_path(&guest, root, "abs/b.txt", text, sizeof text), 5);
        assert_string_equal(text, "below");
        assert_int_equal(rmt_guest_read_path(&guest, root, "../b.txt", text, sizeof text), 5);
        assert_int_equal(rmt_guest_read_path(&guest, root, "b.txt", text, sizeof text), 5);
    }
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++) {
        assert_int_equal(rmt_guest_read_path(&guest, 3, absent[i], text, sizeof text), -WASI_ENOENT);
        assert_int_equal(rmt_guest_stat(&guest, 3, absent[i], true, &type, &size), WASI_ENOENT);
        assert_int_equal(rmt_guest_open(&guest, 3, absent[i], WASI_O_CREAT, WRITES), -WASI_EACCES);
        assert_int_equal(rmt_guest_path(&guest, "path_create_directory", 3, absent[i]), WASI_EACCES);
        assert_int_equal(rmt_guest_rename(&guest, 3, "up/in/a.txt", absent[i]), WASI_EXDEV);
    }
    assert_int_equal(rmt_guest_read_path(&guest, 3, "up/in/a.txt/", text, sizeof text), -WASI_ENOTDIR);
    assert_int_equal(rmt_guest_read_path(&guest, 3, "/up/in/a.txt", text, sizeof text), -WASI_EPERM);
    assert_int_equal(rmt_guest_open(&guest, 3, "up/in/a.txt", 0, WRITES), -WASI_EROFS);
    assert_int_equal(rmt_guest_open(&guest, 3, "up/in/a.txt", WASI_O_TRUNC, READS), -WASI_EROFS);
    assert_int_equal(rmt_guest_open(&guest, 3, "up/in/a.txt.new", WASI_O_CREAT, WRITES), -WASI_EACCES);
    assert_int_equal(rmt_guest_path(&guest, "path_unlink_file", 3, "up/in/a.txt"), WASI_EPERM);
    assert_int_equal(rmt_guest_stat(&guest, 3, "up/in/a.txt", false, &type, &size), 0);
    assert_int_equal(type, WASI_TYPE_REGULAR);
    assert_int_equal(rmt_guest_stat(&guest, 3, "up", false, &type, &size), 0);
    assert_int_equal(type, WASI_TYPE_DIRECTORY);
    assert_int_equal(rmt_guest_path(&guest, "path_create_directory", 3, "up/in"), WASI_EEXIST);
    int up = rmt_guest_open(&guest, 3, "up", WASI_O_DIRECTORY, READS);
    assert_int_equal(rmt_guest_list(&guest, (uint32_t)up, 100, names, sizeof names), 0);
    assert_string_equal(names, "in");
    assert_int_equal(rmt_guest_read_path(&guest, (uint32_t)up, "in/a.txt", text, sizeof text), 5);
    assert_int_equal(rmt_guest_read_path(&guest, (uint32_t)up, "../up/in/a.txt", text, sizeof text), 5);
    assert_int_equal(rmt_guest_list(&guest, 3, 100, names, sizeof names), 0);
    assert_string_equal(names, "abs up");
    rmt_guest_clear(&guest);
    rmt_files_clear(&f);
}

/* What cli/output_file.c does, as wasi-libc passes it on. */
static void a_document_takes_the_place_of_a_granted_file(void **unused)
{
    (void)unused;
    rmt_files f;
    rmt_guest guest;
    char path[128];
    int type = 0;
    uint64_t size = 0;
    struct stat status;
    const rm_sandbox_grant grants[] = {{"out.json", "sub/out.json", true, true},
                                       {"new.json", "new.json", true, true}};
    rmt_files_make(&f);
    rmt_files_path(&f, "out.json", path);
    assert_int_equal(chmod(path, 0640), 0);
    rmt_files_grant(&guest, &f, grants, 2);
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_fdstat_get", 3, 64), 0);
    assert_int_equal(rmt_guest_get64(&guest, 64 + 16) & WASI_RIGHT_FD_WRITE, WASI_RIGHT_FD_WRITE);
    assert_int_equal(rmt_guest_stat(&guest, 3, "sub", true, &type, &size), 0);
    assert_int_equal(type, WASI_TYPE_DIRECTORY);
    assert_int_equal(rmt_guest_stat(&guest, 3, "sub/out.json.1.tmp", true, &type, &size), WASI_ENOENT);
    int fd = rmt_guest_open(&guest, 3, "sub/out.json.1.tmp", WASI_O_CREAT | WASI_O_EXCL, WRITES);
    assert_int_equal(fd, 4);
    assert_int_equal(rmt_guest_open(&guest, 3, "sub/out.json.1.tmp", WASI_O_CREAT | WASI_O_EXCL, WRITES),
                     -WASI_EEXIST);
    assert_int_equal(rmt_guest_write(&guest, 4, "document"), 8);
    assert_int_equal(RMT_GUEST_CALL(&guest, "fd_close", 4), 0);
    assert_int_equal(rmt_guest_stat(&guest, 3, "sub/out.json.1.tmp", true, &type, &size), 0);
    assert_int_equal(size, 8);
    assert_int_equal(rmt_guest_rename(&guest, 3, "sub/out.json.1.tmp", "new.json"), WASI_EXDEV);
    assert_int_equal(rmt_guest_rename(&guest, 3, "sub/out.json.1.tmp", "sub/out.json"), 0);
    assert_true(rmt_files_is(&f, "out.json", "document"));
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0640);
    assert_int_equal(rmt_guest_rename(&guest, 3, "sub/out.json.1.tmp", "sub/out.json"), WASI_ENOENT);
    fd = rmt_guest_open(&guest, 3, "new.json", WASI_O_CREAT | WASI_O_TRUNC, WRITES);
    assert_int_equal(rmt_guest_write(&guest, (uint32_t)fd, "x"), 1);
    assert_true(rmt_files_is(&f, "new.json", "x"));
    assert_int_equal(rmt_guest_open(&guest, 3, "new.json.x/y", WASI_O_CREAT, WRITES), -WASI_EACCES);
    assert_int_equal(rmt_guest_open(&guest, 3, "new.jsonx", WASI_O_CREAT, WRITES), -WASI_EACCES);
    assert_int_equal(rmt_guest_open(&guest, 3, "new.json.", WASI_O_CREAT, WRITES), -WASI_EACCES);
    rmt_guest_clear(&guest);
    rmt_files_clear(&f);
}

static void what_stands_beside_is_not_touched(void **unused)
{
    (void)unused;
    rmt_files f;
    rmt_guest guest;
    char text[64], name[32];
    int type = 0;
    uint64_t size = 0;
    rmt_files_make(&f);
    rmt_files_add(&f, "out.json.old", "mine");
    rmt_files_grant(&guest, &f, &(rm_sandbox_grant){"out.json", "out.json", true, true}, 1);
    assert_int_equal(rmt_guest_read_path(&guest, 3, "out.json.old", text, sizeof text), -WASI_ENOENT);
    assert_int_equal(rmt_guest_stat(&guest, 3, "out.json.old", true, &type, &size), WASI_ENOENT);
    assert_int_equal(rmt_guest_open(&guest, 3, "out.json.old", WASI_O_CREAT | WASI_O_TRUNC, WRITES),
                     -WASI_EEXIST);
    assert_int_equal(rmt_guest_path(&guest, "path_unlink_file", 3, "out.json.old"), WASI_ENOENT);
    assert_int_equal(rmt_guest_rename(&guest, 3, "out.json.old", "out.json"), WASI_ENOENT);
    assert_true(rmt_files_is(&f, "out.json.old", "mine"));
    int last = 0, count = 0;
    for (; last >= 0 && count < 1000; count++) { /* not any number of files */
        (void)snprintf(name, sizeof name, "out.json.%d", count);
        last = rmt_guest_open(&guest, 3, name, WASI_O_CREAT, WRITES);
        if (last >= 0)
            assert_int_equal(RMT_GUEST_CALL(&guest, "fd_close", (uint32_t)last), 0);
    }
    assert_int_equal(last, -WASI_ENOSPC);
    assert_int_equal(rmt_guest_path(&guest, "path_unlink_file", 3, "out.json.0"), 0);
    assert_int_equal(rmt_guest_path(&guest, "path_unlink_file", 3, "out.json.0"), WASI_ENOENT);
    assert_true(rmt_files_is(&f, "out.json.0", NULL));
    assert_true(rmt_guest_open(&guest, 3, "out.json.unfinished", WASI_O_CREAT, WRITES) > 0);
    assert_true(rmt_files_is(&f, "out.json.unfinished", ""));
    rmt_guest_clear(&guest); /* nothing has taken the place of the file */
    assert_true(rmt_files_is(&f, "out.json.unfinished", NULL));
    assert_true(rmt_files_is(&f, "out.json.1", NULL));
    rmt_files_clear(&f);
}

static void files_and_directories_are_granted_together(void **unused)
{
    (void)unused;
    rmt_files f;
    rmt_guest guest;
    char text[64], names[512];
    const rm_sandbox_grant grants[] = {{"in", ".", false, false},
                                       {"in/sub", "rw", true, false},
                                       {"secret", "sub/c.txt", false, true},
                                       {"in/sub/b.txt", "rw/b.txt", true, true}};
    rmt_files_make(&f);
    rmt_files_grant(&guest, &f, grants, 4);
    assert_int_equal(rmt_guest_read_path(&guest, 3, "a.txt", text, sizeof text), 5);
    assert_int_equal(rmt_guest_read_path(&guest, 3, "sub/c.txt", text, sizeof text), 6);
    int sub = rmt_guest_open(&guest, 3, "sub", WASI_O_DIRECTORY, READS);
    assert_int_equal(rmt_guest_list(&guest, (uint32_t)sub, 200, names, sizeof names), 0);
    assert_string_equal(names, "b.txt c.txt up");
    assert_int_equal(rmt_guest_read_path(&guest, (uint32_t)sub, "c.txt", text, sizeof text), 6);
    assert_int_equal(rmt_guest_read_path(&guest, (uint32_t)sub, "b.txt", text, sizeof text), 5);
    assert_int_equal(rmt_guest_open(&guest, 4, "b.txt.tmp", WASI_O_CREAT | WASI_O_EXCL, WRITES), 6);
    assert_int_equal(rmt_guest_rename(&guest, 4, "b.txt.tmp", "b.txt"), 0);
    assert_true(rmt_files_is(&f, "in/sub/b.txt", ""));
    rmt_guest_clear(&guest);
    rmt_files_clear(&f);
}

static void a_link_is_followed_when_it_is_granted(void **unused)
{
    (void)unused;
    rmt_files f;
    rmt_guest guest;
    char text[64], path[128], other[128];
    struct stat status;
    rmt_files_make(&f);
    rmt_files_grant(&guest, &f, &(rm_sandbox_grant){"in/to_secret", "x", true, true}, 1);
    assert_int_equal(rmt_guest_read_path(&guest, 3, "x", text, sizeof text), 6);
    assert_int_equal(rmt_guest_open(&guest, 3, "x.1", WASI_O_CREAT | WASI_O_EXCL, WRITES), 4);
    assert_int_equal(rmt_guest_rename(&guest, 3, "x.1", "x"), 0);
    rmt_files_path(&f, "in/to_secret", path);
    assert_int_equal(lstat(path, &status), 0);
    assert_true(S_ISLNK(status.st_mode)); /* and is still there */
    assert_true(rmt_files_is(&f, "secret", ""));
    rmt_files_path(&f, "secret", path); /* but one that comes later is not */
    rmt_files_path(&f, "out.json", other);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink(other, path), 0);
    assert_int_equal(rmt_guest_read_path(&guest, 3, "x", text, sizeof text), -WASI_EACCES);
    rmt_guest_clear(&guest);
    rmt_files_clear(&f);
}

static void grants_that_cannot_be_are_errors(void **unused)
{
    (void)unused;
    static const struct {
        rm_sandbox_grant grants[2];
        int rc;
        const char *message;
    } cases[] = {
        {{{"nothing", "x", false, false}}, RM_E_NOT_FOUND, "nothing: No such file"},
        {{{"secret", "x", false, false}}, RM_E_IO, "Not a directory"},
        {{{"nothing", "x", false, true}}, RM_E_NOT_FOUND, "nothing: No such file"},
        {{{"nothing/x", "x", true, true}}, RM_E_NOT_FOUND, "nothing/x: No such file"},
        {{{"in", "x", false, true}}, RM_E_IO, "Is a directory"},
        {{{"secret", ".", false, true}}, RM_E_VALUE, "'.'"},
        {{{"secret", "/x", false, true}, {"out.json", "x", false, true}}, RM_E_VALUE, "by the name x"},
        {{{"secret", "x", false, true}, {"secret", "/x", true, true}}, RM_OK, ""},
    };
    rmt_files f;
    rmt_files_make(&f);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char hosts[2][128];
        rm_sandbox_grant grants[2] = {cases[i].grants[0], cases[i].grants[1]};
        size_t count = grants[1].path != NULL ? 2 : 1;
        rmi_wasi *wasi = NULL;
        rm_error err = {0};
        for (size_t j = 0; j < count; j++) {
            rmt_files_path(&f, grants[j].path, hosts[j]);
            grants[j].path = hosts[j];
        }
        int rc = rmi_wasi_new(&(rmi_wasi_config){.grants = grants, .grant_count = count, .input = -1}, &wasi,
                              &err);
        if (rc != cases[i].rc || strstr(err.message, cases[i].message) == NULL)
            fail_msg("case %zu: %d %s", i, rc, err.message);
        rmi_wasi_free(wasi);
    }
    rmt_files_clear(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_granted_file_is_all_there_is),
        cmocka_unit_test(a_document_takes_the_place_of_a_granted_file),
        cmocka_unit_test(what_stands_beside_is_not_touched),
        cmocka_unit_test(files_and_directories_are_granted_together),
        cmocka_unit_test(a_link_is_followed_when_it_is_granted),
        cmocka_unit_test(grants_that_cannot_be_are_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
