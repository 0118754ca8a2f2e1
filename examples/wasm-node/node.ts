// A node in a WebAssembly module, in AssemblyScript: this is docs/wasm-node.md, the rest is what the node does.
//
//   asc words.ts -o words.wasm -O --use abort=
//
// A module makes its node with `define(new ...)` and exports what is exported here. What the host writes is taken on trust.

export const OK = 0, MORE = 1, DONE = 3;
export const TYPE = -8, VALUE = -9, UNKNOWN_PARAMETER = -13; // failures, as docs/errors.md has them

export namespace Kind {
  export const Null: u8 = 0, Bool: u8 = 1, Int: u8 = 3, Float: u8 = 4, BigInt: u8 = 5, String: u8 = 6, Bytes: u8 = 7,
    List: u8 = 8, Map: u8 = 9, Tensor: u8 = 10;
}

const NAMES: string[] = ["null", "bool", "bool", "int", "float", "a big integer", "string", "bytes", "list", "map", "tensor"];
const NOTHING = new Uint8Array(0);

export class Value {
  truth: bool = false; // Bool
  integer: i64 = 0; // Int
  number: f64 = 0; // Float, and of Int the nearest one
  text: string = ""; // String
  bytes: Uint8Array = NOTHING; // Bytes, BigInt; of a Tensor its elements
  head: Uint8Array = NOTHING; // of a Tensor what stands before them
  items: Value[] = []; // List, Map
  keys: string[] = []; // Map

  constructor(public kind: u8) {}

  static of(integer: i64): Value {
    const made = new Value(Kind.Int);
    made.integer = integer;
    made.number = <f64>integer;
    return made;
  }

  static float(number: f64): Value {
    const made = new Value(Kind.Float);
    made.number = number;
    return made;
  }

  static string(text: string): Value {
    const made = new Value(Kind.String);
    made.text = text;
    return made;
  }

  /** An entry of a map that has none of this key. */
  put(key: string, item: Value): void {
    this.keys.push(key);
    this.items.push(item);
  }

  get(key: string): Value | null {
    const at = this.keys.indexOf(key);
    return at < 0 ? null : this.items[at];
  }

  get name(): string {
    return NAMES[this.kind];
  }
}

export class Packet {
  seq: i64 = -1;
  timestamp: i64 = i64.MIN_VALUE; // nanoseconds; the least: none
  duration: i64 = i64.MIN_VALUE;
  flags: u32 = 0;
  value: Value = new Value(Kind.Null);
  metadata: Value = new Value(Kind.Null);
}

/** What a node may do. Everything answers OK, DONE, or what `fail` answers; process, more and flush also MORE. */
export class Node {
  inputs: string[] = ["in"];
  outputs: string[] = ["out"];

  /** Reads the parameters, a map or null. Called to check a manifest, and again before the first packet. */
  configure(params: Value): i32 {
    return OK;
  }

  process(port: u32, packet: Packet): i32 {
    return OK;
  }

  more(): i32 {
    return OK;
  }

  flush(): i32 {
    return OK;
  }
}

let node = new Node();
let opened = false;
let current = new Packet(); // in process

export function define(made: Node): void {
  node = made;
}

// ---- The areas

const EXCHANGE = memory.data(40, 8);
const INPUT: usize = 0, INPUT_SIZE: usize = 4, OUTPUT: usize = 8, DONE_COUNT: usize = 16, ERROR: usize = 20;

class Area {
  start: usize = heap.alloc(256);
  length: usize = 0;
  capacity: usize = 256;

  room(size: usize): usize {
    if (this.length + size > this.capacity) {
      this.capacity = max(this.capacity * 2, this.length + size);
      this.start = heap.realloc(this.start, this.capacity);
    }
    this.length += size;
    return this.start + this.length - size;
  }

  u8(value: u8): void {
    store<u8>(this.room(1), value);
  }

  u32(value: u32): void {
    store<u32>(this.room(4), value);
  }

  i64(value: i64): void {
    store<i64>(this.room(8), value);
  }

  bytes(from: Uint8Array): void {
    memory.copy(this.room(from.length), from.dataStart, from.length);
  }

  text(text: string): void {
    const size = String.UTF8.byteLength(text);
    this.u32(size);
    String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, this.room(size));
  }

  value(value: Value): void {
    const kind = value.kind;
    this.u8(kind == Kind.Bool && value.truth ? 2 : kind);
    if (kind == Kind.Int) this.i64(value.integer);
    else if (kind == Kind.Float) store<f64>(this.room(8), value.number);
    else if (kind == Kind.String) this.text(value.text);
    else if (kind == Kind.BigInt || kind == Kind.Bytes) {
      this.u32(value.bytes.length);
      this.bytes(value.bytes);
    } else if (kind == Kind.List || kind == Kind.Map) {
      this.u32(value.items.length);
      for (let i = 0; i < value.items.length; i++) {
        if (kind == Kind.Map) this.text(value.keys[i]);
        this.value(value.items[i]);
      }
    } else if (kind == Kind.Tensor) {
      this.bytes(value.head);
      while (this.length % 16 != 0) this.u8(0);
      this.bytes(value.bytes);
    }
  }

  /** Tells the host where it lies. */
  tell(field: usize): void {
    store<u32>(EXCHANGE + field, <u32>this.start);
    store<u32>(EXCHANGE + field + 4, <u32>this.length);
  }
}

const output = new Area();
const error = new Area();
let at: usize = 0; // what is read next

function u32At(): u32 {
  at += 4;
  return load<u32>(at - 4);
}

function i64At(): i64 {
  at += 8;
  return load<i64>(at - 8);
}

function textAt(): string {
  const size = u32At();
  at += size;
  return String.UTF8.decodeUnsafe(at - size, size);
}

function bytesAt(size: i32): Uint8Array {
  const made = new Uint8Array(size);
  memory.copy(made.dataStart, at, size);
  at += size;
  return made;
}

function valueAt(): Value {
  const tag = load<u8>(at++);
  const value = new Value(tag == 2 ? Kind.Bool : tag);
  value.truth = tag == 2;
  if (tag == Kind.Int) {
    value.integer = i64At();
    value.number = <f64>value.integer;
  } else if (tag == Kind.Float) value.number = reinterpret<f64>(i64At());
  else if (tag == Kind.String) value.text = textAt();
  else if (tag == Kind.BigInt || tag == Kind.Bytes) value.bytes = bytesAt(u32At());
  else if (tag == Kind.List || tag == Kind.Map) {
    for (let left = u32At(); left > 0; left--) {
      if (tag == Kind.Map) value.keys.push(textAt());
      value.items.push(valueAt());
    }
  } else if (tag == Kind.Tensor) {
    const dimensions = load<u8>(at, 1), described = load<u32>(at, 20);
    value.head = bytesAt(24 + described + dimensions * 8 + 8);
    const size = load<u64>(at - 8);
    at = (at + 15) & ~15;
    value.bytes = bytesAt(<i32>size);
  }
  return value;
}

// ---- For the node

/** `value` leaves at an output, with the times and metadata of the packet in process. */
export function emit(value: Value, port: u32 = 0): void {
  output.u32(1);
  output.u32(port);
  output.i64(current.seq);
  output.i64(current.timestamp);
  output.i64(current.duration);
  output.u32(current.flags);
  output.u32(0);
  output.value(value);
  output.value(current.metadata);
}

/** level: 0 error, 1 warning, 2 info, 3 debug. */
export function log(text: string, level: u32 = 2): void {
  output.u32(5);
  output.u32(level);
  output.value(Value.string(text));
}

/** Tells what is wrong and what would be right; a pointer such as "/params/letters" says where. */
export function fail(code: i32, message: string, pointer: string = ""): i32 {
  const document = new Value(Kind.Map);
  document.put("message", Value.string(message));
  if (pointer != "") document.put("pointer", Value.string(pointer));
  error.length = 0;
  error.value(document);
  return code;
}

// ---- The exports

function begin(): void {
  output.length = error.length = 0;
  current = new Packet();
  store<u32>(EXCHANGE + DONE_COUNT, 0);
}

function end(rc: i32): i32 {
  output.tell(OUTPUT);
  error.tell(ERROR);
  return rc;
}

export function rm_node_interface(): i32 {
  return 1;
}

export function rm_node_exchange(): usize {
  return EXCHANGE;
}

export function rm_node_reserve(size: u32): i32 {
  if (size > load<u32>(EXCHANGE + INPUT_SIZE)) {
    const before = load<u32>(EXCHANGE + INPUT);
    if (before != 0) heap.free(before);
    store<u32>(EXCHANGE + INPUT, <u32>heap.alloc(size)); // aligned to 16 bytes
    store<u32>(EXCHANGE + INPUT_SIZE, size);
  }
  return OK;
}

function configure(): i32 {
  at = load<u32>(EXCHANGE + INPUT);
  const params = valueAt().get("params");
  return node.configure(params != null ? params : new Value(Kind.Null));
}

function names(all: string[]): Value {
  const list = new Value(Kind.List);
  for (let i = 0; i < all.length; i++) list.items.push(Value.string(all[i]));
  return list;
}

export function rm_node_describe(length: u32): i32 {
  begin();
  const rc = configure();
  const what = new Value(Kind.Map);
  what.put("inputs", names(node.inputs));
  what.put("outputs", names(node.outputs));
  if (rc == OK) output.value(what);
  return end(rc);
}

export function rm_node_open(length: u32): i32 {
  begin();
  const rc = configure();
  opened = rc == OK;
  return end(rc);
}

export function rm_node_process(port: u32, length: u32): i32 {
  begin();
  if (!opened || port >= <u32>node.inputs.length || length > load<u32>(EXCHANGE + INPUT_SIZE))
    return end(fail(-3, "rm_node_process makes no sense here"));
  at = load<u32>(EXCHANGE + INPUT);
  const count = load<u32>(at);
  at += 8;
  let rc = OK;
  for (let done: u32 = 0; done < count && rc == OK; ) {
    const packet = new Packet();
    packet.seq = i64At();
    packet.timestamp = i64At();
    packet.duration = i64At();
    packet.flags = u32At();
    at += 4;
    packet.value = valueAt();
    packet.metadata = valueAt();
    current = packet;
    rc = node.process(port, packet);
    if (rc >= 0) store<u32>(EXCHANGE + DONE_COUNT, ++done);
  }
  return end(rc);
}

export function rm_node_more(): i32 {
  begin();
  return end(node.more());
}

export function rm_node_flush(): i32 {
  begin();
  return end(node.flush());
}
