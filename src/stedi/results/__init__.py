"""What a run can show for itself, as data."""
