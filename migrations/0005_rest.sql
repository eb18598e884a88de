-- What a thing was like when its last look found nothing to do and nothing on its way (JSON); null: it has to be looked at.
-- A resync compares it with what it reads of all at once, and asks only for looks at what differs.

alter table work add column rest text;
