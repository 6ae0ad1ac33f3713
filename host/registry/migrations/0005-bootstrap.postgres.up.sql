-- One-time credentials by which a tenant gets its first administrator.
create table bootstrap (
    tenant text collate "C" primary key,
    id text collate "C" not null,
    secret_hash text collate "C" not null,
    created_at bigint not null,
    expires_at bigint not null,
    attempts bigint not null check (attempts >= 0)
);
