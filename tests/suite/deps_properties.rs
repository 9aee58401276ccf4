//! What holds for every manifest and every plan's block, on generated ones.

use std::fmt::Write as _;

use std::collections::BTreeSet;

use cargo_poc::internals::deps::{Block, Declared, State, align, declared};
use cargo_poc::internals::workspace::manifest::Manifest;
use proptest::prelude::*;

use crate::property::{cases, text};

const NAMES: [&str; 8] = [
    "anyhow", "bytes", "log", "moka", "serde", "tokio", "uuid", "zip",
];
const FEATURES: [&str; 4] = ["alloc", "derive", "rc", "std"];

/// How an entry is laid out in the manifest.
#[derive(Debug, Clone, Copy)]
enum Layout {
    Bare,
    Literal,
    Inline,
    InlineFeatures,
    Dotted,
    OneLineArray,
    MultilineArray,
    MultilineArrayNoComma,
    OwnTable,
}

fn entry(layout: Layout, name: &str) -> String {
    match layout {
        Layout::Bare => format!("{name} = \"1\"\n"),
        Layout::Literal => format!("{name}='1'   # of {name}\n"),
        Layout::Inline => format!("{name} = {{version=\"1\"}} \n"),
        Layout::InlineFeatures => format!("{name} = {{ features = [], version = \"1\" }}\n"),
        Layout::Dotted => format!("{name}.version = \"1\" # dotted\n"),
        Layout::OneLineArray => format!("{name} = {{ version = \"1\", features = [ \"rc\", ] }}\n"),
        Layout::MultilineArray => {
            format!(
                "{name} = {{ version = \"1\", features = [\n  # why, not\n  \"rc\", # x\n\n] }} # y\n"
            )
        }
        Layout::MultilineArrayNoComma => {
            format!("{name} = {{ version = \"1\", features = [\n\t\"rc\" # x, y\n] }}\n")
        }
        Layout::OwnTable => format!("\n[dependencies.{name}] # of {name}\nversion = \"1\"\n"),
    }
}

fn layouts() -> impl Strategy<Value = Layout> {
    prop::sample::select(vec![
        Layout::Bare,
        Layout::Literal,
        Layout::Inline,
        Layout::InlineFeatures,
        Layout::Dotted,
        Layout::OneLineArray,
        Layout::MultilineArray,
        Layout::MultilineArrayNoComma,
        Layout::OwnTable,
    ])
}

prop_compose! {
    fn manifests()(
        entries in prop::collection::vec((0..NAMES.len(), layouts(), 0..4u8), 0..6),
        header in any::<bool>(),
        after in prop::sample::select(vec!["", "\n[features]\nfull = []\n", "\n# lints\n[lints.rust]\nunsafe_code = \"forbid\"\n", "# end\n\n\n"]),
        crlf in any::<bool>(), bom in any::<bool>(), final_newline in any::<bool>(),
    ) -> String {
        let mut text = "[package]\nname = \"app\" # me\nversion = \"0.1.0\"\n\n".to_owned();
        let mut seen = BTreeSet::new();
        let (mut body, mut tables) = (String::new(), String::new());
        for (name, layout, around) in entries {
            if !seen.insert(name) {
                continue;
            }
            let entry = entry(layout, NAMES[name]);
            let into = if matches!(layout, Layout::OwnTable) { &mut tables } else { &mut body };
            into.push_str(["", "# above\n", "\n", "  "][usize::from(around)]);
            into.push_str(&entry);
        }
        if header || !body.is_empty() {
            text.push_str("[dependencies]\n");
        }
        text = format!("{text}{body}{tables}{after}");
        if !final_newline {
            text.truncate(text.trim_end().len());
        }
        if crlf {
            text = text.replace('\n', "\r\n");
        }
        if bom { format!("\u{feff}{text}") } else { text }
    }
}

prop_compose! {
    fn plans()(
        entries in prop::collection::btree_map(0..NAMES.len(), prop::collection::btree_set(0..FEATURES.len(), 0..3), 1..5),
        table in prop::sample::select(vec!["dependencies", "dev-dependencies", "target.'cfg(unix)'.dependencies"]),
    ) -> Vec<Declared> {
        let mut toml = format!("[{table}]\n");
        for (name, features) in entries {
            let features: Vec<_> = features.into_iter().map(|feature| format!("\"{}\"", FEATURES[feature])).collect();
            let features = features.join(", ");
            let name = NAMES[name];
            writeln!(toml, "{name} = {{ version = \"1\", features = [{features}] }}  # Add for it").unwrap();
        }
        let block = Block { manifest: "Cargo.toml".into(), toml: &toml, line: 1, lead: "" };
        declared(&block).unwrap().entries
    }
}

/// Whether `new` contains `old` after removing some of its text.
fn is_left_of(old: &str, new: &str) -> bool {
    let mut new = new.bytes();
    old.bytes().all(|byte| new.any(|other| other == byte))
}

proptest! {
    #![proptest_config(cases(600))]

    #[test]
    fn applying_adds_declared_entries_and_removes_nothing(old in manifests(), plan in plans()) {
        let before = Manifest::parse(&old).unwrap();
        let (after, states) = align(&before, &plan, None).unwrap();
        let new = after.text();

        prop_assert!(is_left_of(&old, new), "{old}\n=>\n{new}");
        prop_assert!(states.iter().all(|state| matches!(state, State::Present | State::Missing | State::Incomplete(_))));

        let names: Vec<&str> = plan.iter().map(|entry| entry.name.as_str()).collect();
        let touched = |line: &str| names.iter().any(|name| line.contains(name)) || line.contains("\"rc\"");
        let mut lines = new.split_inclusive('\n');
        for line in old.split_inclusive('\n').filter(|line| !touched(line)) {
            // The last line may gain the end that it lacked.
            let kept = |other: &str| other == line || (!line.ends_with('\n') && other.trim_end() == line);
            prop_assert!(lines.any(kept), "{line:?} is not kept:\n{old}\n=>\n{new}");
        }

        let old_eol = if old.contains("\r\n") { "\r\n" } else { "\n" };
        prop_assert!(new.split_inclusive('\n').all(|line| !line.ends_with('\n') || line.ends_with("\r\n") == (old_eol == "\r\n")));
        prop_assert_eq!(old.ends_with('\n'), new.ends_with('\n'));
    }

    #[test]
    fn applying_twice_changes_nothing(old in manifests(), plan in plans()) {
        let (once, _) = align(&Manifest::parse(&old).unwrap(), &plan, None).unwrap();
        let (twice, states) = align(&once, &plan, None).unwrap();
        prop_assert_eq!(once.text(), twice.text());
        prop_assert!(states.iter().all(|state| *state == State::Present), "{states:?}");
    }

    #[test]
    fn any_text_is_read_or_refused(toml in text("[ -~\n]{0,200}"), prefix in prop::sample::select(vec!["", "[dependencies]\n", "[dependencies]\na = "])) {
        let toml = format!("{prefix}{toml}");
        let block = Block { manifest: "Cargo.toml".into(), toml: &toml, line: 1, lead: "" };
        let lines = toml.lines().count() + 1;
        if let Ok(declarations) = declared(&block) {
            prop_assert!(declarations.entries.iter().all(|entry| (1..=lines).contains(&entry.line)));
        }
    }
}
