-- The lines of a file of the sample: part {part} of those of the cohorts from {first} to before {last}.
select concat('{{"customerName": "', first_name, ' ', last_name, '", "email": "', email, '", "phone": "5550100100"',
    ', "birthDay": "', birth_year, '-01-01", "serialNumber": "', serial, '", "registrationDate": ', start + registered,
    ', "lastUpdateDate": ', start + updated, ', "shareWithResearchAsOfDate": ' || (start + consent),
    ', "shareWithPublicAsOfDate": ' || (start + public), ', "shareWithFriendsAsOfDate": ' || (start + friends), '}}')
from owners({first}, {last}) order by cohort, person
