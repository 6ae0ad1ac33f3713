//! The rules of the lint: docs/envoy.md#lint.

/// One way in which a configuration opens the door, or closes it for everybody. Its name never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "docs/envoy.md#lint says of each why it is one")]
pub enum Rule {
    AdminExposed,
    ClientCertificate,
    ClusterAuthority,
    ClusterName,
    ClusterPlaintext,
    ConfigurationRefused,
    FailOpen,
    FilterAfter,
    FilterBypassed,
    FilterDisabled,
    FilterMissing,
    HeadersNotHeld,
    InternalRedirect,
    KeysAbsent,
    LocalReply,
    ModuleUnpinned,
    NoReload,
    PathNotNormalized,
    PeerAddress,
    RouteHeaders,
    RouteMatch,
    RoutePlugin,
    RouteRewrite,
    SlashesNotMerged,
    StateNotShared,
    StreamUnbounded,
    UnderscoresKept,
    Unseen,
    UpgradeUnfiltered,
    VmShared,
}

impl Rule {
    /// Every rule.
    pub const ALL: [Self; 30] = [
        Self::AdminExposed,
        Self::ClientCertificate,
        Self::ClusterAuthority,
        Self::ClusterName,
        Self::ClusterPlaintext,
        Self::ConfigurationRefused,
        Self::FailOpen,
        Self::FilterAfter,
        Self::FilterBypassed,
        Self::FilterDisabled,
        Self::FilterMissing,
        Self::HeadersNotHeld,
        Self::InternalRedirect,
        Self::KeysAbsent,
        Self::LocalReply,
        Self::ModuleUnpinned,
        Self::NoReload,
        Self::PathNotNormalized,
        Self::PeerAddress,
        Self::RouteHeaders,
        Self::RouteMatch,
        Self::RoutePlugin,
        Self::RouteRewrite,
        Self::SlashesNotMerged,
        Self::StateNotShared,
        Self::StreamUnbounded,
        Self::UnderscoresKept,
        Self::Unseen,
        Self::UpgradeUnfiltered,
        Self::VmShared,
    ];

    /// Its name in reports.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::AdminExposed => "admin-exposed",
            Self::ClientCertificate => "client-certificate",
            Self::ClusterAuthority => "cluster-authority",
            Self::ClusterName => "cluster-name",
            Self::ClusterPlaintext => "cluster-plaintext",
            Self::ConfigurationRefused => "configuration-refused",
            Self::FailOpen => "fail-open",
            Self::FilterAfter => "filter-after",
            Self::FilterBypassed => "filter-bypassed",
            Self::FilterDisabled => "filter-disabled",
            Self::FilterMissing => "filter-missing",
            Self::HeadersNotHeld => "headers-not-held",
            Self::InternalRedirect => "internal-redirect",
            Self::KeysAbsent => "keys-absent",
            Self::LocalReply => "local-reply",
            Self::ModuleUnpinned => "module-unpinned",
            Self::NoReload => "no-reload",
            Self::PathNotNormalized => "path-not-normalized",
            Self::PeerAddress => "peer-address",
            Self::RouteHeaders => "route-headers",
            Self::RouteMatch => "route-match",
            Self::RoutePlugin => "route-plugin",
            Self::RouteRewrite => "route-rewrite",
            Self::SlashesNotMerged => "slashes-not-merged",
            Self::StateNotShared => "state-not-shared",
            Self::StreamUnbounded => "stream-unbounded",
            Self::UnderscoresKept => "underscores-kept",
            Self::Unseen => "unseen",
            Self::UpgradeUnfiltered => "upgrade-unfiltered",
            Self::VmShared => "vm-shared",
        }
    }

    /// What to do about it.
    #[must_use]
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::AdminExposed => "let `admin.address` be loopback or a Unix socket",
            Self::ClientCertificate => "`require_client_certificate: true` and a `trusted_ca`",
            Self::ClusterAuthority => {
                "give `validation_context` a `trusted_ca`, and no `trust_chain_verification`"
            }
            Self::ClusterName => {
                "give `validation_context` `match_typed_subject_alt_names` with an `exact` name"
            }
            Self::ClusterPlaintext => {
                "give the cluster a `transport_socket` of `UpstreamTlsContext`, or loopback or Unix sockets alone"
            }
            Self::ConfigurationRefused => {
                "write what docs/envoy.md#configuration says; `mandate envoy schema` helps editors"
            }
            Self::FailOpen => "`failure_policy: FAIL_RELOAD`, and no `fail_open`",
            Self::FilterAfter => {
                "move it before the gate, which then decides on what it has made of the request"
            }
            Self::FilterBypassed => "put the gate into every chain, or take the chain away",
            Self::FilterDisabled => {
                "take the setting away; what everybody may do is the contract's `open`"
            }
            Self::FilterMissing => {
                "put the gate before the router, or name the listener with `--unguarded`"
            }
            Self::HeadersNotHeld => "`allow_on_headers_stop_iteration: true`",
            Self::InternalRedirect => {
                "take the policy away: the client follows redirects, and each step is decided"
            }
            Self::KeysAbsent => {
                "name it in `key_sets` beside the `feed`, or write its keys into `trust`"
            }
            Self::LocalReply => "leave out `status_code` below 400, and every body",
            Self::ModuleUnpinned => {
                "for a file: `vm_id: mandate@sha256:DIGEST`, and the file with that digest (`--module` names a copy of it); for `remote`: `sha256`"
            }
            Self::NoReload => "`failure_policy: FAIL_RELOAD`",
            Self::PathNotNormalized => "`normalize_path: true`",
            Self::PeerAddress => {
                "`use_remote_address: true` without `xff_num_trusted_hops`, `original_ip_detection_extensions` and the PROXY protocol, or no `peer_address`"
            }
            Self::RouteHeaders => "leave `x-mandate-*` to the gate",
            Self::RouteMatch => "match on something that the gate does not change",
            Self::RoutePlugin => "name the `cluster`, or weighted ones",
            Self::RouteRewrite => {
                "let the upstream serve the path that is decided, or rewrite before the gate"
            }
            Self::SlashesNotMerged => "`merge_slashes: true`",
            Self::StateNotShared => {
                "a `WasmService` with `singleton: true`, role `sync`, and the filter's own `vm_id`; or a `feed` in the filter's configuration"
            }
            Self::StreamUnbounded => "`max_stream_duration` of more than nothing and at most 300s",
            Self::UnderscoresKept => {
                "`common_http_protocol_options.headers_with_underscores_action: REJECT_REQUEST`"
            }
            Self::Unseen => "lint `/config_dump?include_eds` of the running Envoy",
            Self::UpgradeUnfiltered => "leave `filters` out, or put the gate among them",
            Self::VmShared => "give the other plugin a `vm_id` of its own",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_in_the_documentation_with_its_remedy() {
        let page = include_str!("../../../../docs/envoy.md");
        let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| `")).collect();
        for rule in Rule::ALL {
            let row = rows.iter().find(|row| row.starts_with(&format!("| `{}` |", rule.id())));
            assert!(row.is_some(), "{}", rule.id());
        }
        let ids: std::collections::BTreeSet<_> = Rule::ALL.map(Rule::id).into();
        assert_eq!(ids.len(), Rule::ALL.len());
    }
}
