//! What a request and a relationship must be under a model.
//!
//! Source: `internal/validation/validation.go` and `pkg/tuple/tuple.go` of OpenFGA 1.22.1.

use mandate_authz::model::{Model, RelationDefinition, RestrictionForm, Rewrite, TypeRestriction};
use mandate_authz::name::{ObjectName, Subject};
use mandate_authz::tuple::Tuple;

use super::conditions;
use super::engine::{Failure, Listing, Question};

/// A relation of the model.
pub(crate) fn relation<'m>(
    model: &'m Model,
    type_name: &str,
    relation: &str,
) -> Option<&'m RelationDefinition> {
    let of_type = model.types.iter().find(|definition| definition.name == type_name)?;
    of_type.relations.iter().find(|definition| definition.name == relation)
}

/// Validates a Check request.
pub(crate) fn check_request(
    model: &Model,
    question: &Question,
) -> Result<(Subject, ObjectName), Failure> {
    let Question { user, relation, object, extra } = question;
    let user = parse_user(model, user).ok_or(Failure::Request)?;
    let object = parse_object(model, object, relation).ok_or(Failure::Request)?;
    contextual(model, &extra.tuples)?;
    Ok((user, object))
}

/// Validates a ListObjects request.
pub(crate) fn list_request(model: &Model, listing: &Listing) -> Result<Subject, Failure> {
    contextual(model, &listing.extra.tuples)?;
    if !model.types.iter().any(|definition| definition.name == listing.type_name) {
        return Err(Failure::UnknownType);
    }
    relation(model, &listing.type_name, &listing.relation).ok_or(Failure::UnknownRelation)?;
    parse_user(model, &listing.user).ok_or(Failure::Request)
}

fn contextual(model: &Model, tuples: &[Tuple]) -> Result<(), Failure> {
    let writable = |tuple: &Tuple| {
        parse_user(model, &tuple.subject.to_string()).as_ref() == Some(&tuple.subject)
            && parse_object(model, &tuple.object.to_string(), &tuple.relation).is_some()
            && is_readable(model, tuple)
    };
    if tuples.iter().all(writable) { Ok(()) } else { Err(Failure::Contextual) }
}

/// The wire's own limits: letters of a user, and of an object.
const LONGEST: (usize, usize) = (512, 256);

fn parse_user(model: &Model, user: &str) -> Option<Subject> {
    if user.chars().count() > LONGEST.0 {
        return None;
    }
    let (object, member) = match user.rsplit_once('#') {
        Some((object, member)) => (object, Some(member)),
        None => (user, None),
    };
    let object = well_formed(object)?;
    model.types.iter().find(|definition| definition.name == object.type_name)?;
    match member {
        None if object.id == "*" => Some(Subject::Wildcard(object.type_name)),
        None => Some(Subject::Object(object)),
        Some(_) if object.id.contains('*') => None,
        Some(member) => {
            relation(model, &object.type_name, member)?;
            Some(Subject::Userset(object, member.to_owned()))
        }
    }
}

fn parse_object(model: &Model, object: &str, of_relation: &str) -> Option<ObjectName> {
    if object.chars().count() > LONGEST.1 {
        return None;
    }
    let object = well_formed(object).filter(|object| object.id != "*")?;
    relation(model, &object.type_name, of_relation).map(|_| object)
}

/// One colon, something on both sides of it, and nothing that has another meaning.
fn well_formed(object: &str) -> Option<ObjectName> {
    let strange = |character: char| character.is_control() || "# ".contains(character);
    let (type_name, id) = object.split_once(':')?;
    let fine = !type_name.is_empty() && !id.is_empty() && !id.contains(':');
    (fine && !object.contains(strange)).then(|| ObjectName::new(type_name, id))
}

/// Whether the model allows the relationship; a stored one that it does not allow is not there.
pub(crate) fn is_readable(model: &Model, tuple: &Tuple) -> bool {
    let Some(definition) = relation(model, &tuple.object.type_name, &tuple.relation) else {
        return false;
    };
    if is_tupleset(model, tuple) {
        let plain = matches!(tuple.subject, Subject::Object(_));
        if !plain || definition.rewrite != Rewrite::Direct {
            return false;
        }
    }
    let condition = tuple.condition.as_ref().map(|condition| &condition.name);
    let allowed = definition.restrictions.iter().any(|restriction| {
        allows(restriction, &tuple.subject) && restriction.condition.as_ref() == condition
    });
    allowed && conditions::stored_context_fits(model, tuple)
}

fn allows(restriction: &TypeRestriction, subject: &Subject) -> bool {
    match (&restriction.form, subject) {
        (RestrictionForm::Object, Subject::Object(object)) => {
            object.type_name == restriction.type_name
        }
        (RestrictionForm::Wildcard, Subject::Wildcard(type_name)) => {
            *type_name == restriction.type_name
        }
        (RestrictionForm::Userset(member), Subject::Userset(object, of)) => {
            object.type_name == restriction.type_name && member == of
        }
        _ => false,
    }
}

/// Whether some relation of the type says `… from` this one.
fn is_tupleset(model: &Model, tuple: &Tuple) -> bool {
    fn names(rewrite: &Rewrite, relation: &str) -> bool {
        match rewrite {
            Rewrite::Direct | Rewrite::Computed(_) => false,
            Rewrite::From { tupleset, .. } => tupleset == relation,
            Rewrite::Union(children) | Rewrite::Intersection(children) => {
                children.iter().any(|child| names(child, relation))
            }
            Rewrite::Difference(base, subtracted) => {
                names(base, relation) || names(subtracted, relation)
            }
        }
    }
    let of_type = model.types.iter().filter(|definition| definition.name == tuple.object.type_name);
    of_type
        .flat_map(|definition| &definition.relations)
        .any(|definition| names(&definition.rewrite, &tuple.relation))
}
