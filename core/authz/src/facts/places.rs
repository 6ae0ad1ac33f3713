//! Workspaces, boards, other objects, and relationships one by one.

use super::FactsError;
use super::assembly::{Assembly, Relationships};
use super::file::{File, Relations};
use super::names::{self, relation};
use super::place::{Place, entries};
use super::scalar::{RelationshipFile, TextOr};
use crate::name::{ObjectName, Subject};
use crate::tuple::{Tuple, TupleCondition};

/// Workspaces of an organization.
pub(super) fn workspaces(assembly: &mut Assembly<'_>) -> Result<(), FactsError> {
    for (place, entry) in entries("workspaces".to_owned(), &assembly.file.workspaces) {
        let workspace = assembly.types().workspace.as_deref();
        let workspace = workspace.ok_or_else(|| place.error("the contract has no workspaces"))?;
        let workspace = assembly.introduce(workspace, &entry.id, &place)?;
        let organization = assembly.organization(entry.organization.as_deref(), &place)?;
        assembly.settle(&workspace, &organization, &place)?;
        relate(assembly, &workspace, &entry.relations, &place)?;
    }
    Ok(())
}

/// Boards of a workspace.
pub(super) fn boards(assembly: &mut Assembly<'_>) -> Result<(), FactsError> {
    for (place, entry) in entries("boards".to_owned(), &assembly.file.boards) {
        let types = assembly.types();
        let missing = || place.error("the contract has no boards");
        let board = types.board.as_deref().ok_or_else(missing)?;
        let workspace = types.workspace.as_deref().ok_or_else(missing)?;
        let board = assembly.introduce(board, &entry.id, &place)?;
        let above = place.member("workspace");
        let workspace =
            names::object(workspace, &entry.workspace).map_err(|message| above.error(message))?;
        let within = Tuple::new(board.clone(), relation::WORKSPACE, Subject::Object(workspace));
        assembly.relationships.write(within, &above)?;
        relate(assembly, &board, &entry.relations, &place)?;
    }
    Ok(())
}

/// Objects of any type.
pub(super) fn objects(assembly: &mut Assembly<'_>) -> Result<(), FactsError> {
    for (place, entry) in entries("objects".to_owned(), &assembly.file.objects) {
        let object = names::full_object(&entry.object).map_err(|message| place.error(message))?;
        if assembly.types().is_principal(&object.type_name) {
            let message =
                format!("`{object}` needs a record: it belongs into a section of its own");
            return Err(place.error(message));
        }
        let object = assembly.introduce_object(object, &place)?;
        relate(assembly, &object, &entry.relations, &place)?;
    }
    Ok(())
}

fn relate(
    assembly: &mut Assembly<'_>,
    object: &ObjectName,
    relations: &Relations,
    place: &Place,
) -> Result<(), FactsError> {
    let user = assembly.types().user.as_str();
    for (relation, subjects) in relations {
        let subjects = place.each(&format!("relations.{relation}"), subjects);
        assembly.relationships.write_each(object, relation, user, subjects)?;
    }
    Ok(())
}

/// Objects without relationships of their own, in a world without tenants.
pub(super) fn raw_objects(
    file: &File,
    relationships: &mut Relationships<'_>,
) -> Result<(), FactsError> {
    for (place, entry) in entries("objects".to_owned(), &file.objects) {
        if !entry.relations.is_empty() {
            return Err(place.member("relations").error("needs a contract"));
        }
        let object = names::full_object(&entry.object).map_err(|message| place.error(message))?;
        relationships.register(object, &place)?;
    }
    Ok(())
}

/// The section `relationships`.
pub(super) fn relationships(
    file: &File,
    relationships: &mut Relationships<'_>,
) -> Result<(), FactsError> {
    for (place, entry) in entries("relationships".to_owned(), &file.relationships) {
        let tuple = tuple(entry).map_err(|message| place.error(message))?;
        relationships.write(tuple, &place)?;
    }
    Ok(())
}

fn tuple(entry: &RelationshipFile) -> Result<Tuple, String> {
    match entry {
        TextOr::InFull(entry) => {
            let object = names::full_object(&entry.object)?;
            let subject = names::full_subject(&entry.user)?;
            let condition = entry.condition.as_ref().map(|condition| TupleCondition {
                name: condition.name.clone(),
                context: condition.context.clone(),
            });
            Ok(Tuple { object, relation: entry.relation.clone(), subject, condition })
        }
        TextOr::Text(text) => {
            let parts = text.split_once('#').and_then(|(object, rest)| {
                let (relation, subject) = rest.split_once('@')?;
                Some((object, relation, subject))
            });
            let wrong = || format!("`{text}` is no `object#relation@subject`");
            let (object, relation, subject) = parts.ok_or_else(wrong)?;
            Ok(Tuple::new(names::full_object(object)?, relation, names::full_subject(subject)?))
        }
    }
}
