"""Shows a run to people: `page.py` is the report, `pictures.py` its screenshots. They read results.json alone."""
