//! A plan's Dependencies applied to manifests, one folder per behaviour in `tests/cases/deps`.
//!
//! `in/` is the workspace with its plan; packages get an empty `src/lib.rs`. `output.txt` is what is said, `out/` holds the
//! files that change. Every other file has to stay, byte for byte, and a second run has to change nothing.
//! `SNAPSHOTS=overwrite` writes `output.txt` and `out/` instead.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};

/// One test for each folder, so that a failure names its case.
macro_rules! cases {
    ($($name:ident)*) => {
        $(#[test] fn $name() { check(stringify!($name)); })*

        #[test]
        fn every_folder_is_a_case() {
            let listed: Vec<&str> = vec![$(stringify!($name)),*];
            let mut folders: Vec<String> = fs::read_dir(cases()).unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            folders.sort();
            assert_eq!(folders, listed);
        }
    };
}

cases! {
    add_after_header_comment
    add_below_groups
    add_build_table
    add_dev_table
    add_several
    add_sorted
    add_sorted_first
    add_table_at_the_end
    add_table_before_its_subtables
    add_to_empty_table
    add_unsorted_last
    array_in_the_plan
    array_of_targets_and_bins
    bom
    bom_crlf
    cargo_refuses_one_of_two
    comments_at_the_end
    conflict_in_a_table
    conflict_in_the_workspace
    conflict_stops_all
    context_group
    crlf
    crlf_array
    crlf_new_table
    crlf_plan
    default_features_conflict
    default_features_ignored
    default_features_not_inherited
    default_features_refused
    default_features_unsaid
    described_by_comment
    described_by_prose
    described_by_prose_marked
    dotted_at_the_root
    elision_inside_an_entry
    elision_lines
    entry_outside_a_table
    entry_twice
    entry_written_oddly
    every_kind
    feature_extended
    feature_new_unsorted
    feature_unknown_value
    features_bracket_on_last_line
    features_dotted
    features_first_beside_bracket
    features_for_a_bare_version
    features_in_own_table
    features_in_own_table_extended
    features_inline
    features_inline_empty_array
    features_inline_without
    features_multiline
    features_multiline_comments_only
    features_multiline_no_comma
    features_named_otherwise
    features_several_per_line
    features_there_already
    git_and_path
    git_conflict
    git_written_otherwise
    hyphen_or_underscore
    indented_table
    inherit_dotted
    inherit_ignores_keys
    inherit_inline
    inherit_undeclared
    inherit_undeclared_unmarked
    inherit_what_has_its_own
    inherited_dotted_lines
    inherited_gains_features
    inherited_satisfies
    inherited_too_low
    inline_table
    inline_table_empty
    inline_target
    manifest_broken
    manifest_missing
    manifest_outside
    mark_inside_an_array
    mark_on_the_header
    mark_on_the_line_above
    marked_only
    mixed_line_ends
    multiline_neighbours
    nested_workspace
    no_block
    no_final_newline
    no_final_newline_new_table
    non_ascii_folder
    not_a_manifest
    not_toml
    nothing_to_do
    older_table_name
    optional_conflict
    optional_with_feature
    optional_without_feature
    other_tables_left_alone
    package_of_its_own_name
    path_against_registry
    path_gains_version
    placeholder_described
    placeholder_source
    placeholder_version
    python_requirement
    quoted_keys
    rename
    rename_conflict
    requirement_conflict
    requirement_kept
    requirement_overlap
    requirement_raised
    requirement_written_otherwise
    root_package_inherits
    same_package_other_name
    several_conflicts
    source_written_otherwise
    tables_in_the_plan
    target_beside_another
    target_dev
    target_spelled_otherwise
    target_triple
    two_blocks_one_entry
    two_manifests
    unmarked_absent
    unmarked_beside_existing
    unmarked_present_differs
    virtual_workspace_refused
    workspace_add
    workspace_and_member
    workspace_table_in_a_member
    workspace_table_new
    wrong_type
}

fn cases() -> Utf8PathBuf {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/deps")
}

type Tree = BTreeMap<Utf8PathBuf, Vec<u8>>;

fn check(name: &str) {
    let case = cases().join(name);
    let before = read(&case.join("in"));
    let temporary = workspace(&before);
    let root = Utf8Path::from_path(temporary.path())
        .unwrap()
        .canonicalize_utf8()
        .unwrap();

    let output = run(&root);
    let mut after = read(&root);
    after.retain(|path, bytes| before.get(path) != Some(bytes) && !path.ends_with("src/lib.rs"));
    if std::env::var("SNAPSHOTS").is_ok_and(|value| value == "overwrite") {
        return overwrite(&case, &output, &after);
    }
    snapbox::assert_data_eq!(
        output,
        snapbox::Data::read_from(case.join("output.txt").as_std_path(), None).raw()
    );
    let expected = read(&case.join("out"));
    assert_eq!(
        expected.keys().collect::<Vec<_>>(),
        after.keys().collect::<Vec<_>>(),
        "the files that change"
    );
    for (path, bytes) in &expected {
        assert_eq!(show(bytes), show(&after[path]), "{path}");
    }
    if !expected.is_empty() {
        run(&root);
        let mut again = read(&root);
        again.retain(|path, _| after.contains_key(path));
        assert!(again == after, "a second run changes something");
    }
}

/// The program's output on a workspace: first of the dry run, then of the edit.
fn run(root: &Utf8Path) -> String {
    let mut output = String::new();
    for arguments in [&["deps", "cache", "--dry-run"][..], &["deps", "cache"]] {
        let ran = Command::new(env!("CARGO_BIN_EXE_cargo-poc"))
            .args(arguments)
            .args(["--offline", "--color", "never"])
            .current_dir(root)
            .output()
            .unwrap();
        writeln!(output, "$ cargo poc {}", arguments.join(" ")).unwrap();
        for stream in [ran.stdout, ran.stderr] {
            output.push_str(&String::from_utf8(stream).unwrap());
            if !output.ends_with('\n') {
                output.push('\n');
            }
        }
        writeln!(output, "exit {}\n", ran.status.code().unwrap()).unwrap();
    }
    without_words_of_cargo(&output.replace(root.as_str(), "[ROOT]"))
}

/// Leaves out what cargo says in its own words, which differ from version to version.
fn without_words_of_cargo(output: &str) -> String {
    let mut kept = String::new();
    let mut words = false;
    for line in output.split_inclusive('\n') {
        words &= !line.starts_with("exit ");
        if !words {
            kept.push_str(line);
        }
        if !words && line.ends_with("cargo could not read the workspace\n") {
            kept.push_str("         [cargo's own words]\n");
            words = true;
        }
    }
    kept
}

/// A copy of a tree where cargo finds a target in every package.
fn workspace(tree: &Tree) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = Utf8Path::from_path(folder.path()).unwrap();
    for (path, bytes) in tree {
        write(&root.join(path), bytes);
        if path.file_name() == Some("Cargo.toml") {
            write(&root.join(path).with_file_name("src").join("lib.rs"), b"");
        }
    }
    folder
}

fn write(path: &Utf8Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::File::create(path)
        .and_then(|mut file| std::io::Write::write_all(&mut file, bytes))
        .unwrap();
}

/// Every file below a folder; nothing when there is no folder.
fn read(root: &Utf8Path) -> Tree {
    let mut tree = Tree::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = folder.read_dir_utf8() else {
            continue;
        };
        for entry in entries {
            let path = entry.unwrap().into_path();
            if path.is_dir() {
                folders.push(path);
            } else {
                tree.insert(
                    path.strip_prefix(root).unwrap().to_owned(),
                    fs::read(&path).unwrap(),
                );
            }
        }
    }
    tree
}

/// Text in which line ends and a byte order mark can be seen.
fn show(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes)
        .replace('\r', "␍")
        .replace('\u{feff}', "[BOM]")
}

fn overwrite(case: &Utf8Path, output: &str, after: &Tree) {
    write(&case.join("output.txt"), output.as_bytes());
    fs::remove_dir_all(case.join("out")).ok();
    for (path, bytes) in after {
        write(&case.join("out").join(path), bytes);
    }
}
