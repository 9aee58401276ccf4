//! Items of the Production-Grade Checklist that a program can check: ticked, and not so. What stood in the sources at the
//! base is nobody's fault here.

use super::context::{Check, LintContext};
use crate::finding::{Code, Finding, Gate, Rule, Severity};
use crate::status::{ChecklistClaim, ChecklistStatus, Contradiction};

pub(super) const CHECKS: &[Check] = &[(
    &[
        STUB_LEFT,
        UNWRAP_ADDED,
        TEST_IGNORED,
        UNTESTED_FILE,
        UNDOCUMENTED_ITEM,
        SECRET,
    ],
    checklist,
)];

/// Every ticked item that the sources contradict.
fn checklist(cx: &LintContext<'_>, found: &mut Vec<Finding>) {
    let ticked = cx.status.checklist.iter().filter(|item| item.checked);
    for item in ticked {
        let contradictions = item.contradictions.iter();
        found.extend(contradictions.map(|place| finding(cx, item, place)));
    }
}

fn finding(cx: &LintContext<'_>, item: &ChecklistStatus, place: &Contradiction) -> Finding {
    let code = match place.claim {
        ChecklistClaim::NoStubs => STUB_LEFT,
        ChecklistClaim::NoUnwraps => UNWRAP_ADDED,
        ChecklistClaim::NoIgnoredTests => TEST_IGNORED,
        ChecklistClaim::Documented => UNDOCUMENTED_ITEM,
        ChecklistClaim::NoSecrets => SECRET,
        ChecklistClaim::TestsExist => {
            let message = format!(
                "{}, and line {} ticks `{}`",
                place.what, item.line, item.text
            );
            let finding = match &place.span {
                Some(span) => cx.in_plan(UNTESTED_FILE, span, message),
                None => cx.in_plan_line(UNTESTED_FILE, item.line, message),
            };
            return finding.help("test it there or under tests/, or take the tick away");
        }
    };
    let message = format!(
        "{}, but {}:{} ticks `{}`",
        place.what, cx.status.plan, item.line, item.text
    );
    let mut finding = Finding::new(code, &place.path, place.line, message);
    finding.column = place.column;
    finding.span.clone_from(&place.span);
    finding
}

pub(crate) const STUB_LEFT: Code = Code::new(&Rule {
    code: "POC083",
    name: "stub-left",
    severity: Severity::Error,
    gate: Gate::Independent,
    title: "the checklist excludes stubs, but a stub was added",
    page: r#"
The item is ticked, but a file changed since the base contains a new `todo!`, `unimplemented!` or `dbg!`.

```markdown
- [x] **No stubs**: no `todo!`, `unimplemented!` or `dbg!` is left
```

```rust
/// Answers.
pub fn answer() -> u32 {
    todo!("ask again")
}
```
"#,
});

pub(crate) const UNWRAP_ADDED: Code = Code::new(&Rule {
    code: "POC084",
    name: "unwrap-added",
    severity: Severity::Error,
    gate: Gate::Independent,
    title: "the checklist excludes new unwraps, but one was added",
    page: r"
The item is ticked, but a changed file contains a new `unwrap()` outside tests.

```markdown
- [x] **No new `unwrap`**: errors outside tests are handled
```

```rust
/// The first.
pub fn first(of: &[u32]) -> u32 {
    *of.first().unwrap()
}
```
",
});

pub(crate) const TEST_IGNORED: Code = Code::new(&Rule {
    code: "POC085",
    name: "test-ignored",
    severity: Severity::Error,
    gate: Gate::Independent,
    title: "the checklist excludes ignored tests, but one was added",
    page: r#"
The item is ticked, but a changed file contains a new `#[ignore]`.

```markdown
- [x] **No test switched off**: no `#[ignore]` was added
```

```rust
#[test]
#[ignore = "slow"]
fn counts() {}
```
"#,
});

pub(crate) const UNDOCUMENTED_ITEM: Code = Code::new(&Rule {
    code: "POC087",
    name: "undocumented-item",
    severity: Severity::Error,
    gate: Gate::Independent,
    title: "the checklist requires documentation, but a public item has none",
    page: r"
The item is ticked, but a changed file contains a new public item without documentation.

```markdown
- [x] **Documented**: every public item says what it is
```

```rust
pub fn answer() -> u32 {
    42
}
```
",
});

pub(crate) const SECRET: Code = Code::new(&Rule {
    code: "POC088",
    name: "secret",
    severity: Severity::Error,
    gate: Gate::Independent,
    title: "the checklist excludes secrets, but a literal resembles one",
    page: r#"
The item is ticked, but a changed file contains a literal that resembles a key, or a long literal assigned to a password, secret
or token. Read it from the environment, and replace the secret: once committed, it is no longer secret.

```markdown
- [x] **No secrets**: no key, token or password in the source
```

```rust
/// For the service.
pub const API_TOKEN: &str = "9f2b7c41d05e4a8893aa";
```
"#,
});

pub(crate) const UNTESTED_FILE: Code = Code::new(&Rule {
    code: "POC086",
    name: "untested-file",
    severity: Severity::Error,
    gate: Gate::Independent,
    title: "the checklist requires tests for created files, but one has none",
    page: r"
The item is ticked, but a created source file contains no test, and no test of its package names the file or an item in it.

```markdown
- [x] **Tests exist**: every created file is covered by a test
```

```markdown
| `store/src/fires.rs` | Create | Pending |
```
",
});
