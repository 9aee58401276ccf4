//! The parts that a command waits for besides cargo: reading documents, hashing files, selecting tests.
//!
//! `cargo bench` runs them; `benches/compare.sh` times whole commands.
#![expect(
    clippy::expect_used,
    reason = "a bench that cannot run has nobody to tell but the console"
)]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::process::Command;
use std::sync::LazyLock;

use camino::Utf8PathBuf;
use cargo_poc::internals::affected;
use cargo_poc::internals::affected::items::Uncached;
use cargo_poc::internals::change::{self, Change};
use cargo_poc::internals::cli::Global;
use cargo_poc::internals::document::{Document, read_plan};
use cargo_poc::internals::freshness::Hasher;
use cargo_poc::internals::project::Project;
use cargo_poc::internals::script::commands::Script;
use clap::{Args as _, FromArgMatches as _};
use divan::{Bencher, black_box};
use tempfile::TempDir;

/// As in the program.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    divan::main();
}

/// A plan of `kibibytes`, with as many steps as that takes.
fn plan_of(kibibytes: usize) -> String {
    let mut text = String::from(
        "# Large PoC Implementation Plan\n\n## Overview\n\n| Attribute | Value |\n|---|---|\n| **Base** | `abc` |\n\n\
         ## Success Criteria\n\n- [ ] reads stay under 1 ms\n\n## Implementation Steps\n",
    );
    let mut files =
        String::from("\n## Files to Create/Modify\n\n| File | Action | Status |\n|---|---|---|\n");
    for step in 0.. {
        if text.len() + files.len() >= kibibytes * 1024 {
            break;
        }
        let _ = write!(
            text,
            "\n### Step {step}: Part {step} of the work\n\n**Goal**: After this step part {step} works, *alone*, and \
             `part_{step}` says so.\n\n**Tasks**:\n- [ ] Create `src/part_{step}.rs`: the part\n- [x] Write the tests in \
             `tests/part.rs`\n- [ ] Say what it does\n\n**Code** (add to `src/lib.rs`):\n```rust\npub mod part_{step};\n\n\
             /// A part.\npub fn part_{step}(input: &str) -> usize {{\n    input.len() + {step}\n}}\n```\n\n**Tests** (add to \
             `tests/part.rs`):\n```rust\n#[test]\nfn part_step_{step}() {{\n    assert_eq!(part_{step}(\"\"), {step});\n}}\n\
             ```\n\n**Verification**:\n```bash\ncargo test -p part --test part part_step_{step}\n# Expected: All pass\n```\n\n\
             **Output**: Its tests pass\n\n---\n",
        );
        let _ = writeln!(
            files,
            "| `src/part_{step}.rs` | Create | Pending: part {step} |"
        );
    }
    text + &files
}

#[divan::bench(args = [10, 80, 640])]
fn read_a_plan(bencher: Bencher<'_, '_>, kibibytes: usize) {
    let text = plan_of(kibibytes);
    assert!(
        !read_plan(&Document::from_text("plan.md", text.clone()))
            .steps
            .is_empty()
    );
    bencher
        .counter(divan::counter::BytesCount::of_str(&text))
        .bench_local(|| read_plan(&Document::from_text("plan.md", black_box(text.clone()))));
}

/// A plan with this many placeholders in one paragraph. Twice as many may take three times as long at most.
#[divan::bench(args = [100_000, 200_000])]
fn read_placeholders(bencher: Bencher<'_, '_>, count: usize) {
    let text = format!("# Large PoC Plan\n\n{}\n", "[fill in: what] ".repeat(count));
    bencher.bench_local(|| read_plan(&Document::from_text("plan.md", black_box(text.clone()))));
}

/// A plan with this many steps. Twice as many may take three times as long at most.
#[divan::bench(args = [15_000, 30_000])]
fn read_steps(bencher: Bencher<'_, '_>, count: usize) {
    let mut text = String::from("# Large PoC Plan\n\n## Implementation Steps\n");
    for step in 0..count {
        let _ = write!(
            text,
            "\n### Step {step}: Part {step}\n\n**Goal**: it works\n\n**Tasks**:\n- [ ] do it\n\n**Verification**:\n```bash\ntrue\n```\n",
        );
    }
    bencher.bench_local(|| read_plan(&Document::from_text("plan.md", black_box(text.clone()))));
}

/// A block with a here-document, a quoted text and a function, each of this many lines. Twice as many may take three times as
/// long at most.
#[divan::bench(args = [300, 600])]
fn split_a_block(bencher: Bencher<'_, '_>, lines: usize) {
    let text = "it's \"x\" $(y\n".repeat(lines);
    let quoted = "one `two` # three\n".repeat(lines);
    let body = "  echo one; # it's two\n".repeat(lines);
    let block =
        format!("cat <<'END' > /dev/null\n{text}END\necho '{quoted}'\nf() {{\n{body}}}\nf\n");
    bencher.bench_local(|| Script::of(0, black_box(&block)).expect("bash splits the block"));
}

/// The generated workspace; the folder lives as long as the process.
struct Generated {
    _folder: TempDir,
    project: Project,
}

static GENERATED: LazyLock<Generated> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let root =
        Utf8PathBuf::try_from(folder.path().join("generated")).expect("a path that is UTF-8");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/generate.sh");
    let status = Command::new("bash").args([script, root.as_str()]).status();
    assert!(status.expect("bash is installed").success());
    let command = Global::augment_args(clap::Command::new("bench"));
    let manifest = root.join("Cargo.toml");
    let arguments = ["bench", "--offline", "--manifest-path", manifest.as_str()];
    let global = Global::from_arg_matches(&command.get_matches_from(arguments)).expect("they fit");
    Generated {
        project: Project::load(&global).expect("the generated workspace loads"),
        _folder: folder,
    }
});

/// Every file of 200 packages, 3 MB in 1,600 files: what `status` compares with evidence.
#[divan::bench]
fn hash_a_workspace(bencher: Bencher<'_, '_>) {
    let project = &GENERATED.project;
    let packages: BTreeSet<usize> = (0..project.workspace.packages.len()).collect();
    bencher.bench_local(|| {
        let repository = change::repository_of(&project.workspace).ok();
        let mut hasher = Hasher::new(&project.workspace, &project.config, repository, "rustc")
            .expect("files are listed");
        hasher.inputs(black_box(&packages)).expect("files are read")
    });
}

/// One changed library out of 200 packages, with the reasons of every test target it reaches.
#[divan::bench(args = [1, 50, 199])]
fn select_the_affected(bencher: Bencher<'_, '_>, package: usize) {
    let project = &GENERATED.project;
    let path = project
        .workspace
        .root
        .join(format!("packages/p{package}/src/lib.rs"));
    let change = Change::of_files(BTreeSet::from([path]));
    bencher.bench_local(|| {
        affected::select(
            &project.workspace,
            &project.config,
            black_box(&change),
            &Uncached,
            &|_| true,
        )
        .expect("it is selected")
    });
}
