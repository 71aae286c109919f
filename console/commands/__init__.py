"""One function a command: it calls a service or a view and prints what came of it."""
