#!/usr/bin/env node
// The command line: the program, which sees the current folder (and those of --dir GUEST=HOST) and variables of --env NAME.
import { fileURLToPath } from 'node:url';

import { program } from './program.mjs';
import { command } from './run.mjs';

const here = process.cwd();
await command(['--dir', `.=${here}`, '--dir', `${here}=${here}`, fileURLToPath(program.url), ...process.argv.slice(2)], 'remotemedia');
