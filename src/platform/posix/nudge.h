/* What the program's signals and nudges share. */
#ifndef PLATFORM_POSIX_NUDGE_H
#define PLATFORM_POSIX_NUDGE_H

/* Has nudges end blocking calls, until somebody installs a handler of their own. */
void rmi_platform_feel_nudges(void);

#endif
