/* What may reach a node: packets of the kinds and formats that its ports take. Objects become plain values
 * for a port that takes no objects. */
#include <stdio.h>

#include "exec/pipeline.h"

static bool takes_anything(const rm_port *port)
{
    return port != NULL && port->kinds == RM_KIND_ANY && port->format.dtype == 0 &&
           port->format.channels == 0 && port->format.sample_rate == 0;
}

bool rmi_takes_any(const rm_node *node)
{
    const uint32_t ports = node->graph->input_ports > 0 ? node->graph->input_ports : 1;
    for (uint32_t i = 0; i < ports; i++)
        if (!takes_anything(node->in.takes[i]))
            return false;
    return true;
}

static bool format_fits(const rm_format *want, const rm_tensor *tensor, uint32_t kinds)
{
    if (!(kinds & RM_KIND_TENSOR) && tensor->media.kind != RM_MEDIA_AUDIO)
        return false;
    if (want->dtype != 0 && want->dtype != tensor->dtype)
        return false;
    if (want->sample_rate != 0 && want->sample_rate != tensor->media.sample_rate)
        return false;
    return want->channels == 0 || (tensor->dimensions == 2 && tensor->shape[1] == want->channels);
}

static const char *what_it_is(rm_value value)
{
    if (value.kind == RM_TENSOR && rm_tensor_view(value).media.kind == RM_MEDIA_AUDIO)
        return "audio";
    return rm_kind_name((rm_kind)value.kind);
}

static const char *what_is_wanted(uint32_t kinds)
{
    if (kinds == RM_KIND_AUDIO)
        return "audio";
    if (kinds & RM_KIND_TENSOR && !(kinds & RM_KIND_MAP))
        return "tensors";
    for (uint32_t kind = 0; kind < RM_KIND_COUNT; kind++)
        if ((kinds & ~(1u << RM_BIGINT)) == 1u << kind)
            return rm_kind_name((rm_kind)kind);
    return kinds == RM_KIND_NUMBER ? "numbers" : "other kinds of values";
}

/* Writes " (float32, 2 channels, 16000 Hz)", the known parts of a tensor's format; nothing where none is
 * known. */
static void describe_format(rm_format format, char *text, size_t size)
{
    char channels[32] = "", rate[32] = "";
    if (format.channels != 0)
        snprintf(channels, sizeof channels, ", %d channel%s", (int)format.channels,
                 format.channels == 1 ? "" : "s");
    if (format.sample_rate != 0)
        snprintf(rate, sizeof rate, ", %d Hz", (int)format.sample_rate);
    if (format.dtype != 0 || format.channels != 0 || format.sample_rate != 0)
        snprintf(text, size, " (%s%s%s)", format.dtype != 0 ? rm_dtype_name(format.dtype) : "any dtype",
                 channels, rate);
}

/* Converts a packet's value to what the port takes, or fails with the reason in pipeline->scratch. */
static int fit(rm_node *node, const rm_port *port, rm_packet *packet)
{
    rm_pipeline *p = node->pipeline;
    const uint32_t kinds = port != NULL ? port->kinds : RM_KIND_PLAIN;
    if (packet->value.kind == RM_OBJECT && !(kinds & RM_KIND_OBJECT)) {
        rm_value plain = rm_null();
        const int rc = rm_value_to_plain(p->allocator, packet->value, &plain, &p->scratch);
        if (rc != RM_OK)
            return rc;
        rm_value_clear(&packet->value);
        packet->value = plain;
    }
    if (packet->value.kind == RM_TENSOR && (kinds & (RM_KIND_TENSOR | RM_KIND_AUDIO))) {
        const rm_tensor view = rm_tensor_view(packet->value);
        if (port == NULL || format_fits(&port->format, &view, kinds))
            return RM_OK;
    } else if (kinds >> packet->value.kind & 1)
        return RM_OK;
    char format[80] = "", got[80] = "";
    if (port != NULL && packet->value.kind == RM_TENSOR) {
        const rm_tensor view = rm_tensor_view(packet->value);
        describe_format(port->format, format, sizeof format);
        describe_format((rm_format){.dtype = view.dtype,
                                    .channels = view.dimensions == 2 ? (int32_t)view.shape[1] : 0,
                                    .sample_rate = view.media.sample_rate},
                        got, sizeof got);
        if (view.dtype == RM_OPAQUE)
            snprintf(got, sizeof got, " (dtype %.60s)", view.description);
    }
    return rm_error_set(&p->scratch, RM_E_TYPE, "%s '%s' takes %s%s, got %s%s", node->type->name,
                        rm_node_id(node), what_is_wanted(kinds), format, what_it_is(packet->value), got);
}

size_t rmi_acceptable(rm_node *node, rm_packet *packets, uint32_t port, size_t n, int *rc)
{
    const rm_port *description = node->in.takes[port];
    const uint32_t scalars = (description != NULL ? description->kinds : RM_KIND_PLAIN) & RM_KIND_PLAIN;
    *rc = RM_OK;
    for (size_t i = 0; i < n; i++) {
        if (packets[i].value.kind != RM_TENSOR && scalars >> packets[i].value.kind & 1)
            continue;
        *rc = fit(node, description, &packets[i]);
        if (*rc != RM_OK) {
            if (i > 0) /* reported when it is the first */
                rm_error_clear(&node->pipeline->scratch), *rc = RM_OK;
            return i;
        }
    }
    return n;
}
