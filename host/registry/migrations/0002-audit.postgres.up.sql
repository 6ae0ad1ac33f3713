-- One chain of records for each tenant; `` is the chain of what has none.
create table audit_chain (
    tenant text collate "C" primary key,
    sequence bigint not null check (sequence >= 0),
    hash bytea not null
);

create table audit_event (
    tenant text collate "C" not null references audit_chain (tenant),
    sequence bigint not null check (sequence > 0),
    kind text collate "C" not null check (kind in ('change', 'conflict', 'decision')),
    decision_id text collate "C" not null,
    source text collate "C",
    source_sequence bigint,
    time bigint not null,
    machine_identity_id text collate "C",
    credential_id text collate "C",
    user_id text collate "C",
    tool text collate "C",
    verdict text collate "C",
    reason text collate "C",
    record text collate "C" not null,
    hash bytea not null,
    primary key (tenant, sequence)
);
-- An id means one record; what else came under it is kept as a conflict.
create unique index audit_event_decision on audit_event (decision_id) where kind <> 'conflict';
create index audit_event_conflict on audit_event (decision_id) where kind = 'conflict';
create index audit_event_source on audit_event (source, source_sequence);
create index audit_event_time on audit_event (tenant, time);
create index audit_event_identity on audit_event (machine_identity_id, tenant, sequence);
create index audit_event_credential on audit_event (credential_id, tenant, sequence);
create index audit_event_user on audit_event (user_id, tenant, sequence);

create table audit_checkpoint (
    tenant text collate "C" not null references audit_chain (tenant),
    sequence bigint not null,
    statement text collate "C" not null,
    primary key (tenant, sequence)
);
