"""The public contract for machines: AsyncAPI and JSON Schemas."""
