//! Relations of a type that name each other in a circle.

use std::collections::{BTreeMap, BTreeSet};

use super::Rewrite;
use super::index::Index;

/// Every circle of a model.
pub(super) struct Circles<'m> {
    circle_of: BTreeMap<Key<'m>, usize>,
    /// Circles with a `but not` in them.
    excluding: BTreeSet<usize>,
}

type Key<'m> = (&'m str, &'m str);

/// Which relations of the same type a definition names, and whether behind a `but not`.
type Edges<'m> = BTreeMap<Key<'m>, Vec<(Key<'m>, bool)>>;

impl<'m> Circles<'m> {
    pub(super) fn of(index: &Index<'m>) -> Self {
        let edges = edges(index);
        let component_of = components(&edges);
        let mut circles = Self { circle_of: BTreeMap::new(), excluding: BTreeSet::new() };
        for (from, targets) in &edges {
            for (to, negative) in targets {
                let (Some(circle), Some(other)) = (component_of.get(from), component_of.get(to))
                else {
                    continue;
                };
                if circle == other {
                    circles.circle_of.insert(*from, *circle);
                    if *negative {
                        circles.excluding.insert(*circle);
                    }
                }
            }
        }
        circles
    }

    /// Whether the relation is on a circle.
    pub(super) fn has(&self, type_name: &str, relation: &str) -> bool {
        self.circle_of.contains_key(&(type_name, relation))
    }

    /// Whether the relation is on a circle that goes through a `but not`.
    pub(super) fn excludes_itself(&self, type_name: &str, relation: &str) -> bool {
        let circle = self.circle_of.get(&(type_name, relation));
        circle.is_some_and(|circle| self.excluding.contains(circle))
    }
}

fn edges<'m>(index: &Index<'m>) -> Edges<'m> {
    let mut edges = Edges::new();
    for (definition, relation) in index.relations() {
        let mut targets = Vec::new();
        let mut open = vec![(&relation.rewrite, false)];
        while let Some((rewrite, negative)) = open.pop() {
            match rewrite {
                Rewrite::Direct | Rewrite::From { .. } => {}
                Rewrite::Computed(target) => {
                    targets.push(((definition.name.as_str(), target.as_str()), negative));
                }
                Rewrite::Union(children) | Rewrite::Intersection(children) => {
                    open.extend(children.iter().map(|child| (child, negative)));
                }
                Rewrite::Difference(base, subtract) => {
                    open.extend([(&**base, negative), (&**subtract, true)]);
                }
            }
        }
        edges.insert((definition.name.as_str(), relation.name.as_str()), targets);
    }
    edges
}

/// Strongly connected components, by Kosaraju's two passes with own stacks: chains may be as long
/// as a model.
fn components<'m>(edges: &Edges<'m>) -> BTreeMap<Key<'m>, usize> {
    let mut backwards: BTreeMap<Key<'m>, Vec<Key<'m>>> = BTreeMap::new();
    for (from, targets) in edges {
        for (to, _) in targets {
            backwards.entry(*to).or_default().push(*from);
        }
    }
    let mut component_of = BTreeMap::new();
    for (component, start) in finished_last_first(edges).into_iter().enumerate() {
        let mut open = vec![start];
        while let Some(key) = open.pop() {
            if edges.contains_key(&key) && !component_of.contains_key(&key) {
                component_of.insert(key, component);
                open.extend(backwards.get(&key).into_iter().flatten().copied());
            }
        }
    }
    component_of
}

fn finished_last_first<'m>(edges: &Edges<'m>) -> Vec<Key<'m>> {
    let mut seen = BTreeSet::new();
    let mut finished = Vec::new();
    for start in edges.keys() {
        let mut open = vec![(*start, false)];
        while let Some((key, done)) = open.pop() {
            if done {
                finished.push(key);
            } else if seen.insert(key) {
                open.push((key, true));
                let targets = edges.get(&key).into_iter().flatten();
                open.extend(targets.map(|(target, _)| (*target, false)));
            }
        }
    }
    finished.reverse();
    finished
}
