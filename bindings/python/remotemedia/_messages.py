"""The messages of remotemedia.v1 as dicts: {field: value}, without what is not set."""
import struct

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5

# "name:type=number"; a type with [] is repeated, one with {} the value of a map with texts as keys.
_TEXTS = {
    "DataBuffer": "audio:AudioBuffer=1 tensor:TensorBuffer=3 json:JsonData=4 text:TextBuffer=5 binary:BinaryBuffer=6 "
                  "numpy:NumpyBuffer=8 metadata:str{}=10",
    "AudioBuffer": "samples:bytes=1 sample_rate:int=2 channels:int=3 format:int=4 num_samples:int=5",
    "TensorBuffer": "data:bytes=1 shape:int[]=2 dtype:int=3",
    "NumpyBuffer": "data:bytes=1 shape:int[]=2 dtype:str=3 strides:int[]=4 c_contiguous:bool=5 f_contiguous:bool=6",
    "JsonData": "json_payload:str=1",
    "TextBuffer": "text_data:bytes=1 encoding:str=2",
    "BinaryBuffer": "data:bytes=1 mime_type:str=2",
    "PipelineManifest": "version:str=1 metadata:ManifestMetadata=2 nodes:NodeManifest[]=3 connections:Connection[]=4",
    "ManifestMetadata": "name:str=1 description:str=2 created_at:str=3",
    "NodeManifest": "id:str=1 node_type:str=2 params:str=3 is_streaming:bool=4 capabilities:CapabilityRequirements=5 host:str=6 "
                    "runtime_hint:int=7",
    "CapabilityRequirements": "gpu:GpuRequirement=1 cpu:CpuRequirement=2 memory_gb:float=3",
    "GpuRequirement": "type:str=1 min_memory_gb:float=2 required:bool=3",
    "CpuRequirement": "cores:int=1 arch:str=2",
    "Connection": "from:str=1 to:str=2",
    "ResourceLimits": "max_memory_bytes:int=1 max_timeout_ms:int=2 max_audio_samples:int=3",
    "ExecuteRequest": "manifest:PipelineManifest=1 data_inputs:DataBuffer{}=2 resource_limits:ResourceLimits=3 client_version:str=4",
    "ExecuteResponse": "result:ExecutionResult=1 error:ErrorResponse=2",
    "ExecutionResult": "data_outputs:DataBuffer{}=1 node_results:NodeResult[]=3",
    "NodeResult": "node_id:str=1 output_metadata:str=4",
    "ErrorResponse": "message:str=2 failing_node_id:str=3 context:str=4",
    "VersionRequest": "client_version:str=1",
    "VersionResponse": "version_info:VersionInfo=1",
    "VersionInfo": "protocol_version:str=1 runtime_version:str=2 supported_node_types:str[]=3",
    "StreamRequest": "init:StreamInit=1 data_chunk:DataChunk=2 control:StreamControl=4",
    "StreamInit": "manifest:PipelineManifest=1 resource_limits:ResourceLimits=3 client_version:str=4",
    "DataChunk": "node_id:str=1 buffer:DataBuffer=2 sequence:int=4",
    "StreamControl": "command:int=1",
    "StreamResponse": "ready:StreamReady=1 result:ChunkResult=2 error:ErrorResponse=3 closed:StreamClosed=5",
    "StreamReady": "session_id:str=1",
    "ChunkResult": "sequence:int=1 data_outputs:DataBuffer{}=2",
    "StreamClosed": "session_id:str=1 reason:str=3",
}


def _parse(text):
    fields = {}
    for field in text.split():
        name, rest = field.split(":")
        kind, number = rest.split("=")
        form = kind[-2:] if kind[-1] in "]}" else ""
        fields[name] = (int(number), kind.removesuffix(form), form)
    return fields


_MESSAGES = {name: _parse(text) for name, text in _TEXTS.items()}
_BY_NUMBER = {message: {number: (name, kind, form) for name, (number, kind, form) in fields.items()} for message, fields in _MESSAGES.items()}


# ---- Writing


def _varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def _one(number, kind, value):
    if kind in ("int", "bool"):
        return _varint(number << 3 | _VARINT) + _varint(int(value))
    if kind == "float":
        return _varint(number << 3 | _FIXED64) + struct.pack("<d", value)
    data = value.encode() if kind == "str" else value if kind == "bytes" else encode(kind, value)
    return b"".join((_varint(number << 3 | _BYTES), _varint(len(data)), data))


def _entry(kind, key, value):
    return _one(1, "str", key) + _one(2, kind, value)


def encode(message, fields):
    """The bytes of a message."""
    parts = []
    for name, value in fields.items():
        number, kind, form = _MESSAGES[message][name]
        if form == "[]":
            parts += [_one(number, kind, item) for item in value]
        elif form == "{}":
            parts += [_one(number, "bytes", _entry(kind, key, item)) for key, item in value.items()]
        else:
            parts.append(_one(number, kind, value))
    return b"".join(parts)


# ---- Reading


def _read_varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value & (1 << 64) - 1, at
        shift += 7


def _fields(data):
    """(number, wire type, value) of each field; values are integers or views of bytes."""
    at = 0
    while at < len(data):
        tag, at = _read_varint(data, at)
        wire = tag & 7
        if wire == _VARINT:
            value, at = _read_varint(data, at)
        else:
            length = 8 if wire == _FIXED64 else 4
            if wire == _BYTES:
                length, at = _read_varint(data, at)
            value, at = data[at:at + length], at + length
        yield tag >> 3, wire, value


def _signed(value):
    return value - (1 << 64) if value >> 63 else value


def _value(kind, value):
    if kind == "int":
        return _signed(value)
    if kind == "bool":
        return bool(value)
    if kind == "float":
        return struct.unpack("<d", value)[0]
    if kind == "str":
        return str(value, "utf-8")
    return bytes(value) if kind == "bytes" else decode(kind, value)


def _packed(data):
    at = 0
    while at < len(data):
        value, at = _read_varint(data, at)
        yield _signed(value)


def decode(message, data):
    """The fields of a message that are there and known."""
    found = {}
    for number, wire, value in _fields(memoryview(data)):
        name, kind, form = _BY_NUMBER[message].get(number, (None, None, None))
        if name is None:
            continue
        if form == "{}":
            entry = {n: v for n, _, v in _fields(value)}
            found.setdefault(name, {})[str(entry.get(1, b""), "utf-8")] = _value(kind, entry.get(2, b""))
        elif form == "[]":
            found.setdefault(name, []).extend(_packed(value) if kind == "int" and wire == _BYTES else [_value(kind, value)])
        else:
            found[name] = _value(kind, value)
    return found
