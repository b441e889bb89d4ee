#!/bin/sh
# The five transformations as five Spark processes, as Glue runs them. Usage: five_jobs.sh PYTHON SOURCE TARGET
set -e
for step in customer_trusted accelerometer_trusted customer_curated step_trainer_trusted machine_learning_curated; do
    "$1" "$(dirname "$0")/with_spark.py" "$2" "$3" "$step"
done
