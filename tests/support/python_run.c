#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "remotemedia/node.h"
#include "tests/support/python_run.h"

void rmt_python_run(const char *manifest_text, const char *expected)
{
    const rm_python_config python = {.size = sizeof python};
    rm_runtime *runtime = NULL;
    rm_manifest *manifest = NULL;
    rm_value input = rm_null(), outputs = rm_null();
    rm_error err = {0};
    char *text = NULL;
    size_t length = 0;
    assert_int_equal(rm_json_parse(NULL, "[1, 2]", 6, 0, &input, &err), RM_OK);
    assert_int_equal(rm_runtime_new(NULL, &runtime, &err), RM_OK);
    assert_int_equal(rm_python_attach(runtime, &python, &err), RM_OK);
    assert_int_equal(rm_manifest_parse(runtime, manifest_text, strlen(manifest_text), &manifest, &err),
                     RM_OK);
    if (rm_run(manifest, NULL, input, &outputs, &err) != RM_OK)
        fail_msg("%s", err.message);
    assert_int_equal(rm_json_write(NULL, outputs, 0, &text, &length, NULL, NULL), RM_OK);
    assert_string_equal(text, expected);
    rm_text_free(NULL, text, length);
    rm_value_clear(&outputs);
    rm_value_clear(&input);
    rm_manifest_free(manifest);
    rm_runtime_free(runtime);
}
