-- Rows of migration 3.
insert into made_setup (program, kind, place, object, mark, at) values
  ('cop', 'hook', 'group 3', '11', '11', 1772701200000),
  ('cop', 'label', 'group 3', 'cop::proposed', '21', 1772701200000);
insert into known_person (username, account, at) values ('vera', 31, 1772701200000);
