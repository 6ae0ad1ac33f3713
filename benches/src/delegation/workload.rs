//! The delegation workload: tenants of about ten thousand relationships, and requests of which half
//! are allowed and half fail in six equal classes, each for one reason.
//!
//! Every answer is computed here from the world as it was drawn, by code that knows nothing of the
//! engine, so that a run checks what it times.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    reason = "small numbers that the generator draws itself, and indices that it has drawn"
)]

use std::collections::HashSet;
use std::fmt::Write as _;

/// The model, in OpenFGA's language.
pub const MODEL: &str = "\
model
  schema 1.1
type user
type tenant
  relations
    define member: [user]
type team
  relations
    define tenant: [tenant]
    define member: [user]
type agent
  relations
    define delegate_of: [user]
    define owner: [user]
    define shared_with: [team#member]
    define global_in: [tenant#member]
    define can_act_for: delegate_of or owner or shared_with or global_in
type tool
  relations
    define allowed: [agent]
type node
  relations
    define tenant: [tenant]
    define parent: [node]
    define viewer: [user, team#member]
    define editor: [user, team#member]
    define can_edit: editor or can_edit from parent
    define can_view: viewer or editor or can_view from parent
";

/// Relationships of one tenant, about.
pub const TENANT_TUPLES: usize = 10_000;
const USERS: usize = 500;
const TEAMS: usize = 50;
const AGENTS: usize = 250;
const WORKSPACES: usize = 5;
const FOLDERS: usize = 500;
const DOCUMENTS: usize = 2000;
/// Tools, which all tenants share.
const TOOLS: usize = 128;

/// A world and requests on it.
#[derive(Debug)]
pub struct Workload {
    /// `object`, `relation`, `subject`, as OpenFGA writes them.
    pub tuples: Vec<[String; 3]>,
    /// Tenants' ids.
    pub tenants: Vec<String>,
    /// Agents with their attributes.
    pub agents: Vec<Agent>,
    /// Users' ids with their tenant.
    pub users: Vec<(String, usize)>,
    /// Requests.
    pub queries: Vec<Query>,
}

/// An agent's attributes.
#[derive(Debug)]
pub struct Agent {
    /// Its id.
    pub id: String,
    /// Its tenant's number.
    pub tenant: usize,
    /// Neither suspended nor expired.
    pub live: bool,
}

/// One request.
#[derive(Clone, Debug)]
pub struct Query {
    /// Its place among the requests.
    pub number: usize,
    /// The agent's id.
    pub agent: String,
    /// The user's id.
    pub user: String,
    /// The tool's id.
    pub tool: String,
    /// The node's id.
    pub node: String,
    /// `can_edit` or `can_view`.
    pub edit: bool,
    /// The answer.
    pub allow: bool,
}

impl Query {
    /// The ids of agent, user, tool and node.
    #[must_use]
    pub fn ids(&self) -> [&str; 4] {
        [&self.agent, &self.user, &self.tool, &self.node]
    }

    /// The same as three Checks: user, relation, object.
    #[must_use]
    pub fn checks(&self) -> [[String; 3]; 3] {
        let Self { agent, user, tool, node, edit, .. } = self;
        let reach = if *edit { "can_edit" } else { "can_view" };
        let check = |user: String, relation: &str, object: String| [user, relation.into(), object];
        [
            check(format!("user:{user}"), "can_act_for", format!("agent:{agent}")),
            check(format!("agent:{agent}"), "allowed", format!("tool:{tool}")),
            check(format!("user:{user}"), reach, format!("node:{node}")),
        ]
    }
}

/// A small generator: the same seed gives the same world on every machine.
#[derive(Debug)]
pub struct Random(u64);

impl Random {
    /// A generator with a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    /// The next number (xorshift64*).
    pub const fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 16
    }

    /// A number below a bound.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    fn between(&mut self, low: usize, high: usize) -> usize {
        low + self.below(high - low + 1)
    }

    fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    fn some(&mut self, count: usize, of: usize) -> Vec<usize> {
        let mut chosen: Vec<usize> = Vec::with_capacity(count);
        while chosen.len() < count.min(of) {
            let one = self.below(of);
            if !chosen.contains(&one) {
                chosen.push(one);
            }
        }
        chosen
    }

    fn uuid(&mut self) -> String {
        let (high, low) = (self.next(), self.next());
        let mut text = format!("{high:012x}{low:012x}{:08x}", self.next() & 0xffff_ffff);
        for at in [20, 16, 12, 8] {
            text.insert(at, '-');
        }
        text
    }
}

/// One tenant as drawn.
struct Tenant {
    users: Vec<String>,
    teams_of_user: Vec<Vec<usize>>,
    agents: Vec<DrawnAgent>,
    nodes: Vec<Node>,
}

struct DrawnAgent {
    id: String,
    live: bool,
    delegates: Vec<usize>,
    owner: usize,
    shared: Vec<usize>,
    global: bool,
    tools: Vec<usize>,
}

struct Node {
    id: String,
    parent: Option<usize>,
    /// (user?, number) of viewers and editors.
    viewers: HashSet<(bool, usize)>,
    editors: HashSet<(bool, usize)>,
}

impl Workload {
    /// A world of about `tuples` relationships, and `count` requests.
    #[must_use]
    pub fn draw(seed: u64, tuples: usize, count: usize) -> Self {
        let mut random = Random::new(seed);
        let small = tuples < 4 * TENANT_TUPLES;
        let tenants = if small { 4 } else { tuples / TENANT_TUPLES };
        let scale = if small { tuples as f64 / (4 * TENANT_TUPLES) as f64 } else { 1.0 };
        let drawn: Vec<Tenant> =
            (0..tenants).map(|number| Tenant::draw(&mut random, number, scale)).collect();
        let mut world = Self {
            tuples: Vec::with_capacity(tuples + tuples / 8),
            tenants: (0..tenants).map(|number| format!("tenant-{number}")).collect(),
            agents: Vec::new(),
            users: Vec::new(),
            queries: Vec::new(),
        };
        for (number, tenant) in drawn.iter().enumerate() {
            tenant.write(number, &mut world);
        }
        while world.queries.len() < count {
            let wanted = world.queries.len();
            if let Some(query) = draw_query(&mut random, &drawn, wanted) {
                world.queries.push(query);
            }
        }
        world
    }
}

impl Tenant {
    fn draw(random: &mut Random, number: usize, scale: f64) -> Self {
        let sized = |count: usize| ((count as f64 * scale) as usize).max(2);
        let (users, teams) = (sized(USERS), sized(TEAMS));
        let drawn_users = (0..users).map(|_| random.uuid()).collect();
        let teams_of_user = (0..users)
            .map(|_| {
                let count = random.between(1, 4);
                random.some(count, teams)
            })
            .collect();
        let agents = (0..sized(AGENTS))
            .map(|at| DrawnAgent::draw(random, number, at, users, teams))
            .collect();
        let (workspaces, folders) = (WORKSPACES.min(sized(WORKSPACES)), sized(FOLDERS));
        let mut nodes: Vec<Node> = Vec::new();
        let mut depths: Vec<usize> = Vec::new();
        for at in 0..workspaces + folders + sized(DOCUMENTS) {
            let (kind, parent) = if at < workspaces {
                ("ws", None)
            } else if at < workspaces + folders {
                let parent = (0..8).map(|_| random.below(at)).find(|parent| depths[*parent] < 5);
                ("folder", Some(parent.unwrap_or_default()))
            } else {
                ("doc", Some(random.between(workspaces, workspaces + folders - 1)))
            };
            depths.push(parent.map_or(0, |parent| depths[parent] + 1));
            let id = format!("t{number}-{kind}-{at}");
            nodes.push(Node { id, parent, viewers: HashSet::new(), editors: HashSet::new() });
        }
        let mut tenant = Self { users: drawn_users, teams_of_user, agents, nodes };
        tenant.grant(random, scale, workspaces, folders, teams);
        tenant
    }

    /// The rest of the relationships: grants, most of them on documents, half of them to teams.
    fn grant(
        &mut self,
        random: &mut Random,
        scale: f64,
        workspaces: usize,
        folders: usize,
        teams: usize,
    ) {
        let target = (TENANT_TUPLES as f64 * scale) as usize;
        let mut written = self.relationships();
        while written < target {
            let at = match random.below(100) {
                0..70 => random.between(workspaces + folders, self.nodes.len() - 1),
                70..97 => random.between(workspaces, workspaces + folders - 1),
                _ => random.below(workspaces),
            };
            let user = random.percent(50);
            let whom = random.below(if user { self.users.len() } else { teams });
            let edit = random.percent(30);
            let node = &mut self.nodes[at];
            let grants = if edit { &mut node.editors } else { &mut node.viewers };
            written += usize::from(grants.insert((user, whom)));
        }
    }

    fn relationships(&self) -> usize {
        let teams: usize = self.teams_of_user.iter().map(Vec::len).sum();
        let agents: usize = self
            .agents
            .iter()
            .map(|agent| {
                agent.delegates.len()
                    + 1
                    + agent.shared.len()
                    + agent.tools.len()
                    + usize::from(agent.global)
            })
            .sum();
        teams
            + agents
            + self.users.len()
            + self.nodes.iter().filter(|node| node.parent.is_some()).count()
    }

    fn write(&self, number: usize, world: &mut Workload) {
        let tenant = format!("tenant:tenant-{number}");
        let mut push = |object: String, relation: &str, subject: String| {
            world.tuples.push([object, relation.to_owned(), subject]);
        };
        let teams = self.teams_of_user.iter().flatten().max().map_or(0, |last| last + 1);
        for team in 0..teams {
            push(format!("team:t{number}-team-{team}"), "tenant", tenant.clone());
        }
        for (user, teams) in self.users.iter().zip(&self.teams_of_user) {
            push(tenant.clone(), "member", format!("user:{user}"));
            for team in teams {
                push(format!("team:t{number}-team-{team}"), "member", format!("user:{user}"));
            }
        }
        for agent in &self.agents {
            let object = format!("agent:{}", agent.id);
            for user in &agent.delegates {
                push(object.clone(), "delegate_of", format!("user:{}", self.users[*user]));
            }
            push(object.clone(), "owner", format!("user:{}", self.users[agent.owner]));
            for team in &agent.shared {
                push(object.clone(), "shared_with", format!("team:t{number}-team-{team}#member"));
            }
            if agent.global {
                push(object.clone(), "global_in", format!("{tenant}#member"));
            }
            for tool in &agent.tools {
                push(format!("tool:tool-{tool}"), "allowed", object.clone());
            }
        }
        for node in &self.nodes {
            let object = format!("node:{}", node.id);
            match node.parent {
                Some(parent) => {
                    push(object.clone(), "parent", format!("node:{}", self.nodes[parent].id));
                }
                None => push(object.clone(), "tenant", tenant.clone()),
            }
            for (relation, grants) in [("viewer", &node.viewers), ("editor", &node.editors)] {
                let mut grants: Vec<_> = grants.iter().collect();
                grants.sort_unstable();
                for (user, whom) in grants {
                    let subject = if *user {
                        format!("user:{}", self.users[*whom])
                    } else {
                        format!("team:t{number}-team-{whom}#member")
                    };
                    push(object.clone(), relation, subject);
                }
            }
        }
        world.users.extend(self.users.iter().map(|user| (user.clone(), number)));
        world.agents.extend(self.agents.iter().map(|agent| Agent {
            id: agent.id.clone(),
            tenant: number,
            live: agent.live,
        }));
    }

    fn may_act(&self, agent: usize, user: usize) -> bool {
        let agent = &self.agents[agent];
        agent.global
            || agent.owner == user
            || agent.delegates.contains(&user)
            || agent.shared.iter().any(|team| self.teams_of_user[user].contains(team))
    }

    fn may_reach(&self, node: usize, user: usize, edit: bool) -> bool {
        let granted = |grants: &HashSet<(bool, usize)>| {
            grants.contains(&(true, user))
                || self.teams_of_user[user].iter().any(|team| grants.contains(&(false, *team)))
        };
        let mut at = Some(node);
        while let Some(node) = at {
            let node = &self.nodes[node];
            if granted(&node.editors) || (!edit && granted(&node.viewers)) {
                return true;
            }
            at = node.parent;
        }
        false
    }
}

impl DrawnAgent {
    fn draw(random: &mut Random, tenant: usize, at: usize, users: usize, teams: usize) -> Self {
        let visibility = random.below(100);
        let (delegates, shared, tools) =
            (random.between(1, 3), random.between(1, 3), random.between(4, 12));
        let mut id = String::new();
        let _ = write!(id, "t{tenant}-agent-{at}");
        Self {
            id,
            live: !random.percent(10),
            delegates: random.some(delegates, users),
            owner: random.below(users),
            shared: if (50..90).contains(&visibility) {
                random.some(shared, teams)
            } else {
                Vec::new()
            },
            global: visibility >= 90,
            tools: random.some(tools, TOOLS),
        }
    }
}

/// A request of the class whose turn it is, if the draw finds one.
fn draw_query(random: &mut Random, tenants: &[Tenant], turn: usize) -> Option<Query> {
    let class = if turn.is_multiple_of(2) { 0 } else { 1 + turn / 2 % 6 };
    let number = random.below(tenants.len());
    let tenant = &tenants[number];
    let agent = random.below(tenant.agents.len());
    let drawn = &tenant.agents[agent];
    let edit = random.percent(30);
    let may_act: Vec<usize> =
        (0..tenant.users.len()).filter(|user| tenant.may_act(agent, *user)).collect();
    let user = match class {
        1 | 3 => random.below(tenant.users.len()),
        _ => *may_act.get(random.below(may_act.len().max(1)))?,
    };
    let reachable = (0..60)
        .map(|_| random.below(tenant.nodes.len()))
        .find(|node| tenant.may_reach(*node, user, edit) == (class != 6));
    let tool = drawn.tools[random.below(drawn.tools.len())];
    let mut query = Query {
        number: turn,
        agent: drawn.id.clone(),
        user: tenant.users[user].clone(),
        tool: format!("tool-{tool}"),
        node: tenant.nodes[reachable?].id.clone(),
        edit,
        allow: class == 0,
    };
    let fits = match class {
        0 | 6 => drawn.live,
        // Another user of the same tenant for whom the agent may not act.
        1 | 3 => drawn.live && !tenant.may_act(agent, user),
        // A node of another tenant.
        2 => {
            let other = &tenants[(number + 1) % tenants.len()];
            query.node = other.nodes[random.below(other.nodes.len())].id.clone();
            drawn.live && tenants.len() > 1
        }
        4 => {
            let refused = (0..TOOLS).find(|tool| !drawn.tools.contains(&((tool + turn) % TOOLS)));
            query.tool = format!("tool-{}", (refused? + turn) % TOOLS);
            drawn.live
        }
        _ => !drawn.live,
    };
    fits.then_some(query)
}
