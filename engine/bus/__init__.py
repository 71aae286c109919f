"""The wire: knows meters, not accounts."""
