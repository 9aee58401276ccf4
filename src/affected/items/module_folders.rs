//! Modules that a macro call may declare by naming a folder of Rust files, as `automod::dir!("tests/cases")` does. They are treated as
//! declared, whatever the macro.

use camino::{Utf8Path, Utf8PathBuf};

use super::extract::{FileItems, read};
use super::sources::{Reader, SourceFile};
use crate::workspace::source::modules::normal;

/// A folder that a macro call names.
pub(super) struct Named {
    /// The call in the current file.
    pub(super) item: u32,
    /// Absolute.
    pub(super) folder: Utf8PathBuf,
    /// Declarations of the modules in it.
    pub(super) declares: FileItems,
    /// The call's line.
    pub(super) line: u32,
}

/// The folders that the macro calls of a file name; paths are relative to the package's folder or to the file's.
pub(super) fn named(file: &SourceFile, package: &Utf8Path, reader: &dyn Reader) -> Vec<Named> {
    let mut found = Vec::new();
    let beside = file.path.parent().unwrap_or(package);
    for (index, written) in file.now.iter().flat_map(|items| &items.folders) {
        let item = file
            .now
            .as_ref()
            .and_then(|items| items.items.get(*index as usize));
        let folders = [package, beside].map(|from| normal(&from.join(written)));
        let listed = |folder: Utf8PathBuf| Some((reader.folder(&folder)?, folder));
        if let Some((names, folder)) = folders.into_iter().find_map(listed) {
            found.push(Named {
                item: *index,
                declares: read(&declarations(&folder, names, &file.path)),
                folder,
                line: item.map_or(0, |item| item.line),
            });
        }
    }
    found
}

/// `pub mod a;` for each Rust file of a folder with these names except the declaring one. A folder that cannot be listed has none, because
/// cargo cannot build it either.
fn declarations(folder: &Utf8Path, mut names: Vec<String>, but: &Utf8Path) -> String {
    names.sort();
    let modules = names.iter().filter_map(|name| {
        let module = name.strip_suffix(".rs")?;
        let usual = matches!(module, "mod" | "lib" | "main");
        (!usual && folder.join(name) != but).then(|| format!("pub mod {module};\n"))
    });
    modules.collect()
}
