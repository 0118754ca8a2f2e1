/* The reactor's snapshot: the function that Wizer calls to make the image, after it has run the constructors,
 * and the first call in an instance that began with the image. */
#include <stdio.h>
#include <stdlib.h>

#include "wasm/reactor.h"
#include "wasm/snapshot.h"

static bool is_image; /* true until the instance has been resumed */

__attribute__((export_name("wizer.initialize"))) void initialize(void);
void initialize(void)
{
    rm_error err = {0};
    if (rmi_snapshot_prepare(&err) != RM_OK) {
        (void)fprintf(stderr, "error: %s\n", err.message);
        _Exit(1);
    }
    is_image = true;
}

int rmi_reactor_wake(rm_error *err)
{
    const int rc = is_image ? rmi_snapshot_resume(err) : RM_OK;
    if (rc == RM_OK)
        is_image = false;
    return rc;
}
