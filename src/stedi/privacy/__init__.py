"""What may be shown of personal values."""
