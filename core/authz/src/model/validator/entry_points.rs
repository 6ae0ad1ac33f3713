//! Every relation can be had by somebody: some way leads from it to a type that may be stored.

use std::collections::{BTreeMap, BTreeSet};

use super::{Report, sites};
use crate::model::error::Problem;
use crate::model::index::Index;
use crate::model::{Model, RestrictionForm, Rewrite};

pub(super) fn check(model: &Model, index: &Index<'_>, report: &mut Report<'_>) {
    let possible = possible_relations(index);
    let mut loops = Loops { index, possible: &possible, known: BTreeMap::new() };
    for site in sites(model) {
        let key = (site.definition.name.as_str(), site.relation.name.as_str());
        if possible.contains(&key) {
            continue;
        }
        let problem = Problem::Impossible {
            relation: site.relation.name.clone(),
            type_name: site.definition.name.clone(),
            looped: loops.reached_from(key),
        };
        report.relation_error(site, problem, |places| Some(places.name));
    }
}

type Key<'m> = (&'m str, &'m str);

/// The relations with an entry point: a network of `or` and `and` gates, in which truth runs from
/// what can be stored to what is derived from it. Each wire is looked at once.
fn possible_relations<'m>(index: &Index<'m>) -> BTreeSet<Key<'m>> {
    let mut network = Network::default();
    for (definition, relation) in index.relations() {
        let key = (definition.name.as_str(), relation.name.as_str());
        let gate = network.gate_of(Source::Relation(key));
        network.wire_rewrite(index, key, &relation.rewrite, gate);
    }
    network.run();
    let open = network.sources.iter().filter(|(_, gate)| network.is_open(**gate));
    open.filter_map(|(source, _)| source.relation()).collect()
}

/// What a gate stands for, where several wires share it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Source<'m> {
    /// A relation of a type.
    Relation(Key<'m>),
    /// A relation of the objects of a type's tupleset: type, tupleset, relation.
    Followed(&'m str, &'m str, &'m str),
}

impl<'m> Source<'m> {
    const fn relation(self) -> Option<Key<'m>> {
        match self {
            Self::Relation(key) => Some(key),
            Self::Followed(..) => None,
        }
    }
}

#[derive(Default)]
struct Network<'m> {
    sources: BTreeMap<Source<'m>, usize>,
    gates: Vec<Gate>,
    /// Gates that opened and whose targets were not told yet.
    opened: Vec<usize>,
}

#[derive(Default)]
struct Gate {
    /// How many inputs must still open: one for `or`, all for `and`.
    missing: usize,
    targets: Vec<usize>,
}

impl<'m> Network<'m> {
    fn gate(&mut self, missing: usize) -> usize {
        self.gates.push(Gate { missing, targets: Vec::new() });
        self.gates.len().saturating_sub(1)
    }

    fn gate_of(&mut self, source: Source<'m>) -> usize {
        if let Some(gate) = self.sources.get(&source) {
            return *gate;
        }
        let gate = self.gate(1);
        self.sources.insert(source, gate);
        gate
    }

    fn wire(&mut self, from: usize, to: usize) {
        if let Some(gate) = self.gates.get_mut(from) {
            gate.targets.push(to);
        }
    }

    fn wire_rewrite(
        &mut self,
        index: &Index<'m>,
        key: Key<'m>,
        rewrite: &'m Rewrite,
        target: usize,
    ) {
        match rewrite {
            Rewrite::Direct => self.wire_direct(index, key, target),
            Rewrite::Computed(relation) => {
                let from = self.gate_of(Source::Relation((key.0, relation)));
                self.wire(from, target);
            }
            Rewrite::From { relation, tupleset } => {
                let from = self.gate_of_followed(index, key.0, tupleset, relation);
                self.wire(from, target);
            }
            Rewrite::Union(children) => {
                for child in children {
                    self.wire_rewrite(index, key, child, target);
                }
            }
            Rewrite::Intersection(children) => {
                self.wire_all(index, key, &children.iter().collect::<Vec<_>>(), target);
            }
            // OpenFGA asks for an entry point of what is subtracted, too.
            Rewrite::Difference(base, subtract) => {
                self.wire_all(index, key, &[base, subtract], target);
            }
        }
    }

    fn wire_all(
        &mut self,
        index: &Index<'m>,
        key: Key<'m>,
        children: &[&'m Rewrite],
        target: usize,
    ) {
        let all = self.gate(children.len());
        self.wire(all, target);
        for child in children {
            let one = self.gate(1);
            self.wire(one, all);
            self.wire_rewrite(index, key, child, one);
        }
    }

    fn wire_direct(&mut self, index: &Index<'m>, key: Key<'m>, target: usize) {
        let restrictions =
            index.relation(key.0, key.1).map_or(&[][..], |relation| &relation.restrictions);
        for restriction in restrictions {
            match &restriction.form {
                RestrictionForm::Object | RestrictionForm::Wildcard => self.open(target),
                RestrictionForm::Userset(relation) => {
                    let from = self.gate_of(Source::Relation((&restriction.type_name, relation)));
                    self.wire(from, target);
                }
            }
        }
    }

    fn gate_of_followed(
        &mut self,
        index: &Index<'m>,
        type_name: &'m str,
        tupleset: &'m str,
        relation: &'m str,
    ) -> usize {
        let source = Source::Followed(type_name, tupleset, relation);
        if let Some(gate) = self.sources.get(&source) {
            return *gate;
        }
        let gate = self.gate_of(source);
        let followed = index.followed(type_name, tupleset);
        let types = followed.and_then(|followed| followed.types_with.get(relation));
        for found in types.into_iter().flatten() {
            let from = self.gate_of(Source::Relation((found, relation)));
            self.wire(from, gate);
        }
        gate
    }

    fn is_open(&self, gate: usize) -> bool {
        self.gates.get(gate).is_some_and(|gate| gate.missing == 0)
    }

    fn open(&mut self, gate: usize) {
        if let Some(waiting) = self.gates.get_mut(gate)
            && waiting.missing > 0
        {
            waiting.missing = waiting.missing.saturating_sub(1);
            if waiting.missing == 0 {
                self.opened.push(gate);
            }
        }
    }

    fn run(&mut self) {
        while let Some(gate) = self.opened.pop() {
            let targets = self.gates.get_mut(gate).map(|gate| std::mem::take(&mut gate.targets));
            for target in targets.into_iter().flatten() {
                self.open(target);
            }
        }
    }
}

/// Whether an impossible relation is so because relations of the type name each other in a circle.
///
/// Followed are `a`, every child of `or`, and the first impossible child of `and` and `but not`:
/// what OpenFGA's validator would meet on its way.
struct Loops<'i, 'm> {
    index: &'i Index<'m>,
    possible: &'i BTreeSet<Key<'m>>,
    known: BTreeMap<Key<'m>, Walk>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Walk {
    Ended,
    Looped,
    Underway,
}

impl<'m> Loops<'_, 'm> {
    /// Depth first with an own stack: chains may be as long as a model.
    fn reached_from(&mut self, start: Key<'m>) -> bool {
        let mut path = vec![(start, self.next_of(start))];
        if let Some(walk) = self.known.get(&start) {
            return *walk == Walk::Looped;
        }
        self.known.insert(start, Walk::Underway);
        let mut looped = false;
        while let Some((key, next)) = path.last_mut() {
            let Some(target) = next.pop().filter(|_| !looped) else {
                let walk = if looped { Walk::Looped } else { Walk::Ended };
                self.known.insert(*key, walk);
                path.pop();
                continue;
            };
            match self.known.get(&target) {
                Some(Walk::Ended) => {}
                Some(Walk::Looped | Walk::Underway) => looped = true,
                None => {
                    self.known.insert(target, Walk::Underway);
                    path.push((target, self.next_of(target)));
                }
            }
        }
        looped
    }

    fn next_of(&self, key: Key<'m>) -> Vec<Key<'m>> {
        let mut next = Vec::new();
        if let Some(relation) = self.index.relation(key.0, key.1) {
            self.collect(key, &relation.rewrite, &mut next);
        }
        next
    }

    fn collect(&self, key: Key<'m>, rewrite: &'m Rewrite, next: &mut Vec<Key<'m>>) {
        match rewrite {
            Rewrite::Direct | Rewrite::From { .. } => {}
            Rewrite::Computed(relation) => next.push((key.0, relation)),
            Rewrite::Union(children) => {
                for child in children {
                    self.collect(key, child, next);
                }
            }
            Rewrite::Intersection(children) => {
                self.collect_first(key, children.iter(), next);
            }
            Rewrite::Difference(base, subtract) => {
                self.collect_first(key, [&**base, &**subtract].into_iter(), next);
            }
        }
    }

    fn collect_first(
        &self,
        key: Key<'m>,
        mut children: impl Iterator<Item = &'m Rewrite>,
        next: &mut Vec<Key<'m>>,
    ) {
        if let Some(child) = children.find(|child| !self.is_possible(key, child)) {
            self.collect(key, child, next);
        }
    }

    fn is_possible(&self, key: Key<'m>, rewrite: &'m Rewrite) -> bool {
        match rewrite {
            Rewrite::Direct => self.is_storable(key),
            Rewrite::Computed(relation) => self.possible.contains(&(key.0, relation)),
            Rewrite::From { relation, tupleset } => {
                let followed = self.index.followed(key.0, tupleset);
                let types =
                    followed.and_then(|followed| followed.types_with.get(relation.as_str()));
                types.into_iter().flatten().any(|found| self.possible.contains(&(found, relation)))
            }
            Rewrite::Union(children) => children.iter().any(|child| self.is_possible(key, child)),
            Rewrite::Intersection(children) => {
                children.iter().all(|child| self.is_possible(key, child))
            }
            Rewrite::Difference(base, subtract) => {
                self.is_possible(key, base) && self.is_possible(key, subtract)
            }
        }
    }

    fn is_storable(&self, key: Key<'m>) -> bool {
        let relation = self.index.relation(key.0, key.1);
        relation.into_iter().flat_map(|relation| &relation.restrictions).any(|restriction| {
            match &restriction.form {
                RestrictionForm::Object | RestrictionForm::Wildcard => true,
                RestrictionForm::Userset(relation) => {
                    self.possible.contains(&(restriction.type_name.as_str(), relation.as_str()))
                }
            }
        })
    }
}
