import { parentPort } from 'node:worker_threads';

import { serve } from './session.mjs';

parentPort.on('message', serve({ post: (message, transfer = []) => parentPort.postMessage(message, transfer) }));
