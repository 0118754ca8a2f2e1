/** Resolves when other things of the event loop have had their turn. */
export const soon = globalThis.setImmediate
    ? () => new Promise((resume) => setImmediate(resume))
    : () => new Promise((resume) => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => {
            port1.close();
            resume();
        };
        port2.postMessage(null);
    });
