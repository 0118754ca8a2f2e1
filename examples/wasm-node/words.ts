// Counts the words of texts: a map from word to count for each, and the totals at the end. "letters": how many a word has
// at least.
//
//   asc words.ts -o words.wasm -O --use abort=
import { Kind, Node, OK, Packet, TYPE, UNKNOWN_PARAMETER, VALUE, Value, define, emit, fail } from "./node";

export {
  rm_node_interface, rm_node_exchange, rm_node_reserve, rm_node_describe, rm_node_open, rm_node_process, rm_node_more,
  rm_node_flush,
} from "./node";

function count(counts: Map<string, i64>, word: string): void {
  counts.set(word, counts.has(word) ? counts.get(word) + 1 : 1);
}

function isLetter(code: i32): bool {
  return code > 127 || (code >= 97 && code <= 122) || (code >= 48 && code <= 57); // what is not ASCII counts as one
}

class Words extends Node {
  letters: i64 = 1;
  texts: i64 = 0;
  words: i64 = 0;
  all: Map<string, i64> = new Map();

  configure(params: Value): i32 {
    for (let i = 0; i < params.keys.length; i++) {
      const key = params.keys[i], pointer = "/params/" + key;
      if (key != "letters") return fail(UNKNOWN_PARAMETER, `unknown parameter '${key}'; words has: letters`, pointer);
      if (params.items[i].kind != Kind.Int) return fail(TYPE, `'letters' must be an int, not ${params.items[i].name}`, pointer);
      this.letters = params.items[i].integer;
      if (this.letters < 1) return fail(VALUE, `'letters' is ${this.letters}, but must be 1 or more`, pointer);
    }
    return OK;
  }

  process(port: u32, packet: Packet): i32 {
    if (packet.value.kind != Kind.String) return fail(TYPE, `words takes strings, got ${packet.value.name}`);
    const text = packet.value.text.toLowerCase() + " ";
    const here = new Map<string, i64>();
    let start = 0;
    for (let i = 0; i < text.length; i++) {
      if (isLetter(text.charCodeAt(i))) continue;
      if (i > start && i - start >= this.letters) count(here, text.substring(start, i));
      start = i + 1;
    }
    const result = new Value(Kind.Map);
    const found = here.keys();
    for (let i = 0; i < found.length; i++) {
      const times = here.get(found[i]);
      result.put(found[i], Value.of(times));
      this.all.set(found[i], (this.all.has(found[i]) ? this.all.get(found[i]) : 0) + times);
      this.words += times;
    }
    this.texts++;
    emit(result);
    return OK;
  }

  flush(): i32 {
    const total = new Value(Kind.Map);
    total.put("texts", Value.of(this.texts));
    total.put("words", Value.of(this.words));
    total.put("distinct", Value.of(this.all.size));
    emit(total);
    return OK;
  }
}

define(new Words());
