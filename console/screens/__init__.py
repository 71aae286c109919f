"""One file a screen; a screen calls services and decides nothing."""
