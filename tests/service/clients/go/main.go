// The conversation of tests/service/test_clients.py, with grpc-go. Arguments: the address, a FileDescriptorSet of the .proto
// files, a token. Prints one JSON object. Messages are written as JSON, so that no code is generated.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

type object = map[string]any

var files *protoregistry.Files

func message(name string) *dynamicpb.Message {
	found, err := files.FindDescriptorByName(protoreflect.FullName("remotemedia.v1." + name))
	check(err)
	return dynamicpb.NewMessage(found.(protoreflect.MessageDescriptor))
}

func made(name string, fields object) *dynamicpb.Message {
	text, err := json.Marshal(fields)
	check(err)
	of := message(name)
	check(protojson.Unmarshal(text, of))
	return of
}

func fieldsOf(of *dynamicpb.Message) object {
	text, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(of)
	check(err)
	fields := object{}
	check(json.Unmarshal(text, &fields))
	return fields
}

func manifest(id, kind, params string) object {
	node := object{"id": id, "nodeType": kind, "params": params}
	return object{"version": "v1", "metadata": object{"name": "t"}, "nodes": []any{node}}
}

func number(value int) object { return object{"json": object{"jsonPayload": fmt.Sprint(value)}} }

func first(of object) object { return object{"init": object{"manifest": of, "clientVersion": "1"}} }

func chunk(sequence int, buffer object) object {
	return object{"dataChunk": object{"sequence": sequence, "buffer": buffer}}
}

func open(ctx context.Context, connection *grpc.ClientConn) grpc.ClientStream {
	both := &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}
	stream, err := connection.NewStream(ctx, both, "/remotemedia.v1.StreamingPipelineService/StreamPipeline")
	check(err)
	return stream
}

func send(stream grpc.ClientStream, request object) {
	check(stream.SendMsg(made("StreamRequest", request)))
}

func receive(stream grpc.ClientStream) (object, error) {
	response := message("StreamResponse")
	if err := stream.RecvMsg(response); err != nil {
		return nil, err
	}
	return fieldsOf(response), nil
}

func converse(ctx context.Context, connection *grpc.ClientConn, requests []object) []object {
	stream := open(ctx, connection)
	for _, request := range requests {
		send(stream, request)
	}
	check(stream.CloseSend())
	var responses []object
	for {
		response, err := receive(stream)
		if err != nil {
			return responses
		}
		responses = append(responses, response)
	}
}

func value(outputs any, key string) float64 {
	var of float64
	text := outputs.(object)[key].(object)["json"].(object)["json_payload"].(string)
	check(json.Unmarshal([]byte(text), &of))
	return of
}

func kind(response object) string {
	for _, name := range []string{"ready", "result", "error", "metrics", "closed"} {
		if _, found := response[name]; found {
			return name
		}
	}
	return ""
}

func execute(ctx context.Context, connection *grpc.ClientConn) (object, error) {
	double := manifest("a", "MultiplyNode", `{"factor": 2}`)
	request := made("ExecuteRequest", object{"manifest": double, "dataInputs": object{"input": number(21)}, "clientVersion": "1"})
	response := message("ExecuteResponse")
	err := connection.Invoke(ctx, "/remotemedia.v1.PipelineExecutionService/ExecutePipeline", request, response)
	return fieldsOf(response), err
}

func main() {
	address, descriptors, token := os.Args[1], os.Args[2], os.Args[3]
	data, err := os.ReadFile(descriptors)
	check(err)
	set := &descriptorpb.FileDescriptorSet{}
	check(proto.Unmarshal(data, set))
	files, err = protodesc.NewFiles(set)
	check(err)
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	check(err)
	ctx := metadata.AppendToOutgoingContext(context.Background(), "authorization", "Bearer "+token)
	said := object{}

	executed, err := execute(ctx, connection)
	check(err)
	said["executed"] = value(executed["result"].(object)["data_outputs"], "output")

	double := manifest("a", "MultiplyNode", `{"factor": 2}`)
	requests := []object{first(double)}
	for i := range 100 {
		requests = append(requests, chunk(i, number(i)))
	}
	requests = append(requests, object{"control": object{"command": "COMMAND_CLOSE"}})
	responses := converse(ctx, connection, requests)
	streamed := []any{}
	for _, response := range responses {
		if kind(response) == "result" {
			result := response["result"].(object)
			sequence := 0
			if given, found := result["sequence"].(string); found { // left out where it is 0
				sequence, err = strconv.Atoi(given)
				check(err)
			}
			streamed = append(streamed, []any{sequence, value(result["data_outputs"], "a")})
		}
	}
	said["streamed"], said["last"] = streamed, kind(responses[len(responses)-1])

	text := object{"text": object{"textData": []byte("a")}}
	responses = converse(ctx, connection, []object{first(manifest("up", "UppercaseTransform", "")), chunk(0, text), chunk(1, number(5))})
	for _, response := range responses {
		if kind(response) == "error" {
			failure, context := response["error"].(object), object{}
			check(json.Unmarshal([]byte(failure["context"].(string)), &context))
			said["failed"] = []any{failure["failing_node_id"], context["sequence"], kind(responses[len(responses)-1])}
		}
	}

	ending, cancel := context.WithCancel(ctx)
	stream := open(ending, connection)
	send(stream, first(double))
	send(stream, chunk(0, number(1)))
	for err = nil; err == nil; {
		var response object
		if response, err = receive(stream); kind(response) == "result" {
			cancel()
		}
	}
	said["cancelled"] = status.Code(err)

	_, err = execute(context.Background(), connection)
	said["refused"] = status.Code(err)
	check(json.NewEncoder(os.Stdout).Encode(said))
}
