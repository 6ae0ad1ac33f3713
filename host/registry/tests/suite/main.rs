//! Every test of stores, on SQLite and on a real Postgres.
//!
//! `MANDATE_POSTGRES` names the folder of Postgres's programs; without it that half is skipped, said
//! aloud, and counted.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "tests"
)]

mod apply;
mod audit;
mod bootstraps;
mod content;
mod contracts;
mod credentials;
mod documentation;
mod failures;
mod identities;
mod kills;
mod migrations;
mod people;
mod permissions;
mod relationships;
mod scene;
mod secrets;
mod segments;
mod server;
mod skip;
mod store;
mod tampering;
mod writers;

/// Runs each case on both databases: one test each.
macro_rules! on_both {
    ($($module:ident: $($case:ident),+ $(,)?;)+) => {
        mod sqlite {
            $(mod $module { $(
                #[test]
                fn $case() {
                    crate::$module::$case(&crate::store::Store::sqlite());
                }
            )+ })+
        }
        mod postgres {
            $(mod $module { $(
                #[test]
                fn $case() {
                    if let Some(store) = crate::store::Store::postgres() {
                        crate::$module::$case(&store);
                    }
                }
            )+ })+
        }
    };
}

on_both! {
    apply:
        facts_applied_twice_change_nothing,
        facts_that_contradict_the_registry_change_nothing,
        what_was_allowed_is_the_last_use;
    audit:
        a_conflicting_record_is_kept_beside_the_first,
        a_record_comes_in_once_however_often_it_is_sent,
        a_record_is_refused_for_what_it_should_not_hold,
        every_change_is_an_event_of_its_identity_and_credential,
        missing_numbers_of_a_source_are_reported,
        records_are_found_by_each_of_their_columns_and_in_pages;
    bootstraps:
        a_bootstrap_credential_ends_by_itself_and_by_attempts,
        a_bootstrap_credential_ends_with_any_first_administrator,
        a_bootstrap_credential_is_for_active_people_of_its_tenant,
        a_bootstrap_credential_makes_one_administrator_once,
        a_row_beside_an_administrator_opens_nothing,
        only_the_operator_makes_a_bootstrap_credential,
        two_who_redeem_at_once_are_one_administrator;
    content:
        a_slice_has_its_tenants_and_what_all_share_and_names_nobody_else,
        a_snapshot_with_deltas_is_the_snapshot_of_later,
        containers_are_signed_and_lead_from_one_to_the_next;
    contracts:
        a_failed_delivery_waits_longer_each_time_and_is_given_up,
        a_message_goes_to_every_hook_until_it_is_delivered,
        a_version_is_frozen_then_deployed_and_means_one_content,
        only_the_operator_freezes_and_deploys,
        two_nodes_deliver_each_message_once;
    credentials:
        a_certificate_of_another_identity_is_refused,
        a_dry_run_changes_nothing_and_shows_no_secret,
        a_generated_secret_is_good_until_its_credential_is_not,
        a_key_is_stored_only_if_it_is_public,
        a_revoked_credential_leaves_its_identity_as_it_is,
        an_imported_secret_is_checked_like_a_generated_one,
        every_kind_is_stored_with_what_it_is_made_of,
        legacy_tokens_are_recognised_and_decide_nothing,
        revoking_all_leaves_the_revoked_ones_as_they_were,
        rotation_overlaps_for_the_window_and_no_longer;
    failures:
        a_newer_schema_is_refused_and_left_alone,
        an_empty_database_is_told_to_be_migrated,
        a_registry_that_is_not_initialized_says_so,
        a_registry_is_initialized_once;
    identities:
        a_deleted_name_is_never_given_again,
        a_holder_belongs_to_one_principal,
        a_thread_gets_identity_and_credential_in_one_write,
        an_identity_is_made_shown_and_listed_in_pages,
        an_identity_is_suspended_resumed_and_retired_for_good,
        the_log_has_each_change_as_a_row_of_a_delta,
        what_the_contract_does_not_know_is_refused;
    migrations:
        a_changed_migration_is_noticed,
        a_dry_run_tells_the_steps_and_touches_nothing,
        data_survives_the_migrations_above_it,
        everything_goes_down_and_up_again,
        two_processes_migrate_at_once,
        what_was_not_sealed_survives_the_way_down_and_up;
    people:
        a_person_without_a_tenant_keeps_nothing_of_any,
        a_person_who_leaves_a_tenant_loses_what_joined_it,
        a_person_is_registered_with_links_and_memberships;
    permissions:
        an_operator_registers_and_does_nothing_else,
        every_actor_does_what_the_table_says,
        nobody_becomes_an_administrator_by_writing_it,
        nobody_grants_on_shared_tools_what_they_lack,
        to_a_token_of_one_tenant_the_others_are_not_there,
        who_left_the_tenant_owns_nothing_in_it,
        writing_a_delegation_needs_that_user_or_an_administrator;
    relationships:
        a_condition_is_stored_with_its_context,
        a_move_of_a_parent_moves_everything_below,
        a_relationship_that_joins_two_tenants_is_refused,
        an_object_is_where_its_known_parent_is,
        relationships_are_written_listed_and_deleted,
        those_of_a_tenant_name_nothing_of_another,
        the_log_builds_the_snapshot_that_the_tables_say,
        what_the_model_has_no_place_for_is_refused;
    secrets:
        no_planted_secret_is_in_a_dump,
        no_planted_secret_is_in_an_error_or_a_log;
    segments:
        a_checkpoint_of_a_sealed_record_is_compared_with_its_file,
        a_sealed_record_comes_in_once_still,
        sealed_records_are_in_a_file_and_the_chain_goes_on,
        sealing_is_for_the_operator_and_the_oldest_records,
        tampering_with_a_segment_is_named,
        tampering_with_the_file_of_a_segment_is_named;
    tampering:
        a_chain_written_anew_is_noticed_by_a_checkpoint_only,
        a_checkpoint_of_another_key_or_tenant_is_refused,
        each_way_of_tampering_names_the_first_bad_record;
    writers:
        a_transaction_that_failed_does_not_commit_as_if_it_had_not,
        a_write_that_fails_leaves_nothing,
        an_era_begins_where_the_last_one_ended,
        two_connections_that_write_at_once_lose_nothing;
}
