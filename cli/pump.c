#include "cli/run.h"

/* Results this old do not wait for more: a slow pipeline is seen working. */
static const int64_t linger = 20000000;

/* Takes the results that there are. RM_OK: some; RM_AGAIN: none; RM_DONE: none, and none will come; or a
 * failure. */
static int drain(rmi_run *run, rm_error *err)
{
    size_t sink = 0, count = 0;
    rm_packet packet = rm_packet_of(rm_null());
    int rc = RM_OK;
    while (rc == RM_OK) {
        rc = rm_pipeline_pull(run->pipeline, &sink, &packet, err);
        if (rc == RM_OK) {
            rc = rmi_output_result(&run->output, sink, &packet, err);
            count++;
        }
        rm_packet_clear(&packet);
    }
    return rc == RM_AGAIN && count != 0 ? RM_OK : rc;
}

/* Nothing can be done now: writes the results so far and waits for input, for pending nodes, or for a
 * signal. */
static int rest(rmi_run *run, rm_error *err)
{
    bool reading = run->input.lines && !run->input.ended;
    int rc = rmi_output_flush(&run->output, err);
    if (rc == RM_OK && run->input.held.code == RM_OK)
        rm_pipeline_wait(run->pipeline, &run->input.reader.descriptor, reading ? 1 : 0);
    return rc;
}

static int after_step(rmi_run *run, rm_error *err)
{
    rmi_writer *writer = run->output.writer;
    int64_t now = rmi_platform_now();
    rmi_progress_tick(&run->progress, now, run->input.items, run->output.results);
    if (now - writer->flushed_at < linger)
        return RM_OK;
    writer->flushed_at = now;
    return rmi_output_flush(&run->output, err);
}

int rmi_pump(rmi_run *run, rm_error *err)
{
    int rc = RM_OK, step = RM_OK;
    while (rc == RM_OK && step != RM_DONE) {
        step = rm_run_step(run->pipeline, err);
        int drained = drain(run, step < 0 ? NULL : err);
        rc = step < 0 ? step : drained < 0 ? drained : RM_OK;
        if (rc == RM_OK)
            rc = after_step(run, err);
        bool idle = (step == RM_AGAIN || step == RM_PENDING) && drained == RM_AGAIN;
        if (rc == RM_OK && idle)
            rc = rest(run, err);
    }
    return rc;
}

int rmi_pump_wait(void *context, rm_pipeline *pipeline, rm_error *err)
{
    rmi_run *run = context;
    (void)pipeline;
    int rc = drain(run, err);
    if (rc == RM_OK) /* there is room: the pipeline may go on, and this is called again when it cannot */
        rc = after_step(run, err);
    else if (rc > 0)
        rc = rest(run, err);
    return rc;
}
