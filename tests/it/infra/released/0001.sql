-- Rows as the program wrote them on the tables of migration 1.
insert into delivery (key, received_at, event, instance, subject, reason, things, body_bytes, body) values
  ('6f1c-new', 1772701200000, 'Issue Hook', 'https://gitlab.example.com', 'issue', null, 'proposal cop#12', 2, bytes'7b7d'),
  ('6f1c-other', 1772701201000, 'Push Hook', null, null, 'not about a program', '', 5, bytes'7b22');
insert into work (thing, due_at, asked_at, knocks, attempts, state, cause, lease, reason, last_error, last_look_at) values
  ('proposal cop#12', 1772701260000, null, 3, 0, 'ready', 'delivery 6f1c-new', null, null, null, 1772701200000),
  ('proposal cop#13', 1772701260000, null, 1, 8, 'failed', 'schedule', null, 'gave up after 8 failed looks', '502', 1772701200000),
  ('community cop/7', 1772701260000, null, 1, 1, 'held', 'schedule', null, 'too much', 'too much', 1772701200000),
  ('handbook cop', 1772701230000, 1772701220000, 2, 0, 'ready', 'delivery 6f1c-new', 'a-lease-of-a-process-that-is-gone', null, null, null);
insert into journal (id, thing, cause, kind, step, state, result, at, ended_at) values
  ('019cbc5e-0000-7000-8000-000000000001', 'proposal cop#12', 'delivery 6f1c-new', 'create_project',
   'create the project `rust-at-work`', 'done', '7', 1772701200000, 1772701200500),
  ('019cbc5e-0000-7000-8000-000000000002', 'proposal cop#12', 'delivery 6f1c-new', 'create_board',
   'create the board `Community board`', 'pending', null, 1772701200600, null);
insert into acceptance (proposal, text_hash, title, description, approved_by, at) values
  ('proposal cop#12', 'a1b2', 'New community', '## Focus topic', '{"approver":"vera"}', 1772701200000),
  ('proposal cop#13', 'c3d4', 'New community', '## Focus topic', '"membership"', 1772701200000);
insert into made_project (proposal, project, at) values ('proposal cop#12', 7, 1772701200500);
insert into probe (id, at) values (1, 4);
