/* What manifests of strangers may not do. Their Python is kept away by a runtime without Python. */
#ifndef TRANSPORT_TRUST_H
#define TRANSPORT_TRUST_H

#include "remotemedia/remotemedia.h"

/* Checks a manifest that is valid: no node may use a file of this machine. RM_E_UNSUPPORTED with node and pointer. */
RM_MUST_CHECK int rmi_check_untrusted(rm_manifest *manifest, rm_error *err);

#endif
