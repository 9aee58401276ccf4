//! `check`: the linter.

use cargo_poc::finding::Code;

#[test]
fn every_code_has_its_section() {
    for code in Code::ALL {
        let heading = format!("\n## {code}: {}\n", code.title());
        let pages = include_str!("../../docs/findings.md").matches(&heading);
        assert_eq!(
            pages.count(),
            1,
            "docs/findings.md has no section `{}`",
            heading.trim()
        );
    }
}
