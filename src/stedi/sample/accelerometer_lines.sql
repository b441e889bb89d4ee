-- The lines of a file of the sample: part {part} of those of the cohorts from {first} to before {last}.
with owned as (
    select * from accelerometer_lines join owners({first}, {last}) using (person)
    where part = {part} order by cohort, person
), line as (select email, start, unnest(lines, recursive := true) from owned)
select concat('{{"user":"', email, '","timestamp":', start + taken, ',"x":', ending) from line
