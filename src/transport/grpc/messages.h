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

/* ---- buffers_in.c, buffers_out.c */

/* Makes a packet's content of a buffer. The bytes of large buffers move into the value, and leave the buffer empty. Errors:
 * RM_E_VALUE or RM_E_TYPE with the field's name. *packet is owned. */
RM_MUST_CHECK int rmi_packet_of_buffer(rmi_data_buffer *buffer, rm_packet *packet, rm_error *err);
/* RM_E_LIMIT for audio with more than `most` samples; 0: no limit. */
RM_MUST_CHECK int rmi_check_samples(uint64_t most, const rm_packet *packet, rm_error *err);
RM_MUST_CHECK int rmi_packet_of_audio(rmi_audio_buffer *audio, rm_packet *packet, rm_error *err);
/* The format of audio with this dtype; UNSPECIFIED where the protocol has none. */
Remotemedia__V1__AudioFormat rmi_audio_format(rm_dtype dtype);
/* Makes a buffer of a packet: audio and other tensors, text, binary, or else JSON. *out is owned:
 * protobuf_c_message_free_unpacked. */
RM_MUST_CHECK int rmi_buffer_of_packet(const rm_packet *packet, rmi_data_buffer **out, rm_error *err);

/* ---- message_texts.c */

/* Whether every text in a packed message is UTF-8 without NUL; false also where the message is none. */
bool rmi_message_texts_are_good(const ProtobufCMessageDescriptor *type, const uint8_t *data, size_t length);

/* ---- set_text.c */

/* Replaces a text of a message that has none yet by a copy; false without memory. */
RM_MUST_CHECK bool rmi_set_text(char **field, const char *text);

/* ---- manifest_message.c */

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
