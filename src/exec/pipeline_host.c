/* A pipeline's table of the functions that its nodes call (node_host.h). */
#include "exec/pipeline.h"

static void log_of_pipeline(rm_node *node, rm_log_level level, const char *text)
{
    rm_runtime_log(node->pipeline->runtime, level, rm_node_id(node), "%s", text);
}

static size_t room(const rm_node *node)
{
    return rmi_output_room(node);
}

const rmi_node_host rmi_pipeline_host = {
    .emit = rmi_emit,
    .suspend = rmi_suspend,
    .resume = rmi_resume,
    .finish = rmi_finish,
    .pull = rmi_pull,
    .can_wait = rmi_can_wait,
    .room = room,
    .log = log_of_pipeline,
};
