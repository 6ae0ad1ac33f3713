-- Versions of the contract that were frozen, and which of them is in force.
create table contract_version (
    version text collate "C" primary key,
    digest text collate "C" not null,
    frozen_at bigint not null,
    deployed_at bigint,
    deployed_epoch bigint,
    check ((deployed_at is null) = (deployed_epoch is null))
);

-- What others asked to be told, one row for each who did, until it was delivered.
create table outbox (
    message text collate "C" not null,
    hook text collate "C" not null,
    payload text collate "C" not null,
    created_at bigint not null,
    attempts bigint not null check (attempts >= 0),
    next_at bigint,
    delivered_at bigint,
    problem text collate "C",
    primary key (message, hook)
);
create index outbox_due on outbox (hook, next_at) where next_at is not null;
