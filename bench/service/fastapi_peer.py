"""The HTTP peer: FastAPI in uvicorn (uvloop and httptools), which does what the pipeline does: 2 x + 1 for each item.
Usage: fastapi_peer.py PORT"""
import sys

import fastapi
import pydantic
import uvicorn

app = fastapi.FastAPI()


class Run(pydantic.BaseModel):
    inputs: list[float | int]


@app.post("/v1/pipelines/chain:run")
async def run(body: Run):
    return {"status": "success", "outputs": {"b": [item * 2 + 1 for item in body.inputs]},
            "graph_info": {"node_count": 2, "source_count": 1, "sink_count": 1, "execution_order": ["a", "b"]}}


uvicorn.run(app, port=int(sys.argv[1]), log_level="error", access_log=False, loop="uvloop", http="httptools")
