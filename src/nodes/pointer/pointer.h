/* JSON pointers (RFC 6901) into values: "/user/name", "/tags/0"; "" is the value itself. */
#ifndef NODES_POINTER_POINTER_H
#define NODES_POINTER_POINTER_H

#include "remotemedia/node.h"

/* {0} is the pointer to the value itself. */
typedef struct rmi_pointer {
    char *text;  /* the steps, unescaped, each behind its length */
    size_t size; /* bytes of `text` */
    size_t steps;
} rmi_pointer;

/* RM_E_VALUE where `text` is no pointer, with `name` in the message and "/params/param" as its place. */
RM_MUST_CHECK int rmi_pointer_check(const char *param, const char *name, const char *text, size_t length,
                                    rm_error *err);
/* Parses `text`, which rmi_pointer_check has let pass. *out is owned: rmi_pointer_free. */
RM_MUST_CHECK int rmi_pointer_parse(rm_node *node, const char *text, size_t length, rmi_pointer *out,
                                    rm_error *err);
void rmi_pointer_free(rm_node *node, rmi_pointer *pointer);
/* Finds the value that it points at, borrowed from `value`; returns false, and null, when there is no such
 * place. */
bool rmi_pointer_get(const rmi_pointer *pointer, rm_value value, rm_value *out);

#endif
