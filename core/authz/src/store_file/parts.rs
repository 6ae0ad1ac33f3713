//! From the members of a store file to what they mean.

use serde_saphyr::{Location, Spanned};

use super::error::StoreFileError;
use super::shape::{
    CheckShape, ConditionShape, ListObjectsShape, ListUsersShape, Relationships, Shape, TestShape,
    TupleShape, UsersShape,
};
use super::{CheckTest, ListObjectsTest, ListUsersTest, Open, StoreTest, UserFilter};
use crate::model::{LocatedModel, Manifest, Model, ModelError, ModuleFile, Span};
use crate::name::{ObjectName, Subject};
use crate::tuple::{Tuple, TupleCondition};

/// A store file on its way.
pub(super) struct Parts<'o> {
    file: String,
    open: Open<'o>,
    errors: Vec<StoreFileError>,
}

impl<'o> Parts<'o> {
    pub(super) fn new(file: &str, open: Open<'o>) -> Self {
        Self { file: file.to_owned(), open, errors: Vec::new() }
    }

    /// Everything that was wrong on the way.
    pub(super) fn finish(self) -> Result<(), Vec<StoreFileError>> {
        if self.errors.is_empty() { Ok(()) } else { Err(self.errors) }
    }

    /// The model, from here or from its file.
    pub(super) fn model(&mut self, shape: &Shape) -> Option<LocatedModel> {
        let model = match (&shape.model, &shape.model_file) {
            (Some(model), _) => checked(LocatedModel::parse_dsl(&model.value)).map_err(|errors| {
                let placed =
                    |error| in_store_file(error, &self.file, &model.value, model.referenced);
                errors.into_iter().map(placed).collect()
            }),
            (None, Some(file)) => {
                let text = self.read(file)?;
                self.model_of(&file.value, &text)
            }
            (None, None) => {
                self.wrong(None, "neither `model` nor `model_file`");
                return None;
            }
        };
        let complain = |errors: Vec<ModelError>| {
            self.errors.extend(errors.into_iter().map(StoreFileError::Model));
        };
        model.map_err(complain).ok()
    }

    fn model_of(&mut self, file: &str, text: &str) -> Result<LocatedModel, Vec<ModelError>> {
        let model = match extension(file) {
            "json" => Model::from_json(text).map(LocatedModel::from),
            "mod" => Manifest::parse(text).and_then(|manifest| self.modules(file, &manifest)),
            _ => LocatedModel::parse_dsl(text),
        };
        let named = |error: ModelError| {
            let error_file = error.file.clone().unwrap_or_else(|| file.to_owned());
            ModelError { file: Some(error_file), ..error }
        };
        checked(model).map_err(|errors| errors.into_iter().map(named).collect())
    }

    /// The files of a model of modules lie beside its manifest.
    fn modules(
        &mut self,
        manifest_file: &str,
        manifest: &Manifest,
    ) -> Result<LocatedModel, Vec<ModelError>> {
        let folder = manifest_file.rsplit_once('/').map_or(".", |(folder, _)| folder);
        let mut files = Vec::new();
        for name in &manifest.files {
            match (self.open)(&format!("{folder}/{name}")) {
                Ok(text) => files.push(ModuleFile { name: name.clone(), text }),
                Err(message) => self.errors.push(StoreFileError::new(name, None, message)),
            }
        }
        LocatedModel::from_modules(&files)
    }

    /// What is written here, then what stands in the files.
    pub(super) fn tuples(&mut self, relationships: &Relationships<'_>) -> Vec<Tuple> {
        let Relationships { written, file, files } = relationships;
        let here = self.file.clone();
        let mut tuples = Vec::new();
        for shape in written.iter().copied().flatten() {
            tuples.extend(self.tuple(&here, shape));
        }
        for file in file.iter().copied().chain(files.iter().copied().flatten()) {
            let Some(text) = self.read(file) else { continue };
            for shape in self.tuple_shapes(file, &text) {
                tuples.extend(self.tuple(&file.value, &shape));
            }
        }
        tuples
    }

    fn tuple_shapes(&mut self, file: &Spanned<String>, text: &str) -> Vec<TupleShape> {
        let shapes = match extension(&file.value) {
            "json" | "yaml" | "yml" => serde_saphyr::from_str(text),
            "jsonl" => text
                .lines()
                .filter(|line| !line.trim().is_empty())
                .map(serde_saphyr::from_str)
                .collect(),
            _ => {
                let message = "relationships are read from .yaml, .yml, .json and .jsonl";
                self.wrong(Some(file.referenced), message);
                return Vec::new();
            }
        };
        shapes.unwrap_or_else(|error| {
            self.errors.push(StoreFileError::yaml(&file.value, &error));
            Vec::new()
        })
    }

    fn tuple(&mut self, file: &str, shape: &TupleShape) -> Option<Tuple> {
        let TupleShape { user, relation, object, condition } = shape;
        let name = ObjectName::parse(&object.value).filter(|name| name.id != "*");
        if name.is_none() {
            self.wrong_in(file, object.referenced, "an object is `type:id`");
        }
        let subject = Subject::parse(&user.value);
        if subject.is_none() {
            let message = "a user is `type:id`, `type:id#relation` or `type:*`";
            self.wrong_in(file, user.referenced, message);
        }
        let condition = condition.as_ref().map(|ConditionShape { name, context }| TupleCondition {
            name: name.clone(),
            context: context.clone().unwrap_or_default(),
        });
        Some(Tuple { object: name?, relation: relation.clone(), subject: subject?, condition })
    }

    pub(super) fn test(&mut self, shape: &TestShape) -> StoreTest {
        let checks = shape.check.iter().flatten().flat_map(|check| self.checks(check)).collect();
        let list_objects = shape.list_objects.iter().flatten().flat_map(list_objects).collect();
        let list_users = shape.list_users.iter().flatten().flat_map(list_users).collect();
        StoreTest {
            name: shape.name.clone().unwrap_or_default(),
            tuples: self.tuples(&shape.relationships()),
            checks,
            list_objects,
            list_users,
        }
    }

    /// One entry may ask about several users and objects: about each with each.
    fn checks(&mut self, shape: &CheckShape) -> Vec<CheckTest> {
        let place = shape.assertions.as_ref().map(|assertions| assertions.referenced);
        let users = self.one_or_many(place, ("user", &shape.user), ("users", &shape.users));
        let objects =
            self.one_or_many(place, ("object", &shape.object), ("objects", &shape.objects));
        let context = shape.context.clone().unwrap_or_default();
        let assertions = shape.assertions.iter().flat_map(|assertions| &assertions.value);
        let mut checks = Vec::new();
        for (relation, expected) in assertions {
            for user in &users {
                for object in &objects {
                    checks.push(CheckTest {
                        user: user.clone(),
                        relation: relation.clone(),
                        object: object.clone(),
                        context: context.clone(),
                        expected: *expected,
                    });
                }
            }
        }
        checks
    }

    fn one_or_many(
        &mut self,
        place: Option<Location>,
        (one_name, one): (&str, &Option<Spanned<String>>),
        (many_name, many): (&str, &Option<Vec<Spanned<String>>>),
    ) -> Vec<String> {
        if one.is_some() == many.is_some() {
            self.wrong(place, format!("either `{one_name}` or `{many_name}`"));
        }
        let all = one.iter().chain(many.iter().flatten());
        all.map(|text| text.value.clone()).collect()
    }

    fn read(&mut self, file: &Spanned<String>) -> Option<String> {
        let text = (self.open)(&file.value);
        text.map_err(|message| {
            self.wrong(Some(file.referenced), format!("`{}`: {message}", file.value))
        })
        .ok()
    }

    fn wrong(&mut self, place: Option<Location>, message: impl Into<String>) {
        self.errors.push(StoreFileError::new(&self.file, place, message));
    }

    fn wrong_in(&mut self, file: &str, place: Location, message: &str) {
        self.errors.push(StoreFileError::new(file, Some(place), message));
    }
}

fn list_objects(shape: &ListObjectsShape) -> Vec<ListObjectsTest> {
    let assertions = shape.assertions.iter().flatten();
    let test = |(relation, expected): (&String, &Option<Vec<String>>)| ListObjectsTest {
        user: shape.user.clone(),
        relation: relation.clone(),
        type_name: shape.type_name.clone(),
        context: shape.context.clone().unwrap_or_default(),
        expected: expected.clone().unwrap_or_default(),
    };
    assertions.map(test).collect()
}

fn list_users(shape: &ListUsersShape) -> Vec<ListUsersTest> {
    let filters = shape.user_filter.iter();
    let filters = filters.map(|filter| UserFilter {
        type_name: filter.type_name.clone(),
        relation: filter.relation.clone(),
    });
    let filters: Vec<_> = filters.collect();
    let assertions = shape.assertions.iter().flatten();
    let test = |(relation, expected): (&String, &UsersShape)| ListUsersTest {
        object: shape.object.clone(),
        relation: relation.clone(),
        filters: filters.clone(),
        context: shape.context.clone().unwrap_or_default(),
        expected: expected.users.clone().unwrap_or_default(),
    };
    assertions.map(test).collect()
}

fn checked(model: Result<LocatedModel, Vec<ModelError>>) -> Result<LocatedModel, Vec<ModelError>> {
    let model = model?;
    model.validate()?;
    Ok(model)
}

/// Where a line of the model stands in the store file: `first` is its first character that is not
/// white space.
fn in_store_file(error: ModelError, file: &str, model: &str, first: Location) -> ModelError {
    let number = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    let blank = model.lines().take_while(|line| line.trim().is_empty()).count();
    let blank = u32::try_from(blank).unwrap_or(u32::MAX);
    let above = number(first.line()).saturating_sub(blank).saturating_sub(1);
    let indent = number(first.column()).saturating_sub(1);
    let span = error.span.map(|span| Span {
        line: span.line.saturating_add(above),
        column: span.column.saturating_add(indent),
        ..span
    });
    ModelError { file: Some(file.to_owned()), span, ..error }
}

fn extension(file: &str) -> &str {
    file.rsplit_once('.').map_or("", |(_, extension)| extension)
}
