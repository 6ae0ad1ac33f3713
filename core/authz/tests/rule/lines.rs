//! The lines of the rule, written once more: over the text of relationships, to be read and not to
//! be fast. For the worlds of `properties`: everybody is known and active, nothing has conditions.

use mandate_authn::FailingLine;

/// Who wants to read which board through which agent, as one of tenant acme.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish<'w> {
    pub(crate) user: &'w str,
    pub(crate) agent: &'w str,
    pub(crate) board: &'w str,
    /// Whether agent helper has an identity that covers nothing.
    pub(crate) limited: bool,
}

/// The first line that fails; `None` where all hold.
pub(crate) fn first_failing(tuples: &[String], wish: &Wish<'_>) -> Option<FailingLine> {
    let Wish { user, agent, board, limited } = *wish;
    let facts = Facts(tuples);
    let lines = [
        (FailingLine::Three, facts.of_acme(user, agent, board)),
        (FailingLine::Four, facts.has(&format!("user:{user}#delegate_of@agent:{agent}"))),
        (FailingLine::Five, !(limited && agent == "helper")),
        (FailingLine::Six, facts.can_use(user, agent)),
        (FailingLine::Seven, facts.can_call("agent", agent) && facts.can_call("user", user)),
        (FailingLine::Eight, facts.can_read(user, board)),
    ];
    lines.into_iter().find(|(_, holds)| !holds).map(|(line, _)| line)
}

struct Facts<'f>(&'f [String]);

impl Facts<'_> {
    fn has(&self, tuple: &str) -> bool {
        self.0.iter().any(|known| known == tuple)
    }

    #[expect(clippy::unused_self, reason = "one of the lines")]
    fn of_acme(&self, user: &str, agent: &str, board: &str) -> bool {
        ["anne", "bob", "dana"].contains(&user)
            && ["helper", "other"].contains(&agent)
            && ["roadmap", "secret"].contains(&board)
    }

    fn in_team(&self, user: &str) -> bool {
        self.has(&format!("team:red#member@user:{user}"))
    }

    fn can_use(&self, user: &str, agent: &str) -> bool {
        let is = |relation: &str| self.has(&format!("agent:{agent}#{relation}@user:{user}"));
        let shared = self.has(&format!("agent:{agent}#shared_with_teams@team:red#member"));
        (is("owner") || shared && self.in_team(user)) && !is("denied")
    }

    /// The tool itself; or all of the server's, where the snapshot knows this one.
    fn can_call(&self, of: &str, id: &str) -> bool {
        const TOOL: &str = "tool:boards/read_board#";
        let known = self.0.iter().any(|tuple| tuple.starts_with(TOOL));
        let direct = self.has(&format!("{TOOL}can_call@{of}:{id}"));
        direct || known && self.has(&format!("tool:boards/*#can_call@{of}:*"))
    }

    fn can_read(&self, user: &str, board: &str) -> bool {
        let workspace = if board == "roadmap" { "main" } else { "lab" };
        let viewer = |subject: &str| self.has(&format!("board:{board}#viewer@{subject}"));
        viewer(&format!("user:{user}"))
            || viewer("user:*")
            || viewer("team:red#member") && self.in_team(user)
            || self.has(&format!("workspace:{workspace}#viewer@user:{user}"))
    }
}
