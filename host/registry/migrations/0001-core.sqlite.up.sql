-- Identities, credentials, relationships, and the log of their changes.
create table registry (
    id integer primary key check (id = 1),
    deployment text not null,
    era integer not null check (era > 0),
    epoch integer not null check (epoch >= 0),
    created_at integer not null
) strict;

-- People. Their names come from an issuer; here is what decides.
create table principal (
    object text primary key,
    status text not null check (status in ('active', 'retired', 'suspended')),
    expires_at integer,
    created_at integer not null
) strict;

-- Tokens that are a principal or a machine identity. One holder never belongs to two.
create table principal_link (
    issuer text not null,
    name text not null,
    kind text not null check (kind in ('client', 'subject')),
    object text not null,
    primary key (issuer, name, kind)
) strict;
create index principal_link_object on principal_link (object);

create table membership (
    object text not null references principal (object),
    tenant text not null,
    primary key (object, tenant)
) strict;

create table machine_identity (
    object text primary key,
    kind text not null check (kind in ('agent', 'service')),
    display_name text not null,
    thread text unique,
    owner text,
    tenant text not null,
    scope text not null,
    delegation text not null check (delegation in ('on-invoke', 'stored')),
    sole_user text,
    status text not null check (status in ('active', 'retired', 'suspended')),
    expires_at integer,
    created_at integer not null,
    last_used_at integer,
    last_rotated_at integer,
    external_issuer text,
    external_subject text,
    external_client text
) strict;
create index machine_identity_tenant on machine_identity (tenant, object);

create table machine_identity_credential (
    id text primary key,
    identity text not null references machine_identity (object),
    kind text not null
        check (kind in ('app-password', 'certificate', 'context-key', 'oauth-client', 'opaque')),
    client_issuer text,
    client_name text,
    subject_issuer text,
    subject_name text,
    thumbprint blob,
    token_ids text not null,
    context_key text,
    secret_algorithm text check (secret_algorithm in ('argon2id', 'sha-256')),
    secret_hash text,
    created_at integer not null,
    expires_at integer,
    revoked_at integer,
    replaces text,
    last_used_at integer,
    check ((secret_hash is null) = (secret_algorithm is null))
) strict;
create index machine_identity_credential_identity on machine_identity_credential (identity, id);
create index machine_identity_credential_client
    on machine_identity_credential (client_issuer, client_name);
create index machine_identity_credential_subject
    on machine_identity_credential (subject_issuer, subject_name);

-- Rows of a token table that Mandate replaces. Nothing decides by them.
create table legacy_token (
    id text primary key,
    algorithm text not null,
    hash text not null unique,
    identity text references machine_identity (object),
    imported_at integer not null
) strict;
create index legacy_token_identity on legacy_token (identity);

-- Names that were given to an identity or a credential which is gone: never given again.
create table tombstone (
    name text primary key,
    deleted_at integer not null
) strict;

-- Objects that relationships or records name, with their tenant where one is known.
create table object (
    name text primary key,
    tenant text
) strict;

create table relationship (
    object text not null,
    object_type text not null,
    relation text not null,
    subject text not null,
    subject_object text not null,
    condition_name text,
    context text,
    primary key (object, relation, subject)
) strict;
create index relationship_subject on relationship (subject_object, object, relation, subject);
create index relationship_relation on relationship (object_type, relation, object, subject);

-- What changed, in the order of commits: deltas are made of it.
create table change (
    era integer not null,
    epoch integer not null,
    position integer not null,
    kind text not null,
    item text not null,
    row_bytes blob not null,
    primary key (era, epoch, position)
) strict;
