/* What the program's signals and nudges share. */
#ifndef PLATFORM_POSIX_BREAK_CALL_H
#define PLATFORM_POSIX_BREAK_CALL_H

/* Has nudges end blocking calls, until somebody installs a handler of their own. */
void rmi_platform_let_calls_break(void);

#endif
