-- Identities, credentials, relationships, and the log of their changes.
create table registry (
    id bigint primary key check (id = 1),
    deployment text collate "C" not null,
    era bigint not null check (era > 0),
    epoch bigint not null check (epoch >= 0),
    created_at bigint not null
);

-- People. Their names come from an issuer; here is what decides.
create table principal (
    object text collate "C" primary key,
    status text collate "C" not null check (status in ('active', 'retired', 'suspended')),
    expires_at bigint,
    created_at bigint not null
);

-- Tokens that are a principal or a machine identity. One holder never belongs to two.
create table principal_link (
    issuer text collate "C" not null,
    name text collate "C" not null,
    kind text collate "C" not null check (kind in ('client', 'subject')),
    object text collate "C" not null,
    primary key (issuer, name, kind)
);
create index principal_link_object on principal_link (object);

create table membership (
    object text collate "C" not null references principal (object),
    tenant text collate "C" not null,
    primary key (object, tenant)
);

create table machine_identity (
    object text collate "C" primary key,
    kind text collate "C" not null check (kind in ('agent', 'service')),
    display_name text collate "C" not null,
    thread text collate "C" unique,
    owner text collate "C",
    tenant text collate "C" not null,
    scope text collate "C" not null,
    delegation text collate "C" not null check (delegation in ('on-invoke', 'stored')),
    sole_user text collate "C",
    status text collate "C" not null check (status in ('active', 'retired', 'suspended')),
    expires_at bigint,
    created_at bigint not null,
    last_used_at bigint,
    last_rotated_at bigint,
    external_issuer text collate "C",
    external_subject text collate "C",
    external_client text collate "C"
);
create index machine_identity_tenant on machine_identity (tenant, object);

create table machine_identity_credential (
    id text collate "C" primary key,
    identity text collate "C" not null references machine_identity (object),
    kind text collate "C" not null
        check (kind in ('app-password', 'certificate', 'context-key', 'oauth-client', 'opaque')),
    client_issuer text collate "C",
    client_name text collate "C",
    subject_issuer text collate "C",
    subject_name text collate "C",
    thumbprint bytea,
    token_ids text collate "C" not null,
    context_key text collate "C",
    secret_algorithm text collate "C" check (secret_algorithm in ('argon2id', 'sha-256')),
    secret_hash text collate "C",
    created_at bigint not null,
    expires_at bigint,
    revoked_at bigint,
    replaces text collate "C",
    last_used_at bigint,
    check ((secret_hash is null) = (secret_algorithm is null))
);
create index machine_identity_credential_identity on machine_identity_credential (identity, id);
create index machine_identity_credential_client
    on machine_identity_credential (client_issuer, client_name);
create index machine_identity_credential_subject
    on machine_identity_credential (subject_issuer, subject_name);

-- Rows of a token table that Mandate replaces. Nothing decides by them.
create table legacy_token (
    id text collate "C" primary key,
    algorithm text collate "C" not null,
    hash text collate "C" not null unique,
    identity text collate "C" references machine_identity (object),
    imported_at bigint not null
);
create index legacy_token_identity on legacy_token (identity);

-- Names that were given to an identity or a credential which is gone: never given again.
create table tombstone (
    name text collate "C" primary key,
    deleted_at bigint not null
);

-- Objects that relationships or records name, with their tenant where one is known.
create table object (
    name text collate "C" primary key,
    tenant text collate "C"
);

create table relationship (
    object text collate "C" not null,
    object_type text collate "C" not null,
    relation text collate "C" not null,
    subject text collate "C" not null,
    subject_object text collate "C" not null,
    condition_name text collate "C",
    context text collate "C",
    primary key (object, relation, subject)
);
create index relationship_subject on relationship (subject_object, object, relation, subject);
create index relationship_relation on relationship (object_type, relation, object, subject);

-- What changed, in the order of commits: deltas are made of it.
create table change (
    era bigint not null,
    epoch bigint not null,
    position bigint not null,
    kind text collate "C" not null,
    item text collate "C" not null,
    row_bytes bytea not null,
    primary key (era, epoch, position)
);
