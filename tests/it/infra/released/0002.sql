-- Rows of migration 2.
insert into turn (name, at) values ('resync', 1772701200000), ('removal cop', 1772701200000);
