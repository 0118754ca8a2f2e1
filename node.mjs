// Usage: node node.mjs start|int_rate|array_copied|array_transferred, in the project where the package is installed, to which this file
// and work.mjs are copied: the first result of a Python node, or a rate in microseconds.
import { Pipeline } from "remotemedia";
import { arrays, firstResult, ints, PLUS } from "./work.mjs";

const MEASURED = {
  start: () => firstResult(Pipeline, PLUS),
  int_rate: async () => console.log(await ints(Pipeline)),
  array_copied: async () => console.log(await arrays(Pipeline, false)),
  array_transferred: async () => console.log(await arrays(Pipeline, true)),
};
await MEASURED[process.argv[2]]();
