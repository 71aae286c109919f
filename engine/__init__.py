"""What happens, with or without a screen."""
