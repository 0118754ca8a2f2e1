// The conversation of tests/service/test_clients.py, with @grpc/grpc-js. Arguments: the address, the folder of the .proto files, a
// token. Prints one JSON object.
import grpc from "@grpc/grpc-js";
import loader from "@grpc/proto-loader";

const [address, protos, token] = process.argv.slice(2);
const files = ["execution", "streaming"].map((name) => `remotemedia/v1/${name}.proto`);
const { v1 } = grpc.loadPackageDefinition(loader.loadSync(files, { includeDirs: [protos], keepCase: true, defaults: true, longs: Number, oneofs: true })).remotemedia;
const credentials = grpc.credentials.createInsecure();
const executor = new v1.PipelineExecutionService(address, credentials);
const streamer = new v1.StreamingPipelineService(address, credentials);

const metadata = new grpc.Metadata();
metadata.set("authorization", `Bearer ${token}`);

const manifest = (id, node_type, params = "") => ({ version: "v1", metadata: { name: "t" }, nodes: [{ id, node_type, params }] });
const double = manifest("a", "MultiplyNode", '{"factor": 2}');
const json = (value) => ({ json: { json_payload: JSON.stringify(value) } });
const chunk = (sequence, buffer) => ({ data_chunk: { sequence, buffer } });
const init = (of) => ({ init: { manifest: of, client_version: "1" } });

const execute = (request, given) => new Promise((done, failed) =>
  executor.ExecutePipeline(request, given, (error, response) => (error ? failed(error) : done(response))));

/** All responses to the requests. */
const converse = (requests) => new Promise((done, failed) => {
  const call = streamer.StreamPipeline(metadata);
  const responses = [];
  call.on("data", (response) => responses.push(response));
  call.on("error", failed);
  call.on("end", () => done(responses));
  requests.forEach((request) => call.write(request));
  call.end();
});

/** The status of a call that is cancelled after its first result. */
const cancelled = () => new Promise((done) => {
  const call = streamer.StreamPipeline(metadata);
  call.on("data", (response) => response.response === "result" && call.cancel());
  call.on("error", (error) => done(error.code));
  call.write(init(double));
  call.write(chunk(0, json(1)));
});

const value = (buffer) => JSON.parse(buffer.json.json_payload);
const said = {};
const request = { manifest: double, data_inputs: { input: json(21) }, client_version: "1" };
said.executed = value((await execute(request, metadata)).result.data_outputs.output);
const responses = await converse([init(double), ...Array.from({ length: 100 }, (_, i) => chunk(i, json(i))), { control: { command: "COMMAND_CLOSE" } }]);
said.streamed = responses.filter((r) => r.response === "result").map((r) => [r.result.sequence, value(r.result.data_outputs.a)]);
said.last = responses.at(-1).response;
const failed = await converse([init(manifest("up", "UppercaseTransform")), chunk(0, { text: { text_data: Buffer.from("a") } }), chunk(1, json(5))]);
const { error } = failed.find((r) => r.response === "error");
said.failed = [error.failing_node_id, JSON.parse(error.context).sequence, failed.at(-1).response];
said.cancelled = await cancelled();
said.refused = await execute(request, new grpc.Metadata()).catch((refusal) => refusal.code);
console.log(JSON.stringify(said));
executor.close();
streamer.close();
