/* Between the protocol's messages and the runtime's values. Every function that makes a message allocates with malloc, so that
 * protobuf-c's own free functions release it. */
#ifndef TRANSPORT_GRPC_MESSAGES_H
#define TRANSPORT_GRPC_MESSAGES_H

#include "remotemedia/remotemedia.h"
#include "remotemedia/v1/execution.pb-c.h"
#include "remotemedia/v1/streaming.pb-c.h"

typedef Remotemedia__V1__DataBuffer rmi_data_buffer;
typedef Remotemedia__V1__AudioBuffer rmi_audio_buffer;
typedef Remotemedia__V1__ErrorResponse rmi_error_response;

/* What a client's buffers may be. */
typedef struct rmi_buffer_rules {
    uint64_t most_samples; /* of audio in an item; 0: no limit */
    const char *files;     /* the folder whose files a client may name; NULL: none; borrowed */
    size_t most_file;      /* bytes of one */
} rmi_buffer_rules;

/* ---- buffers_in.c, buffers_out.c */

/* Makes a packet's content of a buffer. The bytes of large buffers move into the value, and leave the buffer empty. Errors:
 * RM_E_VALUE or RM_E_TYPE with the field's name, RM_E_LIMIT, or a file's. *packet is owned. */
RM_MUST_CHECK int rmi_packet_of_buffer(const rmi_buffer_rules *rules, rmi_data_buffer *buffer,
                                       rm_packet *packet, rm_error *err);
RM_MUST_CHECK int rmi_packet_of_audio(const rmi_buffer_rules *rules, rmi_audio_buffer *audio,
                                      rm_packet *packet, rm_error *err);
/* Makes a tensor of bytes that hold exactly `view`'s elements in its strides. The bytes move into it, or are copied where
 * they are few. */
RM_MUST_CHECK int rmi_take_tensor(ProtobufCBinaryData *bytes, rm_tensor *view, rm_value *out, rm_error *err);
/* Replaces the content of a field by a copy; false without memory. */
RM_MUST_CHECK bool rmi_copy_bytes(ProtobufCBinaryData *to, const void *data, size_t length);
RM_MUST_CHECK bool rmi_copy_elements(ProtobufCBinaryData *to, rm_value tensor);

/* ---- video_frames.c: a frame is a tensor of uint8 as its pixel format says, or bytes where it is encoded. What else a frame
 * has is the map "video" of the packet's metadata. */
RM_MUST_CHECK int rmi_packet_of_video(Remotemedia__V1__VideoFrame *frame, rm_packet *packet, rm_error *err);
/* Makes a frame of a value with such metadata; *out is NULL where they do not fit the value. *out is owned. */
RM_MUST_CHECK int rmi_video_of_value(rm_value value, rm_value metadata, Remotemedia__V1__VideoFrame **out,
                                     rm_error *err);

/* ---- file_buffers.c */
RM_MUST_CHECK int rmi_packet_of_file(const rmi_buffer_rules *rules, const Remotemedia__V1__FileBuffer *file,
                                     rm_packet *packet, rm_error *err);

/* ---- buffer_fields.c: texts beside the data, such as binary.mime_type, are metadata of the packet under their own name. */
RM_MUST_CHECK int rmi_fields_into(const rmi_data_buffer *buffer, rm_packet *packet, rm_error *err);
/* Sets the buffer's field `key`, if it has such a one; *taken says so. */
RM_MUST_CHECK int rmi_field_set(rmi_data_buffer *buffer, const char *key, const char *text, bool *taken,
                                rm_error *err);

/* The format of audio with this dtype; UNSPECIFIED where the protocol has none. */
Remotemedia__V1__AudioFormat rmi_audio_format(rm_dtype dtype);
/* Makes a buffer of a packet: audio and other tensors, text, binary, or else JSON. *out is owned:
 * protobuf_c_message_free_unpacked. */
RM_MUST_CHECK int rmi_buffer_of_packet(const rm_packet *packet, rmi_data_buffer **out, rm_error *err);

/* ---- chunk_message.c */

/* The number of packets in a chunk: one, or one for each of its named_buffers. */
size_t rmi_chunk_packets(const Remotemedia__V1__StreamRequest *request);
/* *source is NULL for every source, or the id in the chunk. */
void rmi_chunk_address(const Remotemedia__V1__StreamRequest *request, size_t index, const char **source,
                       uint64_t *sequence);
/* Makes the packet with that index, once. *packet is owned. */
RM_MUST_CHECK int rmi_chunk_packet(const rmi_buffer_rules *rules,
                                   const Remotemedia__V1__StreamRequest *request, size_t index,
                                   rm_packet *packet, rm_error *err);

/* ---- message_texts.c */

/* Whether every text in a packed message is UTF-8 without NUL; false also where the message is none. */
bool rmi_message_texts_are_good(const ProtobufCMessageDescriptor *type, const uint8_t *data, size_t length);

/* ---- set_text.c */

/* Replaces a text of a message that has none yet by a copy; false without memory. */
RM_MUST_CHECK bool rmi_set_text(char **field, const char *text);

/* ---- manifest_message.c */

/* The words of a manifest for the protocol's numbers; NULL for the first one, which means none. */
enum { RMI_RUNTIME_HINTS = 5 };
extern const char *const rmi_runtime_hints[RMI_RUNTIME_HINTS];

/* Writes the message as the JSON text of a manifest. *text is owned: rm_text_free(NULL, text, length). RM_E_MISSING_FIELD,
 * or RM_E_PARSE for `params` that are no JSON object. */
RM_MUST_CHECK int rmi_manifest_text(const Remotemedia__V1__PipelineManifest *message, char **text,
                                    size_t *length, rm_error *err);

/* ---- error_message.c */

/* Makes the message of a failure: `validating` says that the manifest is at fault, not the run. NULL without memory. Owned:
 * protobuf_c_message_free_unpacked. */
RM_MUST_CHECK rmi_error_response *rmi_error_message(const rm_error *failure, bool validating,
                                                    int64_t sequence);

/* ---- metrics_message.c */

/* Makes the counters of a pipeline (NULL: none was opened). *out is owned. */
RM_MUST_CHECK int rmi_metrics_of(const rm_pipeline *pipeline, double wall_ms,
                                 Remotemedia__V1__ExecutionMetrics **out, rm_error *err);
/* Fills in node_results and the status. */
RM_MUST_CHECK int rmi_node_results_of(const rm_pipeline *pipeline, Remotemedia__V1__ExecutionResult *result,
                                      rm_error *err);

#endif
