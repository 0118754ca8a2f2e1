#!/bin/sh
# Some protobuf runtimes lose the sign of a negative zero, others keep it, so a value depends on who sent it.
#
# protobuf 7.36.2, betterproto 1.2.5 (PyPI); protobufjs 8.8.1, @bufbuild/protobuf 2.17.0, @protobuf-ts/runtime 2.11.1
# (npm). In proto3 a field that has its default value is not written. Three of the five write a double of -0.0, since
# its bits are not those of the default. For betterproto and @protobuf-ts/runtime it is the default, as -0.0 == 0.0
# is true: they leave it out, and the reader gets +0.0.
. "$(dirname "$0")/support"
pip_packages protobuf==7.36.2 betterproto==1.2.5
npm_packages protobufjs@8.8.1 @bufbuild/protobuf@2.17.0 @protobuf-ts/runtime@2.11.1

cat >probe.py <<'END'
import dataclasses
import betterproto
from google.protobuf import wrappers_pb2

@dataclasses.dataclass
class Double(betterproto.Message):
    value: float = betterproto.double_field(1)

print("protobuf:", wrappers_pb2.DoubleValue(value=-0.0).SerializeToString().hex())
print("betterproto:", bytes(Double(value=-0.0)).hex())
END
cat >probe.js <<'END'
import { create, toBinary } from "@bufbuild/protobuf";
import { DoubleValueSchema } from "@bufbuild/protobuf/wkt";
import { MessageType } from "@protobuf-ts/runtime";
import protobufjs from "protobufjs";

const show = (name, bytes) => console.log(`${name}: ${Buffer.from(bytes).toString("hex")}`);
const type = protobufjs.parse('syntax = "proto3"; message Double { double value = 1; }').root.lookupType("Double");
show("protobufjs", type.encode(type.create({ value: -0 })).finish());
show("@bufbuild/protobuf", toBinary(DoubleValueSchema, create(DoubleValueSchema, { value: -0 })));
const DOUBLE = 1;
const Double = new MessageType("Double", [{ no: 1, name: "value", kind: "scalar", T: DOUBLE }]);
show("@protobuf-ts/runtime", Double.toBinary({ value: -0 }));
END
{ python probe.py; node probe.js; } >seen
expect <<'END'
protobuf: 090000000000000080
betterproto: 
protobufjs: 090000000000000080
@bufbuild/protobuf: 090000000000000080
@protobuf-ts/runtime: 
END
