-- Who waits for a turn to open a merge request on a handbook page, in the order of the tickets.

create table waiting (
    thing text not null,
    page text not null,
    ticket text not null,
    -- When it last looked; who does not come back for long has gone.
    at bigint not null,
    primary key (thing, page)
);
