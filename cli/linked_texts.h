/* What the build gathers about this project and everything linked into the program. All are UTF-8 texts; any thread. */
#ifndef CLI_LINKED_TEXTS_H
#define CLI_LINKED_TEXTS_H

/* Each licence under a line "==== name version (SPDX): purpose". */
extern const char *const rmi_licenses_text;

/* The bill of materials: a JSON document of CycloneDX 1.6, and a line's end. */
extern const char *const rmi_sbom_text;

#endif
