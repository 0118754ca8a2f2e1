"""A grpcio aio server that does what the rows ask for, in Python: the three nodes' arithmetic, and chunks back as they came."""
import asyncio
import json

from grpc import aio
from remotemedia.v1 import common_pb2 as common
from remotemedia.v1 import execution_pb2 as execution
from remotemedia.v1 import execution_pb2_grpc
from remotemedia.v1 import streaming_pb2 as streaming
from remotemedia.v1 import streaming_pb2_grpc


class Executor(execution_pb2_grpc.PipelineExecutionServiceServicer):
    async def ExecutePipeline(self, request, context):
        value = json.loads(request.data_inputs["input"].json.json_payload)
        for each in request.manifest.nodes:
            params = json.loads(each.params)
            value = value * params["factor"] if each.node_type == "MultiplyNode" else value + params["addend"]
        buffer = common.DataBuffer(json=common.JsonData(json_payload=json.dumps(value)))
        return execution.ExecuteResponse(result=execution.ExecutionResult(data_outputs={"output": buffer}))


class Streamer(streaming_pb2_grpc.StreamingPipelineServiceServicer):
    async def StreamPipeline(self, requests, context):
        async for request in requests:
            if request.WhichOneof("request") == "init":
                yield streaming.StreamResponse(ready=streaming.StreamReady(session_id="s"))
            else:
                given = request.data_chunk
                yield streaming.StreamResponse(result=streaming.ChunkResult(sequence=given.sequence, data_outputs={"p": given.buffer}))


async def main():
    server = aio.server()
    execution_pb2_grpc.add_PipelineExecutionServiceServicer_to_server(Executor(), server)
    streaming_pb2_grpc.add_StreamingPipelineServiceServicer_to_server(Streamer(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(f"127.0.0.1:{port}", flush=True)
    await server.wait_for_termination()


asyncio.run(main())
