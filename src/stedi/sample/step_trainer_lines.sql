-- The lines of a file of the sample: part {part} of those of the cohorts from {first} to before {last}.
with owned as (
    select * from step_trainer_lines join owners({first}, {last}) using (person)
    where part = {part} order by cohort, person
), line as (select serial, start, unnest(lines, recursive := true) from owned)
select concat('{{"sensorReadingTime":', start + taken, ',"serialNumber":"', serial, '","distanceFromObject":', ending,
    '}}') from line
