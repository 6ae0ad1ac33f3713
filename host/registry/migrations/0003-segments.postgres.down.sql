drop index change_item;
drop table audit_sealed;
drop table audit_segment;
