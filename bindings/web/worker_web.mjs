// The Worker of a page's pipelines; and what a page loads that has a pipeline in itself.
import { serve } from './session.mjs';

export { serve };

if (typeof WorkerGlobalScope !== 'undefined' && globalThis.name === 'remotemedia') {
    const act = serve({ post: (message, transfer = []) => postMessage(message, transfer) });
    onmessage = ({ data }) => act(data);
}
