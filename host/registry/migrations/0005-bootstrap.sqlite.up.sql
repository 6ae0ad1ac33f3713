-- One-time credentials by which a tenant gets its first administrator.
create table bootstrap (
    tenant text primary key,
    id text not null,
    secret_hash text not null,
    created_at integer not null,
    expires_at integer not null,
    attempts integer not null check (attempts >= 0)
) strict;
