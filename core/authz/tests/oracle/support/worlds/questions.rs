//! Questions about random worlds, about half of which are answered with yes.

use mandate_authz::model::{RelationDefinition, TypeDefinition};

use super::super::engine::{Engine, Extra, Failure, Listing, Question};
use super::super::random::Random;
use super::{World, inputs, is_alike};

impl World {
    /// So many questions. Any evaluator may guide the choice: it only makes a yes less rare.
    pub(crate) fn questions(&self, guide: &impl Engine, count: usize) -> Vec<Question> {
        let mut random = Random::new(self.seed ^ 0x5eed);
        let question = |at: usize| {
            let wanted = at.is_multiple_of(2);
            let mut question = self.question(&mut random);
            for _ in 0..30 {
                let answer = guide.check(&question);
                // Failures of conditions are rare and welcome.
                if answer == Ok(!wanted) || answer == Err(Failure::Budget) {
                    question = self.question(&mut random);
                }
            }
            question
        };
        (0..count).map(question).collect()
    }

    /// A ListObjects request.
    pub(crate) fn listing(&self) -> Listing {
        let mut random = Random::new(self.seed ^ 0x1157);
        let Question { user, relation, object, extra } = self.question(&mut random);
        let (type_name, _) = object.split_once(':').expect("an object");
        Listing { user, relation, type_name: type_name.to_owned(), extra }
    }

    fn question(&self, random: &mut Random) -> Question {
        let extra = self.extra(random);
        let known: Vec<_> = self.tuples.iter().chain(&extra.tuples).collect();
        let (of, relation) = self.relation(random);
        let mut relation = relation.name.clone();
        let mut object = format!("{}:{}", of.name, random.pick(&["1", "2", "3", "unknown"]));
        let mut user = self.user(random);
        if !known.is_empty() && random.percent(70) {
            let tuple = random.pick(&known);
            let of = self.model.types.iter().find(|of| of.name == tuple.object.type_name);
            relation = random.pick(&of.expect("a type of the model").relations).name;
            object = tuple.object.to_string();
        }
        if !known.is_empty() && random.percent(30) {
            user = random.pick(&known).subject.to_string();
        }
        Question { user, relation, object, extra }
    }

    fn relation(&self, random: &mut Random) -> (&TypeDefinition, &RelationDefinition) {
        let relations =
            self.model.types.iter().flat_map(|of| of.relations.iter().map(move |r| (of, r)));
        random.pick(&relations.collect::<Vec<_>>())
    }

    fn user(&self, random: &mut Random) -> String {
        let id = random.pick(&["1", "2", "3"]);
        match random.below(20) {
            0..14 => format!("user:{id}"),
            14 => format!("bot:{id}"),
            15 => "user:*".to_owned(),
            16 => format!("{}:{id}", self.relation(random).0.name),
            _ => {
                let (of, relation) = self.relation(random);
                format!("{}:{id}#{}", of.name, relation.name)
            }
        }
    }

    /// Contextual relationships are other ones than those stored, or the very same: where both are
    /// of a name and differ, OpenFGA's own strategies do not agree.
    fn extra(&self, random: &mut Random) -> Extra {
        let mut tuples = Vec::new();
        if random.percent(25) {
            for _ in 0..=random.below(3) {
                let new = self.tuple(&self.model, random);
                let new = new.filter(|new| {
                    let stored = self.tuples.iter().chain(&self.leftovers).chain(&tuples);
                    !stored.into_iter().any(|other| is_alike(other, new))
                });
                tuples.extend(new);
            }
            if random.percent(30) && !self.tuples.is_empty() {
                tuples.push(random.pick(&self.tuples));
            }
        }
        Extra { tuples, context: inputs::requested(&self.model, self.complete, random) }
    }
}
