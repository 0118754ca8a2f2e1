/* The licences of this project and of everything linked into the program; gathered by the build. */
#ifndef CLI_LICENSES_H
#define CLI_LICENSES_H

/* UTF-8 text of many lines, each licence under a line "==== name version (SPDX): purpose". Any thread. */
extern const char *const rmi_licenses_text;

#endif
