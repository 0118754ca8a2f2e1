"""The base class of nodes."""
