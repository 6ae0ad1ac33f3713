//! Casbin: groups of people and the hierarchy of nodes as roles, grants as policies.
//!
//! It goes through all policies for every question, so that only small worlds are bearable.

use anyhow::Result;
use casbin::{CoreApi as _, DefaultModel, Enforcer, MemoryAdapter, MgmtApi as _};
use mandate_benches::delegation::workload::Query;
use mandate_benches::delegation::{Decider, World};

use crate::facts::{Facts, Group};

const MODEL: &str = "
[request_definition]
r = sub, obj, act

[policy_definition]
p = sub, obj, act

[role_definition]
g = _, _
g2 = _, _

[policy_effect]
e = some(where (p.eft == allow))

[matchers]
m = r.act == p.act && g2(r.obj, p.obj) && g(r.sub, p.sub)
";

struct Casbin(Enforcer);

/// Loads all policies.
pub fn load(world: &World) -> Result<Box<dyn Decider>> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    Ok(Box::new(Casbin(runtime.block_on(enforcer(world))?)))
}

async fn enforcer(world: &World) -> Result<Enforcer> {
    let facts = Facts::of(&world.workload);
    let model = DefaultModel::from_str(MODEL).await?;
    let mut enforcer = Enforcer::new(model, MemoryAdapter::default()).await?;
    let name = |group: &Group<'_>| group.id.to_owned();
    let mut policies = Vec::new();
    for (id, agent) in &facts.agents {
        let groups = agent.groups.iter().map(name);
        for whom in agent.users.iter().map(|user| (*user).to_owned()).chain(groups) {
            policies.push(vec![whom, (*id).to_owned(), "act".to_owned()]);
        }
        for tool in &agent.tools {
            policies.push(vec![(*id).to_owned(), (*tool).to_owned(), "call".to_owned()]);
        }
    }
    for (id, node) in &facts.nodes {
        let grant = |whom, action: &str| vec![whom, (*id).to_owned(), action.to_owned()];
        policies.extend(node.viewers.iter().map(|whom| grant(name(whom), "view")));
        for whom in node.editors.iter().map(name) {
            policies.push(grant(whom.clone(), "edit"));
            policies.push(grant(whom, "view"));
        }
    }
    // A grant to view and one to edit may be the same grant to view.
    policies.sort_unstable();
    policies.dedup();
    enforcer.add_policies(policies).await?;
    let groups = facts.groups.iter().flat_map(|(user, groups)| {
        groups.iter().map(|group| vec![(*user).to_owned(), name(group)])
    });
    enforcer.add_named_grouping_policies("g", groups.collect()).await?;
    let parents = facts
        .nodes
        .iter()
        .filter_map(|(id, node)| Some(vec![(*id).to_owned(), node.parent?.to_owned()]));
    enforcer.add_named_grouping_policies("g2", parents.collect()).await?;
    Ok(enforcer)
}

impl Decider for Casbin {
    fn allows(&mut self, query: &Query) -> bool {
        let enforce = |subject: &str, object: &str, action: &str| {
            self.0.enforce((subject, object, action)).unwrap_or_default()
        };
        enforce(&query.user, &query.agent, "act")
            && enforce(&query.agent, &query.tool, "call")
            && enforce(&query.user, &query.node, if query.edit { "edit" } else { "view" })
    }
}
