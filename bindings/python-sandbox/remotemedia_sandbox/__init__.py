"""What `remotemedia.Sandbox` needs: the engine, in the folder `lib`, and the WASM files that it runs, in `wasm`."""

__version__ = "0.1.0"
