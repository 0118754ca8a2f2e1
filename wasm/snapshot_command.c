/* The command's snapshot: the function that Wizer calls to make the image, and the entry that replaces _start
 * in it. Constructors have run before the image and must not run again. */
#include <stdio.h>
#include <stdlib.h>
#include <wasi/api.h>

#include "wasm/snapshot.h"

void __wasm_call_ctors(void);
void __wasm_call_dtors(void);
int __main_void(void); /* fetches the arguments, calls main */

_Noreturn static void give_up(const rm_error *err)
{
    (void)fprintf(stderr, "error: %s\n", err->message);
    _Exit(1);
}

__attribute__((export_name("wizer.initialize"))) void initialize(void);
void initialize(void)
{
    rm_error err = {0};
    __wasm_call_ctors();
    if (rmi_snapshot_prepare(&err) != RM_OK)
        give_up(&err);
}

__attribute__((export_name("wizer.resume"))) void resume(void);
void resume(void)
{
    rm_error err = {0};
    if (rmi_snapshot_resume(&err) != RM_OK)
        give_up(&err);
    const int code = __main_void();
    __wasm_call_dtors();
    if (code != 0)
        __wasi_proc_exit((__wasi_exitcode_t)code);
}
