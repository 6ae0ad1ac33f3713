//! The workload's relationships by their objects, as the engines want them.

use std::collections::HashMap;

use mandate_benches::delegation::workload::Workload;

/// Relationships by object: borrowed ids without their type.
#[derive(Debug, Default)]
pub struct Facts<'w> {
    pub agents: HashMap<&'w str, Agent<'w>>,
    pub nodes: HashMap<&'w str, Node<'w>>,
    /// The teams and tenants of each user.
    pub groups: HashMap<&'w str, Vec<Group<'w>>>,
}

#[derive(Debug, Default)]
pub struct Agent<'w> {
    /// Users that it may act for.
    pub users: Vec<&'w str>,
    /// Teams and tenants whose members it may act for.
    pub groups: Vec<Group<'w>>,
    pub tools: Vec<&'w str>,
}

#[derive(Debug, Default)]
pub struct Node<'w> {
    pub parent: Option<&'w str>,
    pub viewers: Vec<Group<'w>>,
    pub editors: Vec<Group<'w>>,
}

/// A user, team or tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Group<'w> {
    pub type_name: &'w str,
    pub id: &'w str,
}

impl<'w> Facts<'w> {
    pub fn of(workload: &'w Workload) -> Self {
        let mut facts = Self::default();
        for (user, _) in &workload.users {
            facts.groups.insert(user, Vec::new());
        }
        for [object, relation, subject] in &workload.tuples {
            let object = group(object);
            facts.add(object, relation, group(subject.strip_suffix("#member").unwrap_or(subject)));
        }
        facts
    }

    fn add(&mut self, object: Group<'w>, relation: &str, subject: Group<'w>) {
        match (object.type_name, relation) {
            ("agent", "delegate_of" | "owner") => {
                self.agents.entry(object.id).or_default().users.push(subject.id);
            }
            ("agent", "shared_with" | "global_in") => {
                self.agents.entry(object.id).or_default().groups.push(subject);
            }
            ("tool", "allowed") => {
                self.agents.entry(subject.id).or_default().tools.push(object.id);
            }
            ("team" | "tenant", "member") => {
                self.groups.entry(subject.id).or_default().push(object);
            }
            ("node", "parent") => {
                self.nodes.entry(object.id).or_default().parent = Some(subject.id);
            }
            ("node", "viewer") => {
                self.nodes.entry(object.id).or_default().viewers.push(subject);
            }
            ("node", "editor") => {
                self.nodes.entry(object.id).or_default().editors.push(subject);
            }
            // Where a node or a team belongs: nobody asks.
            ("node", _) => {
                self.nodes.entry(object.id).or_default();
            }
            _ => {}
        }
    }
}

fn group(name: &str) -> Group<'_> {
    let (type_name, id) = name.split_once(':').unwrap_or_default();
    Group { type_name, id }
}
