/* The descriptors of the process: each connection takes one, and so do the waits of some sessions. */
#ifndef TRANSPORT_DESCRIPTORS_H
#define TRANSPORT_DESCRIPTORS_H

#include <stdbool.h>

/* Raises the limit as far as the system lets any process, to 65536 at most. */
void rmi_raise_descriptor_limit(void);
/* Whether `count` more can be had. */
bool rmi_has_descriptors(int count);

#endif
