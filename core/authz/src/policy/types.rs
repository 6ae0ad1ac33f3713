//! Which types of the model the rule knows.

use std::collections::{BTreeMap, BTreeSet};

use mandate_authn::LoadError;
use serde::Deserialize;

use super::at;
use super::name::{check, check_distinct, require_some};

/// The types that the rule knows, each for one part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Types {
    /// Tenants.
    pub tenant: String,
    /// People.
    pub user: String,
    /// Software that acts for people.
    pub agent: String,
    /// Software that acts for itself.
    pub service: Option<String>,
    /// MCP tools, and what stands for a tool on an HTTP route.
    pub tool: Option<String>,
    /// MCP servers.
    pub server: Option<String>,
    /// Workspaces, which limit identities.
    pub workspace: Option<String>,
    /// Boards, which limit identities.
    pub board: Option<String>,
    /// Types without a tenant: of `tool` and `server` only.
    pub shared: Vec<String>,
    /// By type, the relations that lead to the object above.
    pub parents: BTreeMap<String, Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TypesFile {
    tenant: String,
    user: String,
    agent: String,
    service: Option<String>,
    tool: Option<String>,
    server: Option<String>,
    workspace: Option<String>,
    board: Option<String>,
    #[serde(default)]
    shared: Vec<String>,
    #[serde(default)]
    parents: BTreeMap<String, Vec<String>>,
}

impl Types {
    /// Whether objects of a type are people, agents or services: their tenants are in the registry's
    /// records.
    #[must_use]
    pub fn is_principal(&self, type_name: &str) -> bool {
        type_name == self.user
            || type_name == self.agent
            || self.service.as_deref() == Some(type_name)
    }

    /// Whether objects of a type have no tenant.
    #[must_use]
    pub fn is_shared(&self, type_name: &str) -> bool {
        self.shared.iter().any(|shared| shared == type_name)
    }

    /// How the builder of a snapshot finds the tenant of an object.
    #[cfg(feature = "builder")]
    #[must_use]
    pub fn tenancy_rules(&self) -> crate::snapshot::TenancyRules {
        let principals = [Some(&self.user), Some(&self.agent), self.service.as_ref()];
        crate::snapshot::TenancyRules {
            tenant_type: Some(self.tenant.clone()),
            shared: self.shared.clone(),
            parents: self.parents.clone(),
            principals: principals.into_iter().flatten().cloned().collect(),
        }
    }
}

fn check_parts(file: &Types) -> Result<(), LoadError> {
    let parts = [
        ("tenant", Some(&file.tenant)),
        ("user", Some(&file.user)),
        ("agent", Some(&file.agent)),
        ("service", file.service.as_ref()),
        ("tool", file.tool.as_ref()),
        ("server", file.server.as_ref()),
        ("workspace", file.workspace.as_ref()),
        ("board", file.board.as_ref()),
    ];
    let mut seen = BTreeSet::new();
    for (part, name) in parts {
        let Some(name) = name else { continue };
        check(part, name)?;
        if !seen.insert(name) {
            return Err(LoadError::new(part, "is the type of another part as well"));
        }
    }
    Ok(())
}

fn check_file(file: TypesFile) -> Result<Types, LoadError> {
    let TypesFile { tenant, user, agent, service, tool, server, workspace, board, shared, parents } =
        file;
    let types =
        Types { tenant, user, agent, service, tool, server, workspace, board, shared, parents };
    check_parts(&types)?;
    check_distinct("shared", &types.shared)?;
    for (position, name) in types.shared.iter().enumerate() {
        // A resource without a tenant would lift line 3: only what is called may be shared.
        if ![&types.tool, &types.server].into_iter().flatten().any(|shareable| shareable == name) {
            let path = format!("shared[{position}]");
            return Err(LoadError::new(&path, "only the types `tool` and `server` may be shared"));
        }
    }
    for (name, relations) in &types.parents {
        let path = at("parents", name);
        check(&path, name)?;
        let own = *name == types.tenant || types.is_principal(name) || types.is_shared(name);
        if own {
            return Err(LoadError::new(&path, "such objects find their tenant otherwise"));
        }
        require_some(&path, relations)?;
        check_distinct(&path, relations)?;
        for (position, relation) in relations.iter().enumerate() {
            check(&format!("{path}[{position}]"), relation)?;
        }
    }
    Ok(types)
}

pub(super) fn check_types(file: TypesFile) -> Result<Types, LoadError> {
    check_file(file).map_err(|error| error.under("types"))
}
