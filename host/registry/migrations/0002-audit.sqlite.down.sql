drop table audit_checkpoint;
drop table audit_event;
drop table audit_chain;
