//! What a command starts before it can answer: nothing that it does not need, and nothing twice.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;

use crate::kit::{PROGRAM, Sandbox, finish};
use crate::plans::plan;

const PLAN: &str = plan!(
    "- [ ] fast
",
    "### Step 1: Do it

**Tests**: none

**Verification**:
```bash
true
```
"
);

const RESULTS: &str = "# Cache Results

## Success Criteria

- [ ] fast

## Implementation Progress

### Step 1: Do it

**Status**: Pending
";

/// Wrappers that record their arguments, then run the real programs.
struct Watched {
    sandbox: Sandbox,
    programs: Sandbox,
}

impl Watched {
    fn new() -> Self {
        let sandbox = Sandbox::package();
        sandbox
            .write("docs/cache-plan.md", PLAN)
            .write("docs/cache-results.md", RESULTS);
        sandbox.git();
        sandbox.poc("verify cache --step 1 -q").exits(0);
        let programs = Sandbox::empty();
        for name in ["cargo", "git", "rustc"] {
            let real = sandbox.shell(&format!("command -v {name}"));
            let log = programs.root.join("log");
            let script = format!(
                "#!/bin/sh\necho {name} \"$@\" >>{log}\nexec {} \"$@\"\n",
                real.stdout.trim()
            );
            programs.write(name, script);
            let executable = std::fs::Permissions::from_mode(0o755);
            std::fs::set_permissions(programs.root.join(name), executable).unwrap();
        }
        Self { sandbox, programs }
    }

    /// How often each was called for a command of ours, by its first word or, for git, its second.
    fn calls(&self, line: &str) -> BTreeMap<String, usize> {
        self.calls_built_in("target", line)
    }

    fn calls_built_in(&self, target: &str, line: &str) -> BTreeMap<String, usize> {
        self.programs.write("log", "");
        let mut command = self.sandbox.command(PROGRAM);
        command.env("CARGO_TARGET_DIR", target).env_remove("CARGO");
        let path = std::env::var("PATH").unwrap();
        command.env("PATH", format!("{}:{path}", self.programs.root));
        command.args(shlex::split(line).unwrap());
        finish(command, line).exits(0);
        let mut calls = BTreeMap::new();
        for call in self.programs.read("log").lines() {
            let mut words = call.split(' ').filter(|word| *word != "-C");
            let program = words.next().unwrap();
            let at = usize::from(program == "git");
            let call = format!("{program} {}", words.nth(at).unwrap());
            *calls.entry(call).or_default() += 1;
        }
        calls
    }

    #[track_caller]
    fn starts(&self, line: &str, expected: &[(&str, usize)]) {
        let expected = expected.iter();
        let expected: BTreeMap<String, usize> = expected
            .map(|(call, times)| ((*call).to_owned(), *times))
            .collect();
        assert_eq!(self.calls(line), expected, "{line}");
    }
}

#[test]
fn commands_without_a_workspace_start_no_process() {
    let watched = Watched::new();
    for line in [
        "--help",
        "--version",
        "completions zsh",
        "man",
        "check --explain POC010",
    ] {
        watched.starts(line, &[]);
    }
}

#[test]
fn only_commands_that_compare_with_git_run_it() {
    let watched = Watched::new();
    for line in [
        "deps cache --dry-run",
        "verify cache --step 1 --list",
        "step note cache 1 --issue slow --dry-run",
    ] {
        watched.starts(line, &[("cargo metadata", 1)]);
    }
    // Packages that exclude each other are found in sources, which are cached by their ids in git.
    watched.starts(
        "verify --full --list",
        &[
            ("cargo metadata", 1),
            ("git ls-files", 1),
            ("git rev-parse", 1),
        ],
    );
    // Whose change it is.
    watched.starts(
        "step withdraw cache 1 --reason slow --dry-run",
        &[("cargo metadata", 1), ("git rev-parse", 1), ("git var", 1)],
    );
}

#[test]
fn no_process_runs_twice() {
    let watched = Watched::new();
    let status = [
        ("cargo metadata", 1),
        ("git diff", 1),
        ("git ls-files", 1),
        // The branches that the base can be on.
        ("git for-each-ref", 1),
        // Which repository this is, with the commit of HEAD, and the commit that the plan calls `main`.
        ("git rev-parse", 2),
        ("rustc -vV", 1),
    ];
    for line in ["status", "check", "report", "step done cache 1 --dry-run"] {
        watched.starts(line, &status);
    }
    let head = watched.sandbox.run_git(&["rev-parse", "HEAD"]);
    watched.sandbox.edit(
        "docs/cache-plan.md",
        "`main`",
        &format!("`{}`", head.trim()),
    );
    // HEAD is known already.
    let expected = status.map(|(call, times)| (call, times.saturating_sub(1).max(1)));
    watched.starts("status", &expected);
    // The results have been written to before it is looked whether all is done.
    watched.starts(
        "step done cache 1",
        &[
            ("cargo metadata", 1),
            ("git diff", 2),
            ("git for-each-ref", 2),
            ("git ls-files", 2),
            ("git rev-parse", 2),
            ("rustc -vV", 2),
        ],
    );
}

/// Whether what changed since a run can affect its tests is worked out once: the second time no text of before is asked for.
#[test]
fn selection_is_computed_once() {
    let watched = Watched::new();
    watched.sandbox.edit(
        "docs/cache-plan.md",
        "```bash\ntrue\n",
        "```bash\ncargo test --offline -p app\n",
    );
    watched.sandbox.commit("a step that tests");
    watched.sandbox.poc("amend cache --reason tests").exits(0);
    watched.sandbox.poc("verify cache --step 1 -q").exits(0);
    watched.sandbox.append("src/lib.rs", "// A comment.\n");
    let status = || {
        let calls = watched.calls("status");
        watched.sandbox.poc("status").prints("proven");
        calls
    };
    let (first, second) = (status(), status());
    let texts = "git cat-file";
    assert!(first.contains_key(texts), "{first:?}");
    assert!(!second.contains_key(texts), "{second:?}");
}

/// Wrappers around cargo may print other text before the metadata.
#[test]
fn text_before_cargo_metadata_is_skipped() {
    let watched = Watched::new();
    let cargo = watched.programs.read("cargo");
    let chatty = cargo.replacen("#!/bin/sh\n", "#!/bin/sh\necho about to ask cargo\n", 1);
    watched.programs.write("cargo", chatty);
    for _ in 0..2 {
        assert_eq!(watched.calls("status")["cargo metadata"], 1);
    }
}

/// What cargo said of one is no beginning for the other.
#[test]
fn workspaces_with_a_shared_target_folder_are_separate() {
    let (one, other) = (Watched::new(), Watched::new());
    let (own, shared) = (Sandbox::empty(), Sandbox::empty());
    let expected = other.calls_built_in(own.root.as_str(), "status");
    one.calls_built_in(shared.root.as_str(), "status");
    assert!(shared.exists("cargo-poc/members"));
    let calls = other.calls_built_in(shared.root.as_str(), "status");
    assert_eq!(calls, expected);
}

/// Commands begin with what cargo said the last time; where it now says otherwise, nothing of that is shown.
#[test]
fn outdated_metadata_is_not_used() {
    let sandbox = Sandbox::package();
    sandbox
        .write("docs/cache-plan.md", PLAN)
        .write("docs/cache-results.md", RESULTS);
    sandbox.git();
    sandbox.write("target/CACHEDIR.TAG", "");
    let members = "target/cargo-poc/members";
    let lines = [
        "status",
        "check",
        "init other --dry-run",
        "affected --format names",
    ];
    let told = |line: &str| {
        let run = sandbox.poc(line);
        format!("{}{}", run.stdout, run.stderr)
    };
    let first = lines.map(told);
    let same = |what: &str| {
        for line in lines {
            assert!(sandbox.exists(members), "{what}: {line}");
            let kept = told(line);
            let again = told(line);
            std::fs::remove_file(sandbox.root.join(members)).unwrap();
            let anew = told(line);
            assert_eq!(kept, anew, "{what}: {line}");
            assert_eq!(again, anew, "{what}: {line}");
        }
    };
    same("nothing changed");
    sandbox.edit(
        "Cargo.toml",
        "name = \"app\"",
        "name = \"app\"\nautotests = false",
    );
    same("a setting more");
    sandbox.edit("Cargo.toml", "name = \"app\"", "name = \"other\"");
    let gone = sandbox.poc("init other --dry-run -p app");
    gone.exits(2).says("no package `app`");
    same("another package");
    sandbox.append(
        "Cargo.toml",
        "\n[workspace.metadata.poc]\ndocs = \"elsewhere\"\n",
    );
    sandbox.poc("status cache").exits(2).says("no plan `cache`");
    same("another folder of documents");
    sandbox.append("Cargo.toml", "\n[what");
    let broken = sandbox.poc("status");
    broken.exits(2).says("Cargo.toml");
    assert_ne!(lines.map(told), first);
}
