drop table outbox;
drop table contract_version;
