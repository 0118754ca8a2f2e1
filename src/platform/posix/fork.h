/* What a forked process undoes, in a file each. */
#ifndef PLATFORM_POSIX_FORK_H
#define PLATFORM_POSIX_FORK_H

/* process.c: gives the signals back to whom they belonged before rmi_platform_take_signals. In a forked process, before
 * anything else. */
void rmi_signals_forget(void);

#endif
