"""Schemas and tokens."""
