-- Deliveries as they came in, work to be looked at, and what was done about it.
--
-- The same text serves SQLite and PostgreSQL: integers (times are milliseconds since 1970 UTC), texts and bytes.

create table delivery (
    -- GitLab's Idempotency-Key (or webhook-id), else a digest of the body.
    key text primary key not null,
    received_at bigint not null,
    event text,
    instance text,
    subject text,
    -- Why it led to no look, or to a look at everything.
    reason text,
    -- Keys of the things that it knocked at, one a line.
    things text not null,
    -- Length of the body; what is kept of it may be less.
    body_bytes bigint not null,
    body bytea not null
);

create index delivery_by_time on delivery (received_at);

create table work (
    -- The thing's key: one row per thing, however often it was knocked at.
    thing text primary key not null,
    -- When to look next; while somebody looks: when their lease ends.
    due_at bigint not null,
    -- The earliest wish of those who knocked since the present look began.
    asked_at bigint,
    -- Knocks since the row was made.
    knocks bigint not null,
    -- Failed looks in a row.
    attempts bigint not null,
    -- 'ready', 'failed' (gave up; the next knock tries again) or 'held' (until a person releases it).
    state text not null,
    -- The last knock's reason, for the log only.
    cause text not null,
    -- Who looks at it now. A look's answer without this token is refused.
    lease text,
    -- Why it is held.
    reason text,
    last_error text,
    last_look_at bigint
);

create index work_by_due on work (state, due_at);

create table journal (
    -- A UUID of version 7: texts sort by time.
    id text primary key not null,
    thing text not null,
    cause text not null,
    kind text not null,
    step text not null,
    -- 'pending' before the call, then 'done', 'failed' or 'unknown' (the answer was lost).
    state text not null,
    result text,
    at bigint not null,
    ended_at bigint
);

create index journal_by_thing on journal (thing, id);

create index journal_by_state on journal (state, id);

-- The text of a proposal as it was accepted, and what the acceptance rests on (JSON).
create table acceptance (
    proposal text primary key not null,
    text_hash text not null,
    title text not null,
    description text not null,
    approved_by text not null,
    at bigint not null
);

-- The project that was made for a proposal: never made again, whatever became of it.
create table made_project (
    proposal text primary key not null,
    project bigint not null,
    at bigint not null
);

-- A row to write when nothing else is to be written, to see whether the database takes it.
create table probe (
    id bigint primary key not null,
    at bigint not null
);
