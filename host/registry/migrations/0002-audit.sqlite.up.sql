-- One chain of records for each tenant; `` is the chain of what has none.
create table audit_chain (
    tenant text primary key,
    sequence integer not null check (sequence >= 0),
    hash blob not null
) strict;

create table audit_event (
    tenant text not null references audit_chain (tenant),
    sequence integer not null check (sequence > 0),
    kind text not null check (kind in ('change', 'conflict', 'decision')),
    decision_id text not null,
    source text,
    source_sequence integer,
    time integer not null,
    machine_identity_id text,
    credential_id text,
    user_id text,
    tool text,
    verdict text,
    reason text,
    record text not null,
    hash blob not null,
    primary key (tenant, sequence)
) strict;
-- An id means one record; what else came under it is kept as a conflict.
create unique index audit_event_decision on audit_event (decision_id) where kind <> 'conflict';
create index audit_event_conflict on audit_event (decision_id) where kind = 'conflict';
create index audit_event_source on audit_event (source, source_sequence);
create index audit_event_time on audit_event (tenant, time);
create index audit_event_identity on audit_event (machine_identity_id, tenant, sequence);
create index audit_event_credential on audit_event (credential_id, tenant, sequence);
create index audit_event_user on audit_event (user_id, tenant, sequence);

create table audit_checkpoint (
    tenant text not null references audit_chain (tenant),
    sequence integer not null,
    statement text not null,
    primary key (tenant, sequence)
) strict;
