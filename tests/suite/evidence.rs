//! Evidence in a results document: written beside human text, read back, and never believed when damaged.

mod writers;

use std::collections::BTreeMap;

use cargo_poc::internals::evidence::{
    Check, Outcome, Packed, ProblemKind, Record, Scope, Source, TestCounts, append, read,
};
use proptest::prelude::*;

use crate::property::text;

fn sample(scope: Scope, second: u32) -> Record {
    let tests = TestCounts {
        passed: 12,
        failed: 1,
        ignored: 2,
        filtered: 0,
    };
    Record {
        previous: Vec::new(),
        contract: None,
        poc: "cache".to_owned(),
        scope,
        time: format!("2026-01-03T10:{:02}:{:02}-08:00", second / 60, second % 60),
        outcome: Outcome::Failed,
        checks: vec![Check {
            command: "# the store\ncargo test -p store -- --skip slow | tee out\necho done"
                .to_owned(),
            exit: 101,
            outcome: Outcome::Failed,
            tests: Some(tests),
            milliseconds: 3210,
            expected: vec!["12 passed".to_owned()],
            unmet: Vec::new(),
            manual: false,
            runs: None,
            confirmed: None,
            measured: Vec::new(),
        }],
        tests: Some(tests),
        selection: None,
        strength: None,
        failing: BTreeMap::from([("store::it".to_owned(), vec!["reads --> fail".to_owned()])]),
        ignored: BTreeMap::new(),
        regressions: BTreeMap::from([("store::it".to_owned(), vec!["reads --> fail".to_owned()])]),
        missing: BTreeMap::new(),
        recovered: BTreeMap::new(),
        quarantined: BTreeMap::new(),
        passed: None,
        notes: Vec::new(),
        source: Source {
            commit: Some("0a1b2c3d4e5f60718293a4b5c6d7e8f901234567".to_owned()),
            dirty: Some(true),
        },
        inputs: BTreeMap::from([("store".to_owned(), "0011223344556677".to_owned())]),
        commands: "8899aabbccddeeff".to_owned(),
        milliseconds: 3210,
        durations_ms: BTreeMap::new(),
        toolchain: "rustc 1.89.0".to_owned(),
        tool: "cargo-poc 0.1.0".to_owned(),
    }
}

/// The records of a document without their predecessors.
fn records(text: &str) -> Vec<Record> {
    let evidence = read(text);
    assert_eq!(evidence.problems, []);
    let plain = |located: cargo_poc::internals::evidence::Located| Record {
        previous: Vec::new(),
        ..located.record
    };
    evidence.records.into_iter().map(plain).collect()
}

#[test]
fn record_has_a_table_row_and_a_comment_line() {
    let text = append(
        "# Cache: results\n\nSome text.\n",
        &sample(Scope::Step("4b".to_owned()), 5),
    )
    .unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(
        lines[..9],
        [
            "# Cache: results",
            "",
            "Some text.",
            "",
            "## Evidence",
            "",
            "<!-- cargo-poc:begin evidence -->",
            "",
            "| When | Scope | Command | Outcome | Tests | Commit | Took |",
        ]
    );
    assert_eq!(
        lines[10],
        "| 2026-01-03 10:00:05-08:00 | step 4b | `cargo test -p store -- --skip slow \\| tee out` and 1 more | failed, 1 \
         regression | 12 passed, 1 failed, 2 ignored | `0a1b2c3d4e5f` + changes | 3.2 s |"
    );
    assert_eq!(lines[11], "");
    assert!(lines[12].starts_with("<!-- cargo-poc:evidence v1 "));
    assert_eq!(
        lines[12].matches("--").count(),
        2,
        "only those of the comment"
    );
    assert_eq!(lines[13..], ["", "<!-- cargo-poc:end evidence -->"]);
    assert_eq!(records(&text), [sample(Scope::Step("4b".to_owned()), 5)]);
}

#[test]
fn records_follow_each_other_and_other_bytes_stay() {
    let mut text = "\u{feff}# Results\r\n\r\ntrailing  \r\n\tmixed\nend ✅ مرحبا".to_owned();
    let before = text.clone();
    for second in 0..3 {
        text = append(&text, &sample(Scope::Affected, second)).unwrap();
    }
    assert!(text.starts_with(&before));
    assert_eq!(records(&text).len(), 3);
    let rows = text
        .lines()
        .filter(|line| line.starts_with("| 2026"))
        .count();
    assert_eq!(rows, 3);
    let own = &text[before.len()..];
    assert_eq!(
        own.matches('\n').count(),
        own.matches("\r\n").count(),
        "the document's line ends"
    );
    let evidence = read(&text);
    assert!(evidence.records[0].record.previous.is_empty());
    assert_eq!(
        evidence.records[2].record.previous,
        [evidence.records[1].checksum.clone()]
    );
}

#[test]
fn text_around_and_inside_the_region_is_kept() {
    let text = append("# Results\n", &sample(Scope::Baseline, 1)).unwrap();
    let text = format!("{text}\n## Next\n\nMine.\n").replace(
        "<!-- cargo-poc:begin evidence -->\n",
        "<!-- cargo-poc:begin evidence -->\nA note of mine.\n",
    );
    let added = append(&text, &sample(Scope::Full, 2)).unwrap();
    let kept: Vec<_> = added
        .lines()
        .filter(|line| text.lines().any(|old| old == *line))
        .collect();
    for line in text.lines() {
        assert!(kept.contains(&line), "{line}");
    }
    assert!(added.ends_with("<!-- cargo-poc:end evidence -->\n\n## Next\n\nMine.\n"));
    assert_eq!(records(&added).len(), 2);
}

#[test]
fn evidence_that_was_edited_does_not_count() {
    let text = append("# Results\n", &sample(Scope::Done, 1)).unwrap();
    let green = text.replace("\"outcome\":\"failed\"", "\"outcome\":\"passed\"");
    assert_ne!(green, text);
    let evidence = read(&green);
    assert_eq!(evidence.records, []);
    assert_eq!(evidence.problems.len(), 1);
    assert_eq!(evidence.problems[0].kind, ProblemKind::Edited);
    assert_eq!(evidence.problems[0].line, 11);
}

#[test]
fn table_row_without_a_record_is_not_evidence() {
    let text = append("", &sample(Scope::Done, 1)).unwrap();
    let rows: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with("<!-- cargo-poc:evidence"))
        .collect();
    let rows = rows.join("\n");
    assert_eq!(read(&rows).records, []);
}

#[test]
fn kinds_of_damaged_lines_are_reported_with_their_line() {
    let text = append("", &sample(Scope::Done, 1)).unwrap();
    let line = text
        .lines()
        .position(|line| line.starts_with("<!-- cargo-poc:evidence"))
        .unwrap();
    for (damage, kind) in [
        (
            text.replace("evidence v1", "evidence v2"),
            ProblemKind::UnknownVersion,
        ),
        (text.replace("} -->", "}"), ProblemKind::Damaged),
        (text.replace("\"poc\"", "\n\"poc\""), ProblemKind::Damaged),
        (
            text.replace(" {\"poc", " \u{7f}{\"poc"),
            ProblemKind::Edited,
        ),
        (
            text.replace("evidence v1 ", "evidence v1"),
            ProblemKind::UnknownVersion,
        ),
    ] {
        let evidence = read(&damage);
        assert_eq!(evidence.records, []);
        let problem = &evidence.problems[0];
        assert_eq!(
            (problem.kind, problem.line),
            (kind, line + 1),
            "{}",
            problem.message
        );
    }
}

#[test]
fn appending_to_a_damaged_document_keeps_all_text() {
    let text = append("# Results\n", &sample(Scope::Done, 1)).unwrap();
    for damaged in [
        text.replace("\"poc\":\"cache\"", "\"poc\":\"crash\""),
        text.replace("<!-- cargo-poc:end evidence -->\n", ""),
        text.replace("| When |", "When"),
        text.replace("<!-- cargo-poc:evidence v1", "<!-- cargo-poc:evidence v9"),
        text.replace("<!-- cargo-poc:begin evidence -->\n", ""),
        text.trim_end().to_owned(),
    ] {
        let added = append(&damaged, &sample(Scope::Done, 2)).unwrap();
        assert!(is_subsequence(&damaged, &added), "{added}");
        let records = read(&added).records;
        assert_eq!(
            records.last().unwrap().record.time,
            "2026-01-03T10:00:02-08:00"
        );
        let again = append(&added, &sample(Scope::Done, 3)).unwrap();
        assert_eq!(read(&again).records.len(), records.len() + 1, "{again}");
    }
}

#[test]
fn removed_record_leaves_a_gap() {
    let mut text = String::new();
    for second in 0..3 {
        text = append(&text, &sample(Scope::Done, second)).unwrap();
    }
    let second = read(&text).records[1].line;
    let kept = text
        .lines()
        .enumerate()
        .filter(|(index, _)| index + 1 != second);
    let kept: Vec<&str> = kept.map(|(_, line)| line).collect();
    let kept = kept.join("\n");
    let evidence = read(&kept);
    assert_eq!(evidence.records.len(), 2);
    assert_eq!(evidence.problems.len(), 1);
    assert_eq!(evidence.problems[0].kind, ProblemKind::Gap);
    assert_eq!(evidence.problems[0].line, second);
}

#[test]
fn records_of_two_branches_merge_without_a_gap() {
    let base = append("", &sample(Scope::Baseline, 0)).unwrap();
    let ours = append(&base, &sample(Scope::Done, 1)).unwrap();
    let theirs = append(&base, &sample(Scope::Done, 2)).unwrap();
    let line = |text: &str| {
        text.lines()
            .nth(read(text).records[1].line - 1)
            .unwrap()
            .to_owned()
    };
    let row = |text: &str| {
        let mut rows = text.lines().filter(|line| line.contains("| done |"));
        rows.next().unwrap().to_owned()
    };
    let merged = ours
        .replace(&line(&ours), &format!("{}\n{}", line(&theirs), line(&ours)))
        .replace(&row(&ours), &format!("{}\n{}", row(&theirs), row(&ours)));
    let evidence = read(&merged);
    assert_eq!(evidence.problems, []);
    assert_eq!(
        evidence.last(&Scope::Done).unwrap().time,
        "2026-01-03T10:00:02-08:00"
    );
}

#[test]
fn first_complete_baseline_is_used() {
    let mut text = String::new();
    let names = BTreeMap::from([("store".to_owned(), ["a".to_owned()].into())]);
    for (second, outcome) in [
        (1, Outcome::Interrupted),
        (2, Outcome::Failed),
        (3, Outcome::Passed),
    ] {
        let record = Record {
            outcome,
            passed: Some(Packed::new(&names).unwrap()),
            ..sample(Scope::Baseline, second)
        };
        text = append(&text, &record).unwrap();
    }
    let evidence = read(&text);
    let baseline = evidence.baseline().unwrap();
    assert_eq!(baseline.time, "2026-01-03T10:00:02-08:00");
    assert_eq!(baseline.passed.as_ref().unwrap().names().unwrap(), names);
}

/// Whether `new` contains every line of `old`, in order.
fn is_subsequence(old: &str, new: &str) -> bool {
    let mut new = new.lines();
    old.lines()
        .all(|line| new.any(|candidate| candidate == line))
}

/// Text with the pieces that matter to us among others.
fn document() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "\n",
        "\r\n",
        "<!-- cargo-poc:begin evidence -->",
        "<!-- cargo-poc:end evidence -->",
        "| When | Scope | Command | Outcome | Tests | Commit | Took |",
        "|---|",
        "| a row |",
        "<!-- cargo-poc:evidence v1 0011223344556677 {\"after\":null} -->",
        "<!-- cargo-poc:evidence ",
        "```",
        "  ",
        "text ✅",
        "\u{feff}",
    ]);
    prop::collection::vec(pieces, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_text_keeps_its_bytes_and_gains_one_record(text in document()) {
        let before = read(&text).records.len();
        let added = append(&text, &sample(Scope::Affected, 7)).unwrap();
        prop_assert_eq!(read(&added).records.len(), before + 1);
        prop_assert!(is_subsequence(&text, &added));
        let again = append(&added, &sample(Scope::Affected, 8)).unwrap();
        prop_assert_eq!(read(&again).records.len(), before + 2);
    }

    #[test]
    fn any_text_can_be_read(text in text(".*")) {
        prop_assert!(read(&text).records.is_empty());
        let line = format!("<!-- cargo-poc:evidence v1 {text}");
        prop_assert!(read(&line).records.is_empty());
    }
}

#[test]
fn clock_stepping_back_does_not_change_the_order() {
    let failed = sample(Scope::Done, 1);
    let late = Record {
        time: "2031-01-03T10:00:00-08:00".to_owned(),
        outcome: Outcome::Passed,
        ..sample(Scope::Done, 0)
    };
    let text = append(&append("", &late).unwrap(), &failed).unwrap();
    let evidence = read(&text);
    assert_eq!(evidence.problems, []);
    assert_eq!(evidence.last(&Scope::Done).unwrap().time, failed.time);
    let again = append(
        &text,
        &Record {
            outcome: Outcome::Passed,
            ..sample(Scope::Done, 0)
        },
    )
    .unwrap();
    assert_eq!(
        read(&again).last(&Scope::Done).unwrap().outcome,
        Outcome::Passed
    );
}

#[test]
fn a_record_after_a_merge_follows_both_branches() {
    let base = append("", &sample(Scope::Baseline, 0)).unwrap();
    let ours = append(&base, &sample(Scope::Done, 1)).unwrap();
    let theirs = append(&base, &sample(Scope::Done, 2)).unwrap();
    let own = |text: &str| {
        let lines = text
            .lines()
            .filter(|line| !base.lines().any(|old| old == *line));
        lines.map(ToOwned::to_owned).collect::<Vec<_>>()
    };
    let end = "\n<!-- cargo-poc:end evidence -->";
    // What a union merge leaves: the row and the record of the other branch below those of ours, one of them twice.
    let merged = ours.replace(
        end,
        &format!("{}\n{}\n{end}", own(&theirs).join("\n\n"), own(&ours)[1]),
    );
    assert_eq!(read(&merged).problems, []);
    assert_eq!(read(&merged).records.len(), 3);
    let added = append(&merged, &sample(Scope::Done, 0)).unwrap();
    let evidence = read(&added);
    assert_eq!(evidence.problems, []);
    assert_eq!(evidence.records.len(), 4);
    let last = evidence.records.last().unwrap();
    assert_eq!(last.record.previous.len(), 2);
    assert_eq!(last.record.time, sample(Scope::Done, 0).time);
    let lines: Vec<&str> = added.lines().collect();
    let first = lines
        .iter()
        .position(|line| line.starts_with("| 2026"))
        .unwrap();
    assert!(
        lines[first..first + 4]
            .iter()
            .all(|line| line.starts_with("| 2026")),
        "{added}"
    );
    assert_eq!(added.matches("cargo-poc:evidence v1").count(), 4, "{added}");
}

#[test]
fn a_row_that_differs_from_its_record_is_a_problem() {
    let text = append("", &sample(Scope::Done, 1)).unwrap();
    let line = 1 + text
        .lines()
        .position(|line| line.starts_with("| 2026"))
        .unwrap();
    let green = text.replace("| failed, 1 regression |", "| passed |");
    let problems = read(&green).problems;
    assert_eq!(
        (problems[0].kind, problems[0].line),
        (ProblemKind::Row, line)
    );
    let hidden: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with("| 2026"))
        .collect();
    assert_eq!(read(&hidden.join("\n")).problems[0].kind, ProblemKind::Row);
    let added = text.replace(
        "| 2026",
        "| 2026-01-02 | done | `x` | passed | 1 passed | — | 1 s |\n| 2026",
    );
    assert_eq!(read(&added).problems[0].kind, ProblemKind::Row);
    let aligned = text.replace(
        " | failed, 1 regression |",
        "     |   failed, 1 regression   |",
    );
    assert_eq!(read(&aligned).problems, [], "spacing that a formatter adds");
}

#[test]
fn records_of_the_first_version_stay_readable() {
    let old = r#"{"after":null,"poc":"cache","scope":"step 1","time":"2026-01-03T10:00:05-08:00","outcome":"passed","checks":[{"command":"cargo test","exit":0,"outcome":"passed","tests":{"passed":2,"failed":0,"ignored":0,"filtered":0},"milliseconds":12,"expected":[],"unmet":[],"manual":false,"confirmed":null}],"tests":{"passed":2,"failed":0,"ignored":0,"filtered":0},"selection":null,"failing":{},"ignored":{},"regressions":{},"vanished":{},"passed":null,"notes":[],"source":{"commit":null,"dirty":null},"inputs":{"store":"0011223344556677"},"commands":"8899aabbccddeeff","milliseconds":12,"took":{},"toolchain":"rustc 1.89.0","tool":"cargo-poc 0.1.0"}"#;
    let hash = blake3::Hasher::new()
        .update(b"cargo-poc evidence v1\n")
        .update(old.as_bytes())
        .finalize();
    let line = format!(
        "<!-- cargo-poc:evidence v1 {} {old} -->",
        &hash.to_hex()[..16]
    );
    let evidence = read(&line);
    let records: Vec<&Record> = evidence
        .records
        .iter()
        .map(|located| &located.record)
        .collect();
    let [record] = records[..] else {
        panic!("{evidence:?}");
    };
    assert!(record.previous.is_empty());
    assert_eq!(record.checks[0].tests.unwrap().passed, 2);
}

#[test]
fn a_typical_record_takes_less_than_a_kilobyte() {
    let names = |count: usize| -> Vec<String> {
        (10..10 + count)
            .map(|n| format!("cache::tests::reads_a_page_{n}"))
            .collect()
    };
    let inputs = (0..8).map(|n| (format!("store-part-{n}"), "001122334455".to_owned()));
    let record = Record {
        failing: BTreeMap::new(),
        regressions: BTreeMap::new(),
        ignored: BTreeMap::from([("store".to_owned(), names(40))]),
        inputs: inputs.collect(),
        ..sample(Scope::Step("1".to_owned()), 1)
    };
    let text = append("", &record).unwrap();
    let line = text
        .lines()
        .find(|line| line.contains("evidence v1"))
        .unwrap();
    assert!(line.len() < 1024, "{}", line.len());
    assert_eq!(records(&text)[0].ignored, record.ignored);
}
