//! Rego by regorus, compiled for its virtual machine.
//!
//! Data are maps by name, so that nothing is scanned; Rego has no recursion, so that the chain of
//! parents is written out for as many levels as the workload has.

use std::sync::Arc;

use anyhow::Result;
use mandate_benches::delegation::workload::Query;
use mandate_benches::delegation::{Decider, World};
use regorus::languages::rego::compiler::Compiler;
use regorus::rvm::vm::RegoVM;
use regorus::{Engine, Value};
use serde_json::{Map, json};

use crate::facts::{Facts, Group};

const POLICY: &str = r#"
package mandate

default allow := false

allow if {
    acts_for
    data.agents[input.agent].tools[input.tool]
    reaches
}

acts_for if data.agents[input.agent].users[input.user]

acts_for if {
    some group, _ in data.users[input.user]
    data.agents[input.agent].groups[group]
}

granted(node) if data.nodes[node].edit[input.user]

granted(node) if {
    some group, _ in data.users[input.user]
    data.nodes[node].edit[group]
}

granted(node) if {
    input.view
    data.nodes[node].view[input.user]
}

granted(node) if {
    input.view
    some group, _ in data.users[input.user]
    data.nodes[node].view[group]
}

parent(node) := data.nodes[node].parent

reaches if granted(input.node)
reaches if granted(parent(input.node))
reaches if granted(parent(parent(input.node)))
reaches if granted(parent(parent(parent(input.node))))
reaches if granted(parent(parent(parent(parent(input.node)))))
reaches if granted(parent(parent(parent(parent(parent(input.node))))))
reaches if granted(parent(parent(parent(parent(parent(parent(input.node)))))))
"#;

struct Rego(RegoVM);

/// Loads the data and compiles the policy.
pub fn load(world: &World) -> Result<Box<dyn Decider>> {
    let mut engine = Engine::new();
    engine.add_policy("mandate.rego".to_owned(), POLICY.to_owned())?;
    let entry: Arc<str> = ENTRY.into();
    let policy = engine.compile_with_entrypoint(&entry)?;
    let program = Compiler::compile_from_policy(&policy, &[ENTRY])?;
    let mut machine = RegoVM::new();
    machine.load_program(program);
    machine.set_data(data(world))?;
    Ok(Box::new(Rego(machine)))
}

impl Decider for Rego {
    fn allows(&mut self, query: &Query) -> bool {
        let input = Value::from(json!({
            "agent": query.agent,
            "user": query.user,
            "tool": query.tool,
            "node": query.node,
            "view": !query.edit,
        }));
        self.0.set_input(input);
        self.0.execute().is_ok_and(|answer| answer == Value::Bool(true))
    }
}

fn data(world: &World) -> Value {
    let facts = Facts::of(&world.workload);
    let set = |ids: &[&str]| ids.iter().map(|id| ((*id).to_owned(), true.into())).collect();
    let groups = |groups: &[Group<'_>]| -> Map<_, _> {
        groups.iter().map(|group| (group.id.to_owned(), true.into())).collect()
    };
    let users: Map<_, _> =
        facts.groups.iter().map(|(id, own)| ((*id).to_owned(), groups(own).into())).collect();
    let agents = facts.agents.iter().map(|(id, agent)| {
        let users: Map<_, _> = set(&agent.users);
        let tools: Map<_, _> = set(&agent.tools);
        let fields = json!({"users": users, "groups": groups(&agent.groups), "tools": tools});
        ((*id).to_owned(), fields)
    });
    let nodes = facts.nodes.iter().map(|(id, node)| {
        let mut fields = json!({"view": groups(&node.viewers), "edit": groups(&node.editors)});
        if let Some((fields, parent)) = fields.as_object_mut().zip(node.parent) {
            fields.insert("parent".to_owned(), parent.into());
        }
        ((*id).to_owned(), fields)
    });
    let (agents, nodes): (Map<_, _>, Map<_, _>) = (agents.collect(), nodes.collect());
    Value::from(json!({"users": users, "agents": agents, "nodes": nodes}))
}

const ENTRY: &str = "data.mandate.allow";
