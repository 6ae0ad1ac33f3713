-- Versions of the contract that were frozen, and which of them is in force.
create table contract_version (
    version text primary key,
    digest text not null,
    frozen_at integer not null,
    deployed_at integer,
    deployed_epoch integer,
    check ((deployed_at is null) = (deployed_epoch is null))
) strict;

-- What others asked to be told, one row for each who did, until it was delivered.
create table outbox (
    message text not null,
    hook text not null,
    payload text not null,
    created_at integer not null,
    attempts integer not null check (attempts >= 0),
    next_at integer,
    delivered_at integer,
    problem text,
    primary key (message, hook)
) strict;
create index outbox_due on outbox (hook, next_at) where next_at is not null;
