/* SHA-256, as FIPS 180-4 defines it. */
#ifndef BASE_SHA256_H
#define BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

typedef struct rmi_sha256 {
    uint32_t state[8];
    uint64_t length; /* bytes so far */
    uint8_t block[64];
} rmi_sha256;

void rmi_sha256_init(rmi_sha256 *hash);
void rmi_sha256_add(rmi_sha256 *hash, const void *data, size_t size);
/* Ends the hash, and writes 64 hexadecimal digits and a NUL. */
void rmi_sha256_hex(rmi_sha256 *hash, char hex[static 65]);

#endif
