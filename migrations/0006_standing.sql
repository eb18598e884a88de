-- How a proposal or a community stood when it was looked at last, for the figures; nothing is decided by it.

alter table work add column standing text;
