/* Every native node type, in the order that `remotemedia nodes` shows. A new node is one line here. */
#include "remotemedia/node.h"

#define NODE_TYPES(X)             \
    X(rmi_node_passthrough)       \
    X(rmi_node_echo)              \
    X(rmi_node_calculator)        \
    X(rmi_node_multiply)          \
    X(rmi_node_add)               \
    X(rmi_node_uppercase)         \
    X(rmi_node_take)              \
    X(rmi_node_skip)              \
    X(rmi_node_batch)             \
    X(rmi_node_window)            \
    X(rmi_node_merge)             \
    X(rmi_node_filter)            \
    X(rmi_node_select)            \
    X(rmi_node_simple_source)     \
    X(rmi_node_file_lines)        \
    X(rmi_node_jsonl_sink)        \
    X(rmi_node_audio_file_source) \
    X(rmi_node_audio_file_sink)   \
    X(rmi_node_audio_level)       \
    X(rmi_node_audio_buffer)      \
    X(rmi_node_audio_resample)    \
    X(rmi_node_audio_channels)    \
    X(rmi_node_audio_format)      \
    X(rmi_node_voice_activity)

#define DECLARE(type) extern const rm_node_type type;
NODE_TYPES(DECLARE)

#define ADDRESS(type) &(type),
extern const rm_node_type *const rmi_native_types[];
const rm_node_type *const rmi_native_types[] = {NODE_TYPES(ADDRESS) NULL};
