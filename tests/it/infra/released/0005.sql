-- Rows of migration 5.
update work set rest = '"over"' where thing = 'community cop/7';
