//! The pages name tests that exist.

use std::path::Path;

/// Everything in the folder that is Rust, as one text.
fn sources(folder: &Path, text: &mut String) {
    for entry in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry"))
    {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, text);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&std::fs::read_to_string(&path).expect("a source"));
        }
    }
}

#[test]
fn each_test_that_a_page_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut code = String::new();
    sources(&root.join("src"), &mut code);
    sources(&root.join("tests"), &mut code);
    for folder in ["cli_registry", "server"] {
        sources(&root.join("../mandate/tests").join(folder), &mut code);
    }
    let mut named = 0;
    for page in ["registry.md", "audit.md", "cli-registry.md"] {
        let text = std::fs::read_to_string(root.join("../../docs").join(page)).expect("the page");
        // Names of tests are sentences: four words and more.
        let words = text.split('`').filter(|word| word.matches('_').count() >= 3);
        for name in words.filter(|word| word.chars().all(|c| c.is_ascii_lowercase() || c == '_')) {
            named += 1;
            assert!(code.contains(&format!("fn {name}(")), "{page} names `{name}`");
        }
    }
    assert!(named >= 30, "only {named} names were found");
}
