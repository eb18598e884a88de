-- Rows of migration 6.
update work set standing = 'approved' where thing = 'proposal cop#12';
update work set standing = 'active listed' where thing = 'community cop/7';
