-- What is done on a schedule by one instance at a time: when it was done last.

create table turn (
    name text primary key not null,
    at bigint not null
);
