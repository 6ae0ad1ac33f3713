//! The same questions to native core, to the component and to its core module.

use mandate::conformance::{
    Comparison, Complete, Decision, Exceptions, Implementation, Questions, write_table,
};

use crate::guests;

/// The component; where it was not built, says aloud that `part` is skipped.
///
/// # Panics
/// When it does not load.
#[must_use]
pub fn component(part: &str) -> Option<Complete> {
    let plugin = guests::plugin(part)?;
    Some(Complete::component(&plugin).expect("the limits hold"))
}

/// Its core module; see [`component`].
#[must_use]
pub fn module(part: &str) -> Option<Complete> {
    guests::core_module(part).map(Complete::module)
}

/// Requires that every question was asked, and answered as it states, whole.
///
/// # Panics
/// With the table of answers, when one is not.
pub fn require_agreement(
    questions: &Questions,
    exceptions: &Exceptions,
    implementation: &mut dyn Implementation,
) {
    let report = questions.ask(implementation, exceptions, Comparison::Full);
    let mut table = Vec::new();
    write_table(&report, &mut table).expect("a table in memory");
    assert!(report.agrees(), "{}", String::from_utf8_lossy(&table));
    assert_eq!(report.runs.len(), questions.len());
}

/// Requires the same text of all three for every decision, what is for the operator included; a
/// second time too, when nothing has to be loaded.
///
/// # Panics
/// With every answer that differs.
pub fn require_one_text(questions: &Questions, part: &str) {
    let (Some(mut component), Some(mut module)) = (component(part), module(part)) else { return };
    let mut native = Complete::native();
    let mut different = Vec::new();
    for Decision { id, line, .. } in &questions.decisions {
        let line = line.to_string();
        let expected = native.answer_line(&line);
        let doors: [&mut dyn Implementation; 3] = [&mut native, &mut component, &mut module];
        for door in doors {
            for _ in 0..2 {
                let answer = door.answer_line(&line);
                if answer != expected {
                    different.push(format!("{id} by {}:\n{answer}\n{expected}", door.name()));
                }
            }
        }
    }
    assert_eq!(different, Vec::<String>::new(), "{}", different.join("\n"));
}
