"""Pretend meters, lines and serial servers, served from the same maps."""
