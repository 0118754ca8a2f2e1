/* Shared by the program's signals and nudges. */
#ifndef PLATFORM_POSIX_BREAK_CALL_H
#define PLATFORM_POSIX_BREAK_CALL_H

/* Makes nudges end blocking calls, until somebody installs another handler. */
void rmi_platform_let_calls_break(void);

#endif
