import { defineConfig } from 'vite';

// An isolated page may share memory between the audio thread and the pipeline's Worker.
const headers = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

export default defineConfig({
    base: './',
    build: { outDir: '../demo', emptyOutDir: true, target: 'es2022', assetsInlineLimit: 0, chunkSizeWarningLimit: 1000 },
    worker: { format: 'es' },
    preview: { host: '127.0.0.1', port: 8000, headers },
});
