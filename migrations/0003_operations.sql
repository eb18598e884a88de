-- What `init` made, so that `init --remove` takes back that and nothing else; and which account a name was last seen with.

create table made_setup (
    program text not null,
    -- 'hook', 'label' or 'template'.
    kind text not null,
    -- The project or group, as in 'project 7'.
    place text not null,
    -- The hook's id, the label's name, the file's path.
    object text not null,
    -- What it was like when it was made: a digest, or GitLab's id.
    mark text not null,
    at bigint not null,
    primary key (program, kind, place, object)
);

create table known_person (
    -- In lower case.
    username text primary key not null,
    account bigint not null,
    at bigint not null
);

create index journal_by_time on journal (at);
