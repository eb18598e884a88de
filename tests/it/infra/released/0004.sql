-- Rows of migration 4.
insert into waiting (thing, page, ticket, at) values
  ('community cop/7', '', '019cbc5e-0000-7000-8000-000000000003', 1772701200000),
  ('community cop/8', '', '019cbc5e-0000-7000-8000-000000000004', 1772701200000);
