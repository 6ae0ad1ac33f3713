//! No relation depends on its own `but not`: such a definition has no meaning. OpenFGA's server
//! refuses every circle of relations of a type; the others are a matter of `lint`.

use super::{Report, sites};
use crate::model::Model;
use crate::model::circles::Circles;
use crate::model::error::Problem;
use crate::model::index::Index;

pub(super) fn check(model: &Model, index: &Index<'_>, report: &mut Report<'_>) {
    let circles = Circles::of(index);
    for site in sites(model) {
        if circles.excludes_itself(&site.definition.name, &site.relation.name) {
            let problem = Problem::Cycle {
                relation: site.relation.name.clone(),
                type_name: site.definition.name.clone(),
            };
            report.relation_error(site, problem, |places| Some(places.name));
        }
    }
}
