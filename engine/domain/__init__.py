"""Rules as plain functions: standard library and `models.enums` only."""
