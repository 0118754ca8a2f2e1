/* What manifests of strangers may not do. Their Python is kept away by a runtime without Python. */
#ifndef TRANSPORT_TRUST_H
#define TRANSPORT_TRUST_H

#include "remotemedia/remotemedia.h"

/* Makes every node that is not native run in a sandbox. Before the manifest is validated. */
void rmi_force_sandbox(rm_manifest *manifest);
/* Checks a manifest that was only parsed: no node may run code, unless sandboxes are allowed for that. */
RM_MUST_CHECK int rmi_check_code(const rm_manifest *manifest, bool sandbox, rm_error *err);
/* Checks a manifest that is valid: no node may use a file of this machine. RM_E_UNSUPPORTED with node and pointer. */
RM_MUST_CHECK int rmi_check_untrusted(rm_manifest *manifest, rm_error *err);

#endif
