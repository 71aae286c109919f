"""What is remembered: tables, and nothing that decides. `models.enums` needs no database."""
