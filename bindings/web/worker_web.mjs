import { serve } from './session.mjs';

const act = serve({ post: (message, transfer = []) => postMessage(message, transfer) });
onmessage = ({ data }) => act(data);
