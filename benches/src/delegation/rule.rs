//! The rule of the workload, asked of a snapshot with the general evaluation of core/authz: what
//! the native bench and the guest have in common.

use mandate_authz::evaluate::{Budget, Holding, Inputs};
use mandate_authz::snapshot::{Object, ObjectType, Relation, Snapshot};
use serde_json::Map;

/// A snapshot, with the types and relations of the rule looked up once.
#[derive(Debug)]
pub(crate) struct Rule {
    snapshot: Snapshot,
    agent: ObjectType,
    node: ObjectType,
    tool: ObjectType,
    user: ObjectType,
    can_act_for: Relation,
    allowed: Relation,
    can_edit: Relation,
    can_view: Relation,
}

impl Rule {
    /// Looks up types and relations; `None` if the snapshot is not one of the workload.
    pub(crate) fn new(snapshot: Snapshot) -> Option<Self> {
        let type_of = |name| snapshot.object_type(name);
        let relation = |of, name| snapshot.relation_of(of, name);
        let (agent, node, tool) = (type_of("agent")?, type_of("node")?, type_of("tool")?);
        Some(Self {
            agent,
            node,
            tool,
            user: type_of("user")?,
            can_act_for: relation(agent, "can_act_for")?,
            allowed: relation(tool, "allowed")?,
            can_edit: relation(node, "can_edit")?,
            can_view: relation(node, "can_view")?,
            snapshot,
        })
    }

    /// Whether the agent may act for the user, call the tool, and the user view or edit the node.
    pub(crate) fn allows(&self, [agent, user, tool, node]: [&str; 4], edit: bool) -> bool {
        let find = |of, id| self.snapshot.find_of(of, id);
        let Some(agent) = find(self.agent, agent) else { return false };
        let Some(user) = find(self.user, user) else { return false };
        let Some(tool) = find(self.tool, tool) else { return false };
        let Some(node) = find(self.node, node) else { return false };
        let reach = if edit { self.can_edit } else { self.can_view };
        self.holds(agent, self.can_act_for, user)
            && self.holds(tool, self.allowed, agent)
            && self.holds(node, reach, user)
    }

    fn holds(&self, object: Object, relation: Relation, subject: Object) -> bool {
        let (context, budget) = (Map::new(), &mut Budget::new());
        let inputs = Inputs { context: &context };
        let holding = self.snapshot.holds_relation(object, relation, subject, &inputs, budget);
        matches!(holding, Holding::Holds(_))
    }
}
