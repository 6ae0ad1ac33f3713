//! Cedar: the encoding of its paper's document-sharing case.
//!
//! A grant to somebody is an entity above the nodes that it was given for, and everybody lists the
//! grants of their own and of their groups; so the hierarchy of nodes is walked when entities are
//! loaded, and a request is a few look-ups. Two policies, one an action.

use std::collections::{HashMap, HashSet};
use std::str::FromStr as _;

use anyhow::{Context as _, Result};
use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid,
    PolicySet, Request, RestrictedExpression,
};
use mandate_benches::delegation::workload::Query;
use mandate_benches::delegation::{Decider, World};

use crate::facts::{Agent, Facts, Group, Node};

const POLICIES: &str = r#"
permit (principal, action == Action::"view", resource) when {
    principal in context.agent.actsFor &&
    context.agent.tools.contains(context.tool) &&
    resource in principal.viewGrants
};
permit (principal, action == Action::"edit", resource) when {
    principal in context.agent.actsFor &&
    context.agent.tools.contains(context.tool) &&
    resource in principal.editGrants
};
"#;

/// Everything is loaded before the first request.
struct Preloaded {
    authorizer: Authorizer,
    policies: PolicySet,
    entities: Entities,
    /// Built before, by their number.
    requests: Vec<Request>,
}

/// Loads everything, and builds the requests: the best case.
pub fn load(world: &World) -> Result<Box<dyn Decider>> {
    let facts = Facts::of(&world.workload);
    let names = Names::new()?;
    let mut entities = Vec::new();
    for (id, groups) in &facts.groups {
        entities.push(names.user_entity(id, groups)?);
    }
    for (id, agent) in &facts.agents {
        entities.push(names.agent_entity(id, agent)?);
    }
    for (id, node) in &facts.nodes {
        entities.push(names.node_entity(id, node));
    }
    let requests = world.workload.queries.iter().map(|query| names.request(query));
    let requests = requests.collect::<Result<_>>()?;
    Ok(Box::new(Preloaded {
        authorizer: Authorizer::new(),
        policies: PolicySet::from_str(POLICIES)?,
        entities: Entities::from_entities(entities, None)?,
        requests,
    }))
}

impl Decider for Preloaded {
    fn allows(&mut self, query: &Query) -> bool {
        let Some(request) = self.requests.get(query.number) else { return false };
        let answer = self.authorizer.is_authorized(request, &self.policies, &self.entities);
        answer.decision() == Decision::Allow
    }
}

/// Only what one request needs is given to Cedar, as a service does that keeps its own tables.
struct Slices {
    authorizer: Authorizer,
    policies: PolicySet,
    names: Names,
    groups: HashMap<String, Vec<(String, String)>>,
    agents: HashMap<String, OwnedAgent>,
    nodes: HashMap<String, OwnedNode>,
}

struct OwnedAgent {
    users: Vec<String>,
    groups: Vec<(String, String)>,
    tools: Vec<String>,
}

struct OwnedNode {
    parent: Option<String>,
    viewers: Vec<(String, String)>,
    editors: Vec<(String, String)>,
}

/// Loads the tables from which the entities of each request are made.
pub fn load_slices(world: &World) -> Result<Box<dyn Decider>> {
    let facts = Facts::of(&world.workload);
    let agents = facts.agents.into_iter().map(|(id, agent)| (id.to_owned(), own_agent(&agent)));
    let nodes = facts.nodes.into_iter().map(|(id, node)| (id.to_owned(), own_node(&node)));
    let groups = facts.groups.into_iter().map(|(id, groups)| (id.to_owned(), own(&groups)));
    Ok(Box::new(Slices {
        authorizer: Authorizer::new(),
        policies: PolicySet::from_str(POLICIES)?,
        names: Names::new()?,
        groups: groups.collect(),
        agents: agents.collect(),
        nodes: nodes.collect(),
    }))
}

impl Slices {
    fn decide(&self, query: &Query) -> Result<bool> {
        let groups = self.groups.get(&query.user).context("the user is known")?;
        let agent = self.agents.get(&query.agent).context("the agent is known")?;
        let mut entities = vec![
            self.names.user_entity(&query.user, &borrow(groups))?,
            self.names.agent_entity(&query.agent, &agent.borrow())?,
        ];
        let mut at = Some(query.node.as_str());
        while let Some(id) = at {
            let node = self.nodes.get(id).context("the node is known")?;
            entities.push(self.names.node_entity(id, &node.borrow()));
            at = node.parent.as_deref();
        }
        let entities = Entities::from_entities(entities, None)?;
        let request = self.names.request(query)?;
        let answer = self.authorizer.is_authorized(&request, &self.policies, &entities);
        Ok(answer.decision() == Decision::Allow)
    }
}

impl Decider for Slices {
    fn allows(&mut self, query: &Query) -> bool {
        self.decide(query).unwrap_or_default()
    }
}

fn own(groups: &[Group<'_>]) -> Vec<(String, String)> {
    groups.iter().map(|group| (group.type_name.to_owned(), group.id.to_owned())).collect()
}

fn borrow(groups: &[(String, String)]) -> Vec<Group<'_>> {
    groups.iter().map(|(type_name, id)| Group { type_name, id }).collect()
}

fn own_agent(agent: &Agent<'_>) -> OwnedAgent {
    let texts = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
    OwnedAgent {
        users: texts(&agent.users),
        groups: own(&agent.groups),
        tools: texts(&agent.tools),
    }
}

fn own_node(node: &Node<'_>) -> OwnedNode {
    OwnedNode {
        parent: node.parent.map(str::to_owned),
        viewers: own(&node.viewers),
        editors: own(&node.editors),
    }
}

impl OwnedAgent {
    fn borrow(&self) -> Agent<'_> {
        Agent {
            users: self.users.iter().map(String::as_str).collect(),
            groups: borrow(&self.groups),
            tools: self.tools.iter().map(String::as_str).collect(),
        }
    }
}

impl OwnedNode {
    fn borrow(&self) -> Node<'_> {
        Node {
            parent: self.parent.as_deref(),
            viewers: borrow(&self.viewers),
            editors: borrow(&self.editors),
        }
    }
}

/// Names of entities, with their types parsed once.
struct Names {
    agent: EntityTypeName,
    node: EntityTypeName,
    tool: EntityTypeName,
    user: EntityTypeName,
    team: EntityTypeName,
    tenant: EntityTypeName,
    view: EntityTypeName,
    edit: EntityTypeName,
    action_view: EntityUid,
    action_edit: EntityUid,
}

impl Names {
    fn new() -> Result<Self> {
        let type_name = EntityTypeName::from_str;
        Ok(Self {
            agent: type_name("Agent")?,
            node: type_name("Node")?,
            tool: type_name("Tool")?,
            user: type_name("User")?,
            team: type_name("Team")?,
            tenant: type_name("Tenant")?,
            view: type_name("ViewGrant")?,
            edit: type_name("EditGrant")?,
            action_view: EntityUid::from_str(r#"Action::"view""#)?,
            action_edit: EntityUid::from_str(r#"Action::"edit""#)?,
        })
    }

    fn uid(of: &EntityTypeName, id: &str) -> EntityUid {
        EntityUid::from_type_name_and_id(of.clone(), EntityId::new(id))
    }

    fn group(&self, group: Group<'_>) -> EntityUid {
        let of = match group.type_name {
            "team" => &self.team,
            "tenant" => &self.tenant,
            _ => &self.user,
        };
        Self::uid(of, group.id)
    }

    /// The grant of a kind to a user or group.
    fn grant(&self, kind: &EntityTypeName, group: Group<'_>) -> EntityUid {
        Self::uid(kind, &format!("{}:{}", group.type_name, group.id))
    }

    fn user_entity(&self, id: &str, groups: &[Group<'_>]) -> Result<Entity> {
        let own = Group { type_name: "user", id };
        let everyone = || groups.iter().copied().chain([own]);
        let edit: Vec<EntityUid> = everyone().map(|group| self.grant(&self.edit, group)).collect();
        let view =
            everyone().map(|group| self.grant(&self.view, group)).chain(edit.iter().cloned());
        let attributes = HashMap::from([
            ("viewGrants".to_owned(), set(view)),
            ("editGrants".to_owned(), set(edit.iter().cloned())),
        ]);
        let parents = groups.iter().map(|group| self.group(*group)).collect();
        Ok(Entity::new(Self::uid(&self.user, id), attributes, parents)?)
    }

    fn agent_entity(&self, id: &str, agent: &Agent<'_>) -> Result<Entity> {
        let users = agent.users.iter().map(|user| Self::uid(&self.user, user));
        let acts_for = users.chain(agent.groups.iter().map(|group| self.group(*group)));
        let tools = agent.tools.iter().map(|tool| Self::uid(&self.tool, tool));
        let attributes = HashMap::from([
            ("actsFor".to_owned(), set(acts_for)),
            ("tools".to_owned(), set(tools)),
        ]);
        Ok(Entity::new(Self::uid(&self.agent, id), attributes, HashSet::new())?)
    }

    fn node_entity(&self, id: &str, node: &Node<'_>) -> Entity {
        let viewers = node.viewers.iter().map(|group| self.grant(&self.view, *group));
        let editors = node.editors.iter().map(|group| self.grant(&self.edit, *group));
        let parent = node.parent.map(|parent| Self::uid(&self.node, parent));
        let parents = viewers.chain(editors).chain(parent).collect();
        Entity::new_no_attrs(Self::uid(&self.node, id), parents)
    }

    fn request(&self, query: &Query) -> Result<Request> {
        let uid = RestrictedExpression::new_entity_uid;
        let context = Context::from_pairs([
            ("agent".to_owned(), uid(Self::uid(&self.agent, &query.agent))),
            ("tool".to_owned(), uid(Self::uid(&self.tool, &query.tool))),
        ])?;
        let action = if query.edit { &self.action_edit } else { &self.action_view };
        let user = Self::uid(&self.user, &query.user);
        let node = Self::uid(&self.node, &query.node);
        Ok(Request::new(user, action.clone(), node, context, None)?)
    }
}

fn set(uids: impl Iterator<Item = EntityUid>) -> RestrictedExpression {
    RestrictedExpression::new_set(uids.map(RestrictedExpression::new_entity_uid))
}
