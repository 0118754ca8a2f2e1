#include "cli/output.h"

#include <stdio.h>

#include "base/alloc.h"
#include "cli/array_files.h"
#include "cli/output_file.h"
#include "cli/report.h"
#include "data/json/json.h"

int rmi_output_open(rmi_output *output, rmi_program *program, const char *path, rm_error *err)
{
    int rc = RM_OK;
    output->program = program;
    output->path = path;
    output->writer = &program->out;
    if (path == NULL && program->out.error != 0)
        rc = rmi_writer_flush(output->writer, err); /* fails: nobody reads any more */
    if (path != NULL) {
        output->file = (rmi_writer){.descriptor = -1, .name = path};
        output->writer = &output->file;
        rc = rmi_output_file_open(path, output->file_place, output->format == RMI_FORMAT_JSON,
                                  &output->file.descriptor, &output->whole, &output->created, err);
    }
    output->failed = rc != RM_OK;
    return rc;
}

int rmi_output_begin(rmi_output *output, const rm_pipeline *pipeline, rm_error *err)
{
    size_t count = rm_pipeline_sink_count(pipeline);
    output->sinks = count != 0 ? rmi_alloc_zeroed(NULL, count * sizeof *output->sinks) : NULL;
    if (count != 0 && output->sinks == NULL)
        return rmi_out_of_memory(err);
    for (size_t i = 0; i < count; i++)
        output->sinks[i].id = rm_pipeline_sink_id(pipeline, i);
    output->sink_count = count;
    const int rc = output->path != NULL && !output->whole
                       ? rmi_output_file_empty(output->path, output->file.descriptor, err)
                       : RM_OK;
    output->failed = rc != RM_OK;
    output->created = false;
    return rc;
}

/* Puts the line in `text` into the buffer; it is written when the buffer is full or the program waits. */
static int put_line(rmi_output *output, const rmi_text *text, rm_error *err)
{
    int rc = rmi_writer_put(output->writer, text->data, text->length, err);
    output->failed |= rc < 0 && rc != RM_E_OUT_OF_MEMORY;
    return rc;
}

/* An array of a result, and its sink. */
typedef struct array_place {
    rmi_output *output;
    rmi_output_sink *sink;
} array_place;

static int put_array_file(void *context, rmi_text *text, rm_value tensor, rm_error *err)
{
    const array_place *place = context;
    int rc = rmi_array_files_put(place->output->directory, place->output->array_place, place->sink->id,
                                 place->sink->arrays, tensor, text, err);
    place->sink->arrays += rc == RM_OK;
    place->output->arrays_failed |= rc == RM_E_IO;
    return rc;
}

/* Appends the value, which is plain as all results are, with the JSON around it. */
static int append_result(rmi_output *output, rmi_output_sink *sink, rm_value value, rm_error *err)
{
    rmi_text *text = &sink->results;
    array_place place = {.output = output, .sink = sink};
    const rmi_json_style style = {
        .flags = (output->compat ? RM_JSON_WHOLE_AS_INT : 0u) |
                 (output->arrays == RMI_ARRAYS_LIST ? RM_JSON_ARRAYS_AS_LISTS : 0u),
        .tensor = output->arrays == RMI_ARRAYS_NPY ? put_array_file : NULL,
        .context = &place,
    };
    bool lines = output->format == RMI_FORMAT_JSONL, named = lines && output->sink_count > 1;
    size_t before = text->length;
    if (lines)
        text->length = before = 0;
    if (named)
        rmi_text_printf(text, "{\"sink\":\"%s\",\"value\":", sink->id);
    if (!lines && before != 0)
        rmi_text_append(text, ",", 1);
    int rc = rmi_json_append(text, value, &style, &output->had_nan, err);
    if (lines)
        rmi_text_append(text, named ? "}\n" : "\n", named ? 2 : 1);
    if (rc == RM_OK && text->failed)
        rc = rmi_out_of_memory(err);
    if (rc != RM_OK)
        text->length = before; /* no part of a result stands in the document, whatever failed */
    return rc;
}

int rmi_output_result(rmi_output *output, size_t sink, const rm_packet *packet, rm_error *err)
{
    rmi_output_sink *place = &output->sinks[sink];
    int rc = append_result(output, place, packet->value, err);
    if (rc != RM_OK && !output->arrays_failed && err != NULL && err->node[0] == '\0') {
        (void)snprintf(err->node, sizeof err->node, "%s", place->id);
        err->has_item = packet->seq < RM_SEQ_END;
        err->item = packet->seq;
    }
    if (rc == RM_OK && output->format == RMI_FORMAT_JSONL)
        rc = put_line(output, &place->results, err);
    output->results += rc == RM_OK;
    return rc;
}

int rmi_output_flush(rmi_output *output, rm_error *err)
{
    if (output->format != RMI_FORMAT_JSONL || output->writer->used == 0)
        return RM_OK;
    int rc = rmi_writer_flush(output->writer, err);
    output->failed |= rc != RM_OK;
    return rc;
}

static int put(rmi_output *output, const char *text, rm_error *err)
{
    return rmi_writer_put_c(output->writer, text, err);
}

/* Writes {"sink":[...],...}. */
static int put_outputs(rmi_output *output, rm_error *err)
{
    int rc = put(output, "{", err);
    for (size_t i = 0; rc == RM_OK && i < output->sink_count; i++) {
        const rmi_output_sink *sink = &output->sinks[i];
        rc = put(output, i != 0 ? ",\"" : "\"", err);
        if (rc == RM_OK)
            rc = put(output, sink->id, err);
        if (rc == RM_OK)
            rc = put(output, "\":[", err);
        if (rc == RM_OK && sink->results.length != 0)
            rc = rmi_writer_put(output->writer, sink->results.data, sink->results.length, err);
        if (rc == RM_OK)
            rc = put(output, "]", err);
    }
    return rc == RM_OK ? put(output, "}", err) : rc;
}

/* Writes the only output, or the list of all, one sink after another. */
static int put_compat_outputs(rmi_output *output, rm_error *err)
{
    bool first = true;
    int rc = output->results != 1 ? put(output, "[", err) : RM_OK;
    for (size_t i = 0; rc == RM_OK && i < output->sink_count; i++) {
        const rmi_text *results = &output->sinks[i].results;
        if (results->length == 0)
            continue;
        if (!first)
            rc = put(output, ",", err);
        if (rc == RM_OK)
            rc = rmi_writer_put(output->writer, results->data, results->length, err);
        first = false;
    }
    if (rc == RM_OK && output->results != 1)
        rc = put(output, "]", err);
    return rc;
}

static int put_member(rmi_output *output, const char *name, rm_value value, rm_error *err)
{
    char *json = NULL;
    size_t length = 0;
    int rc = rm_json_write(NULL, value, 0, &json, &length, NULL, err);
    if (rc != RM_OK)
        return rc;
    rc = put(output, name, err);
    if (rc == RM_OK)
        rc = rmi_writer_put(output->writer, json, length, err);
    rm_text_free(NULL, json, length);
    return rc;
}

static int put_document(rmi_output *output, rm_pipeline *pipeline, rm_value failures, rm_error *err)
{
    rm_value info = rm_null();
    int rc = rm_pipeline_graph_info(pipeline, &info, err);
    if (rc == RM_OK)
        rc = put(output, "{\"status\":\"success\",\"outputs\":", err);
    if (rc == RM_OK)
        rc = output->compat ? put_compat_outputs(output, err) : put_outputs(output, err);
    if (rc == RM_OK)
        rc = put_member(output, ",\"graph_info\":", info, err);
    if (rc == RM_OK && failures.kind == RM_LIST && rm_list_length(failures) != 0)
        rc = put_member(output, ",\"failed\":", failures, err);
    if (rc == RM_OK)
        rc = put(output, "}\n", err);
    rm_value_clear(&info);
    return rc;
}

/* In JSONL mode collected failures go to standard error, like an error document. */
static int tell_failures(rm_value failures, rm_error *err)
{
    char *json = NULL;
    size_t length = 0;
    rmi_text text;
    int rc = RM_OK;
    if (failures.kind != RM_LIST || rm_list_length(failures) == 0)
        return RM_OK;
    rc = rm_json_write(NULL, failures, 0, &json, &length, NULL, err);
    if (rc != RM_OK)
        return rc;
    rmi_text_init(&text, NULL);
    rmi_text_append_c(&text, "{\"status\":\"success\",\"failed\":");
    rmi_text_append(&text, json, length);
    rmi_text_append_c(&text, "}\n");
    if (!text.failed)
        rmi_report_raw(text.data, text.length);
    rmi_text_clear(&text);
    rm_text_free(NULL, json, length);
    return RM_OK;
}

int rmi_output_end(rmi_output *output, rm_pipeline *pipeline, rm_error *err)
{
    rm_value failures = rm_null();
    char *temporary = NULL;
    int rc = rm_pipeline_failures(pipeline, &failures, err);
    if (rc == RM_OK && output->whole)
        rc = rmi_output_file_begin(output->file_place, &temporary, &output->file.descriptor, err);
    if (rc == RM_OK)
        rc = output->format == RMI_FORMAT_JSON ? put_document(output, pipeline, failures, err)
                                               : tell_failures(failures, err);
    if (rc == RM_OK)
        rc = output->path != NULL ? rmi_writer_close(output->writer, err)
                                  : rmi_writer_flush(output->writer, err);
    if (output->whole)
        rc = rmi_output_file_end(output->file_place, temporary, rc, err);
    output->failed |= rc != RM_OK;
    if (output->had_nan)
        rmi_report_line(output->program, "warning", "NaN or infinity in the results was printed as null");
    rm_value_clear(&failures);
    return rc;
}

/* Writes {"status":"error","error":{...},"outputs":{...}} to standard output, also where results go to a
 * file: the file keeps an earlier run's results. */
static int put_failure(rmi_output *output, const rm_error *error, rm_error *err)
{
    rmi_text text;
    rmi_text_init(&text, NULL);
    output->writer = &output->program->out;
    int rc = rmi_report_document(&text, error, err);
    if (rc == RM_OK && text.failed)
        rc = rmi_out_of_memory(err);
    if (rc == RM_OK)
        rc = rmi_writer_put(output->writer, text.data, text.length, err);
    if (rc == RM_OK && output->sinks != NULL) {
        rc = put(output, ",\"outputs\":", err);
        if (rc == RM_OK)
            rc = put_outputs(output, err);
    }
    if (rc == RM_OK)
        rc = put(output, "}\n", err);
    if (rc == RM_OK)
        rc = rmi_writer_flush(output->writer, err);
    rmi_text_clear(&text);
    return rc;
}

rmi_exit rmi_output_fail(rmi_output *output, const rm_error *error, rmi_exit code)
{
    rm_error failure = {0};
    rmi_text text;
    int rc = RM_OK;
    const bool document = output->format == RMI_FORMAT_JSON && !output->lent;
    rmi_report_error(output->program, error);
    if (document && output->program->out.error == 0)
        rc = put_failure(output, error, &failure);
    else if (output->format != RMI_FORMAT_JSON && !output->failed)
        rc = rmi_output_flush(output, &failure);
    if (output->program->out.stuck)
        rc = RM_OK; /* that failure is why the document goes to standard error */
    if (!document || output->program->out.stuck) {
        rmi_text_init(&text, NULL);
        if (rmi_report_document(&text, error, NULL) == RM_OK) {
            rmi_text_append_c(&text, "}\n");
            if (!text.failed)
                rmi_report_raw(text.data, text.length);
        }
        rmi_text_clear(&text);
    }
    if (rc != RM_OK) {
        rmi_report_error(output->program, &failure);
        code = RMI_EXIT_IO;
    }
    rm_error_clear(&failure);
    return code;
}

void rmi_output_free(rmi_output *output)
{
    for (size_t i = 0; i < output->sink_count; i++)
        rmi_text_clear(&output->sinks[i].results);
    rmi_free(NULL, output->sinks, output->sink_count * sizeof *output->sinks);
    output->sinks = NULL;
    if (output->created)
        rmi_output_file_remove(output->file_place, output->file.descriptor);
    rmi_free_text(NULL, output->array_place);
    rmi_free_text(NULL, output->file_place);
    output->array_place = output->file_place = NULL;
    if (output->path != NULL && rmi_writer_close(&output->file, NULL) != RM_OK)
        output->failed = true; /* after a failure, which is reported already; else it is closed */
}
