/* The time zones inside the WASM files with Python: those of the package tzdata, which tools/zones.py writes. */
#ifndef WASM_ZONES_H
#define WASM_ZONES_H

#include <stddef.h>
#include <stdint.h>

typedef struct rmi_zone_row {
    const char *name;
    uint32_t offset, size; /* of a file in the format TZif, in rmi_zone_bytes */
} rmi_zone_row;

/* Sorted by name. */
extern const rmi_zone_row rmi_zone_rows[];
extern const size_t rmi_zone_count;
extern const unsigned char rmi_zone_bytes[];

/* The file of a zone, NULL where there is none; *size gets its bytes. */
const unsigned char *rmi_zone_find(const char *name, size_t *size);

#endif
