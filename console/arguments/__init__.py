"""What may be typed: one file a subject, each adding its commands and their options."""
