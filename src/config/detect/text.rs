//! The lines of a file as commands.

/// The commands in a file, each with its line.
pub(super) fn commands(text: &str) -> Vec<(usize, String)> {
    joined((1..).zip(text.lines().map(str::to_owned)))
}

/// Lines as commands: those that end in `\` with the next, without comments.
pub(super) fn joined(lines: impl IntoIterator<Item = (usize, String)>) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (number, line) in lines {
        let (start, mut command) = open.take().unwrap_or((number, String::new()));
        let line = line.trim();
        if line.starts_with('#') {
            continue;
        }
        match line.strip_suffix('\\') {
            Some(line) => {
                command.push_str(line);
                command.push(' ');
                open = Some((start, command));
            }
            None => {
                command.push_str(line);
                found.push((start, command));
            }
        }
    }
    found.extend(open);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn continued_lines_are_joined() {
        let text = "a:\n  run: cargo test \\\n    --all-features \\\n    -p x\n# cargo test\n  b\n";
        let found = commands(text);
        assert_eq!(
            found[1],
            (2, "run: cargo test  --all-features  -p x".to_owned())
        );
    }
}
