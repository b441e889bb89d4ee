"""The project's notebooks, in the order in which they run."""

STEPS = CREATE, LANDING, TRUSTED, CURATED, VALIDATION = (
    "01_create_resources",
    "02_landing_zone",
    "03_trusted_zone",
    "04_curated_zone",
    "05_validation",
)
DELETE = "06_delete_resources"
