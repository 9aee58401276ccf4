//! Compares a plan with its contract.

use anyhow::{Context as _, Result};

use super::difference::{Difference, How};
use super::inventory::Tests;
use super::locked::{Contract, LockedCommand};
use super::wording::{self, is_placeholder};
use crate::diff::likeness_by_words;
use crate::evidence::{Names, Packed};

/// The minimum similarity of two forms of one entry.
const ALIKE: f64 = 0.4;

/// Every difference between two contracts except in tests.
#[must_use]
pub fn between(agreed: &Contract, now: &Contract) -> Vec<Difference> {
    let mut changes = criteria(&agreed.criteria, &now.criteria);
    proofs(agreed, now, &mut changes);
    quarantine(agreed, now, &mut changes);
    for (id, old) in &agreed.steps {
        match now.steps.get(id) {
            Some(new) if new == old => {}
            Some(new) => promises(&format!("step {id}"), old, new, &mut changes),
            None => changes.push(Difference {
                what: format!("step {id}"),
                how: How::Removed,
                was: Some(listed(old)),
                is: None,
            }),
        }
    }
    for (id, new) in &now.steps {
        if !agreed.steps.contains_key(id) {
            changes.push(Difference {
                what: format!("step {id}"),
                how: How::Added,
                was: None,
                is: Some(listed(new)),
            });
        }
    }
    promises("done", &agreed.done, &now.done, &mut changes);
    configurations(&agreed.configurations, &now.configurations, &mut changes);
    changes
}

/// Configurations that every step has to be proven in: one more asks for more.
fn configurations(agreed: &[String], now: &[String], changes: &mut Vec<Difference>) {
    let difference = |how, was: Option<&String>, is: Option<&String>| Difference {
        what: "configuration".to_owned(),
        how,
        was: was.cloned(),
        is: is.cloned(),
    };
    let removed = agreed.iter().filter(|name| !now.contains(name));
    changes.extend(removed.map(|name| difference(How::Removed, Some(name), None)));
    let added = now.iter().filter(|name| !agreed.contains(name));
    changes.extend(added.map(|name| difference(How::Added, None, Some(name))));
}

/// Criteria with another proof. It is weaker if a person's confirmation replaces a run.
fn proofs(agreed: &Contract, now: &Contract, changes: &mut Vec<Difference>) {
    for (criterion, was) in &agreed.proofs {
        let is = now.proofs.get(criterion);
        if is == Some(was) || !now.criteria.contains(criterion) {
            continue;
        }
        let how = match is {
            Some(is)
                if was
                    .split(", ")
                    .all(|proof| is.split(", ").any(|one| one == proof)) =>
            {
                How::Tightened
            }
            Some(is) if is.split(", ").any(|proof| proof == "person") => How::Relaxed,
            Some(_) => How::Changed,
            None => How::Relaxed,
        };
        changes.push(Difference {
            what: "proof of a criterion".to_owned(),
            how,
            was: Some(format!("{criterion}: {was}")),
            is: Some(format!(
                "{criterion}: {}",
                is.map_or("person", String::as_str)
            )),
        });
    }
}

/// Tests that were put into quarantine, or stay there longer: their failures count less. One that was taken out counts
/// more.
fn quarantine(agreed: &Contract, now: &Contract, changes: &mut Vec<Difference>) {
    let text = |test: &String, until: &String| format!("{test} until {until}");
    for (test, until) in &now.quarantine {
        let was = agreed.quarantine.get(test);
        if was == Some(until) {
            continue;
        }
        let shorter = was.is_some_and(|was| until < was && !until.is_empty());
        changes.push(Difference {
            what: "quarantine".to_owned(),
            how: if shorter {
                How::Tightened
            } else {
                How::Relaxed
            },
            was: was.map(|was| text(test, was)),
            is: Some(text(test, until)),
        });
    }
    for (test, until) in &agreed.quarantine {
        if !now.quarantine.contains_key(test) {
            changes.push(Difference {
                what: "quarantine".to_owned(),
                how: How::Tightened,
                was: Some(text(test, until)),
                is: Some(format!("{test} counts again")),
            });
        }
    }
}

/// Finds locked tests that were removed, are ignored now, or assert nothing any more; `idle` are those that never did.
///
/// # Errors
/// When they cannot be unpacked.
pub fn of_tests(agreed: &Packed, idle: Option<&Packed>, now: &Tests) -> Result<Vec<Difference>> {
    let names = agreed.names().context("failed to read the locked tests")?;
    let idle = idle.map(Packed::names).transpose()?;
    let mut changes = Vec::new();
    for (binary, locked) in &names {
        let of =
            |all: &Names, name: &String| all.get(binary).is_some_and(|tests| tests.contains(name));
        for name in locked.iter().filter(|name| !of(&now.active, name)) {
            let how = if of(&now.ignored, name) {
                How::Ignored
            } else {
                How::Removed
            };
            changes.push(Difference {
                what: "test".to_owned(),
                how,
                was: Some(format!("{binary} {name}")),
                is: None,
            });
        }
        let Some(idle) = &idle else {
            continue;
        };
        let emptied = |name: &&String| of(&now.idle, name) && !of(idle, name);
        for name in locked.iter().filter(emptied) {
            changes.push(Difference {
                what: "test".to_owned(),
                how: How::Emptied,
                was: Some(format!("{binary} {name}")),
                is: None,
            });
        }
    }
    Ok(changes)
}

fn listed(promises: &[LockedCommand]) -> String {
    let commands: Vec<&str> = promises.iter().map(|one| one.command.as_str()).collect();
    if commands.is_empty() {
        "no command".to_owned()
    } else {
        commands.join("; ")
    }
}

/// Pairs equal entries first, then similar ones; the rest was removed or added. Filling in a placeholder is neither.
fn paired<'t, T>(
    old: &'t [T],
    new: &'t [T],
    text: impl Fn(&T) -> String,
) -> (Vec<(&'t T, &'t T)>, Vec<&'t T>, Vec<&'t T>) {
    let mut new: Vec<Option<&T>> = new.iter().map(Some).collect();
    let mut pairs = Vec::new();
    let mut open = Vec::new();
    for one in old {
        let same = |other: Option<&T>| other.is_some_and(|other| text(other) == text(one));
        let at = new.iter().position(|other| same(*other));
        match at.and_then(|at| new[at].take()) {
            Some(other) => pairs.push((one, other)),
            None => open.push(one),
        }
    }
    let (mut gone, mut filled) = (Vec::new(), 0);
    for one in open {
        let alike = |other: Option<&T>| {
            other.map_or(0.0, |other| likeness_by_words(&text(one), &text(other)))
        };
        let best =
            (0..new.len()).max_by(|left, right| alike(new[*left]).total_cmp(&alike(new[*right])));
        let best = best.filter(|at| alike(new[*at]) >= ALIKE);
        match best.and_then(|at| new[at].take()) {
            Some(other) => pairs.push((one, other)),
            None if is_placeholder(&text(one)) => filled += 1,
            None => gone.push(one),
        }
    }
    let fresh = new.into_iter().flatten().skip(filled).collect();
    (pairs, gone, fresh)
}

fn criteria(old: &[String], new: &[String]) -> Vec<Difference> {
    let (pairs, gone, fresh) = paired(old, new, |text| wording::normal(text));
    let change = |how, was: Option<&String>, is: Option<&String>| Difference {
        what: "criterion".to_owned(),
        how,
        was: was.cloned(),
        is: is.cloned(),
    };
    let mut changes = Vec::new();
    for (old, new) in pairs {
        let (before, after) = (wording::normal(old), wording::normal(new));
        if before != after && !is_placeholder(old) {
            let how = wording::criterion(&before, &after);
            changes.push(change(how, Some(old), Some(new)));
        }
    }
    changes.extend(
        gone.into_iter()
            .map(|old| change(How::Removed, Some(old), None)),
    );
    changes.extend(
        fresh
            .into_iter()
            .map(|new| change(How::Added, None, Some(new))),
    );
    changes
}

fn promises(
    place: &str,
    old: &[LockedCommand],
    new: &[LockedCommand],
    changes: &mut Vec<Difference>,
) {
    let (pairs, gone, fresh) = paired(old, new, |one| wording::normal_command(&one.command));
    let change = |what: &str, how, was: Option<&str>, is: Option<&str>| Difference {
        what: format!("{what} of {place}"),
        how,
        was: was.map(ToOwned::to_owned),
        is: is.map(ToOwned::to_owned),
    };
    for (old, new) in pairs {
        let same = wording::normal_command(&old.command) == wording::normal_command(&new.command);
        if !same && !is_placeholder(&old.command) {
            let how = wording::command(&old.command, &new.command);
            changes.push(change(
                "command",
                how,
                Some(&old.command),
                Some(&new.command),
            ));
        }
        if old.expected != new.expected {
            changes.extend(expectation(&change, old, new));
        }
    }
    for old in gone {
        changes.push(change("command", How::Removed, Some(&old.command), None));
    }
    // A placeholder is not part of the contract.
    for new in fresh
        .into_iter()
        .filter(|new| !is_placeholder(&new.command))
    {
        changes.push(change("command", How::Added, None, Some(&new.command)));
    }
}

fn expectation(
    change: &impl Fn(&str, How, Option<&str>, Option<&str>) -> Difference,
    old: &LockedCommand,
    new: &LockedCommand,
) -> Option<Difference> {
    let (was, is) = (old.expected.join("; "), new.expected.join("; "));
    if is_placeholder(&was) {
        return None;
    }
    let how = wording::expectation(&old.expected, &new.expected)?;
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let (was, is) = (some(&was), some(&is));
    Some(change("expectation", how, was.as_deref(), is.as_deref()))
}

#[cfg(test)]
mod tests {
    use super::super::locked::locked;
    use super::*;

    fn told(old: &[&str], new: &[&str]) -> Vec<String> {
        let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
        criteria(&texts(old), &texts(new))
            .iter()
            .map(Difference::to_string)
            .collect()
    }

    #[test]
    fn criteria_are_paired_by_text() {
        let old = [
            "reads stay under 1 ms",
            "no panic on any input",
            "[fill in: what else]",
        ];
        assert_eq!(
            told(
                &old,
                &[
                    "no panic on any input (fuzzed)",
                    "reads stay under 1 ms",
                    "it is small"
                ]
            ),
            [""; 0]
        );
        assert_eq!(
            told(
                &old,
                &[
                    "reads stay under 5 ms",
                    "a wholly other thing",
                    "it is small"
                ]
            ),
            [
                "criterion relaxed: reads stay under 1 ms → reads stay under 5 ms",
                "criterion removed: no panic on any input",
                "criterion added: it is small"
            ]
        );
    }

    #[test]
    fn commands_are_compared_with_their_expectations() {
        let old = locked("cargo test -p a\n# Expected: 12 passed\ncargo fmt --check\n");
        let new = locked("# a word\ncargo test \\\n  -p a reads\n# Expected: 3 passed\n");
        let mut changes = Vec::new();
        promises("step 1", &old, &new, &mut changes);
        let told: Vec<String> = changes.iter().map(Difference::to_string).collect();
        assert_eq!(
            told,
            [
                "command of step 1 narrowed: cargo test -p a → cargo test -p a reads",
                "expectation of step 1 relaxed: 12 passed → 3 passed",
                "command of step 1 removed: cargo fmt --check"
            ]
        );
    }
}
