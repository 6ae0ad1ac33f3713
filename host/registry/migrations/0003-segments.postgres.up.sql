-- What was exported and deleted at the beginning of a chain: docs/audit.md#segments.
create table audit_segment (
    tenant text collate "C" not null references audit_chain (tenant),
    first_sequence bigint not null check (first_sequence > 0),
    last_sequence bigint not null,
    hash bytea not null,
    statement text collate "C" not null,
    primary key (tenant, last_sequence),
    check (first_sequence <= last_sequence)
);

-- Halves of SHA-256 of the ids and of the records that are sealed: they came in once.
create table audit_sealed (
    id bytea not null,
    record bytea not null,
    primary key (id, record)
);

-- The last row of the log about something: slices of deltas ask for it.
create index change_item on change (item, era, epoch, position);
