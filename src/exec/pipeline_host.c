/* A pipeline's table of the functions that its nodes call (node_host.h). */
#include "exec/pipeline.h"

static void log_of_pipeline(rm_node *node, rm_log_level level, const char *text)
{
    rm_runtime_log(node->pipeline->runtime, level, rm_node_id(node), "%s", text);
}

static int input_of_pipeline(rm_node *node, int *descriptor, rm_error *err)
{
    rm_pipeline *p = node->pipeline;
    *descriptor = -1;
    if (p->standard_input < 0)
        return rmi_no_standard_input(err);
    if (p->input_reader != NULL && p->input_reader != node)
        return rm_error_set(err, RM_E_USAGE, "node '%s' reads standard input already",
                            rm_node_id(p->input_reader));
    p->input_reader = node;
    *descriptor = p->standard_input;
    return RM_OK;
}

static int output_of_pipeline(rm_node *node, int *descriptor, rm_error *err)
{
    rm_pipeline *p = node->pipeline;
    *descriptor = -1;
    if (p->standard_output <= 0)
        return rmi_no_standard_output(p, err);
    if (p->output_writer != NULL && p->output_writer != node)
        return rm_error_set(err, RM_E_USAGE, "node '%s' writes standard output already",
                            rm_node_id(p->output_writer));
    p->output_writer = node;
    *descriptor = p->standard_output;
    return RM_OK;
}

const char *rm_pipeline_output_node(const rm_pipeline *pipeline)
{
    return pipeline->output_writer != NULL ? rm_node_id(pipeline->output_writer) : NULL;
}

const rmi_node_host rmi_pipeline_host = {
    .emit = rmi_emit,
    .suspend = rmi_suspend,
    .resume = rmi_resume,
    .finish = rmi_finish,
    .pull = rmi_pull,
    .can_wait = rmi_can_wait,
    .room = rmi_output_room,
    .log = log_of_pipeline,
    .standard_input = input_of_pipeline,
    .standard_output = output_of_pipeline,
    .wait = rmi_wait_in_call,
};
