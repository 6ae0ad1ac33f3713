//! A path of relationships as a small tree.

/// One line for each relationship, `object#relation@subject`; one that explains who has the subject
/// of another stands below it. `ends` are those to whom paths lead: where one is the subject, the
/// next relationship begins a path of its own.
pub(super) fn lines(path: &[&str], ends: &[&str]) -> Vec<String> {
    let mut lines = Vec::with_capacity(path.len());
    // What the relationships above, from the outermost in, still have to explain.
    let mut above: Vec<&str> = Vec::new();
    for step in path {
        let (object, subject) = objects(step);
        while above.last().is_some_and(|wanted| *wanted != object) {
            above.pop();
        }
        let indent = "   ".repeat(above.len().saturating_sub(1));
        let branch = if above.is_empty() { "" } else { "└─ " };
        lines.push(format!("{indent}{branch}{step}"));
        if ends.contains(&subject) {
            above.clear();
        } else {
            above.push(subject);
        }
    }
    lines
}

/// The object of a relationship, and the object that its subject is or is a userset of.
fn objects(step: &str) -> (&str, &str) {
    let (left, subject) = step.split_once('@').unwrap_or((step, ""));
    let object = left.split_once('#').map_or(left, |(object, _)| object);
    (object, subject.split_once('#').map_or(subject, |(object, _)| object))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_explains_a_subject_stands_below_it() {
        let path = [
            "user:anne#delegate_of@agent:helper",
            "agent:helper#owner@user:anne",
            "document:1#parent@folder:2",
            "folder:2#viewer@team:blue#member",
            "team:blue#member@user:anne",
            "document:1#viewer@user:*",
        ];
        assert_eq!(
            lines(&path, &["user:anne", "agent:helper"]),
            [
                "user:anne#delegate_of@agent:helper",
                "agent:helper#owner@user:anne",
                "document:1#parent@folder:2",
                "└─ folder:2#viewer@team:blue#member",
                "   └─ team:blue#member@user:anne",
                "document:1#viewer@user:*",
            ]
        );
    }

    #[test]
    fn a_path_without_relationships_is_empty() {
        assert_eq!(lines(&[], &[]), [""; 0]);
    }
}
