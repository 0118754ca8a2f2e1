// Runs commands in Node's WASI, each in a fresh instance, as a line of JSON on standard input asks:
// {args, env, preopens, stdin, stdout, stderr} (the last three name files). Answers {exit} or {trouble}, a line each.
// Usage: node node.mjs FILE.wasm. It works on its main thread, whose stack is what users have; who asks ends it when a
// job takes too long.
import fs from 'node:fs';
import readline from 'node:readline';

import { load, start } from '../../../wasm/run.mjs';

const module = load(process.argv[2]);

async function run(job) {
    const files = [fs.openSync(job.stdin, 'r'), fs.openSync(job.stdout, 'w'), fs.openSync(job.stderr, 'w')];
    try {
        const [stdin, stdout, stderr] = files;
        const { args, env, preopens } = job;
        return { exit: await start(module, { args, env, preopens, stdin, stdout, stderr }) };
    } catch (error) {
        return { trouble: `a trap: ${error.stack ?? error}`.slice(0, 4000) };
    } finally {
        files.forEach((file) => fs.closeSync(file));
    }
}

for await (const line of readline.createInterface({ input: process.stdin }))
    process.stdout.write(JSON.stringify(await run(JSON.parse(line))) + '\n');
