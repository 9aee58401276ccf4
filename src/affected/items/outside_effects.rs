//! Words and strings that indicate effects outside of the code: processes, libraries loaded at run time, files, and environment variables.
//!
//! Only names are compared: if a word has another meaning, more tests are selected.

use super::extract::model::flag;

/// The [`flag`]s of a word in code.
#[must_use]
pub fn of_word(word: &str) -> u32 {
    match word {
        // Names in the standard library, nix, libc, assert_cmd, snapbox, trycmd, duct, xshell, subprocess, rexpect, expectrl, portable-pty,
        // insta-cmd, test_bin, cmd_lib, command-group, process-wrap and execute.
        "Command"
        | "CommandBuilder"
        | "CommandExt"
        | "CommandWrap"
        | "CommandGroup"
        | "AsyncCommand"
        | "TokioCommand"
        | "StdCommand"
        | "cargo_bin"
        | "cargo_bin_cmd"
        | "cargo_bin_str"
        | "get_cargo_bin"
        | "get_test_bin"
        | "assert_cmd"
        | "assert_cmd_snapshot"
        | "current_exe"
        | "trycmd"
        | "TestCases"
        | "snapbox"
        | "duct"
        | "run_cmd"
        | "run_fun"
        | "xshell"
        | "Exec"
        | "Popen"
        | "PopenConfig"
        | "subprocess"
        | "rexpect"
        | "expectrl"
        | "PtySession"
        | "CommandSpec"
        | "exec"
        | "execl"
        | "execle"
        | "execlp"
        | "execv"
        | "execve"
        | "execvp"
        | "execvpe"
        | "fexecve"
        | "fork"
        | "forkpty"
        | "vfork"
        | "posix_spawn"
        | "posix_spawnp"
        | "popen"
        | "CreateProcessA"
        | "CreateProcessW"
        | "ShellExecuteW" => flag::SPAWNS,
        // Loading a library runs its code, like starting a program.
        "dlopen" | "dlmopen" | "dlsym" | "libloading" | "dlopen2" | "sharedlib"
        | "LoadLibraryA" | "LoadLibraryW" | "LoadLibraryExA" | "LoadLibraryExW"
        | "GetProcAddress" | "abi_stable" | "DynamicLibrary" => flag::SPAWNS,
        "trybuild" | "ui_test" | "compiletest" | "compiletest_rs" | "escargot" | "CargoBuild"
        | "MetadataCommand" | "cargo_metadata" | "guppy" | "krates" => flag::RUNS_CARGO,
        "read_dir" | "read_dir_utf8" | "WalkDir" | "WalkBuilder" | "walkdir" | "glob"
        | "glob_with" | "globwalk" | "GlobWalkerBuilder" | "wax" | "jwalk" | "datatest"
        | "datatest_stable" | "dir_test" | "include_dir" => flag::READS_FILES | flag::WALKS,
        "fs" | "fs_err" | "File" | "OpenOptions" | "read_to_string" | "read_to_end" | "Mmap"
        | "memmap2" | "fopen" | "open" | "canonicalize" | "exists" | "is_file" | "is_dir"
        | "metadata" | "try_exists" | "NamedFile" | "from_path" => flag::READS_FILES,
        "ancestors" => flag::ESCAPES,
        "var_os" | "vars" | "vars_os" | "getenv" | "dotenv" | "envy" => flag::READS_ENVIRONMENT,
        word if is_golden(word) => flag::READS_FILES | flag::WALKS,
        _ => 0,
    }
}

/// Whether a word compares with a file that its library finds, like insta's snapshots.
pub(super) fn is_golden(word: &str) -> bool {
    matches!(
        word,
        "insta" | "goldenfile" | "goldie" | "expect_file" | "expectorate"
    ) || word.contains("snapshot") && (word.starts_with("assert") || word.starts_with("with_"))
}

/// The [`flag`]s of a called name, of a function or a macro.
pub(super) fn of_call(word: &str) -> u32 {
    match word {
        "cmd" | "sh" | "system" | "spawn_command" => flag::SPAWNS,
        "var" | "option_env" => flag::READS_ENVIRONMENT,
        _ => 0,
    }
}

/// Whether a source may start a program, or call code that does.
#[must_use]
pub fn may_start_program(source: &str) -> bool {
    let words = source.split(|c: char| c != '_' && !c.is_alphanumeric());
    let mut effects = words.map(|word| of_word(word) | of_call(word));
    effects.any(|effects| effects & (flag::SPAWNS | flag::RUNS_CARGO) != 0)
}

/// The [`flag`]s of a string literal, including its quotes.
pub(super) fn of_text(text: &str) -> u32 {
    let mut flags = 0;
    if text.contains("CARGO_BIN_EXE") {
        // Cargo sets it for programs of the same package.
        flags |= flag::SPAWNS | flag::KNOWN_PROGRAM;
    }
    if matches!(
        text,
        "\"cargo\"" | "\"rustc\"" | "\"CARGO\"" | "\"RUSTC\"" | "\"rustdoc\""
    ) {
        flags |= flag::RUNS_CARGO;
    }
    if text.contains("..") && (text.contains("../") || text.contains("\"..\""))
        || text.contains("WORKSPACE_DIR")
        || text.contains("WORKSPACE_ROOT")
        || names_place(text)
    {
        flags |= flag::ESCAPES;
    }
    flags
}

/// Whether a string literal is the name of an environment variable that may hold a path, and is none that every system sets.
fn names_place(text: &str) -> bool {
    let name = text.trim_matches('"');
    let usual = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    name.len() > 3
        && name.contains('_')
        && name.chars().all(usual)
        && !name.starts_with("CARGO")
        && !name.starts_with("XDG_")
        && !matches!(
            name,
            "OUT_DIR" | "LD_LIBRARY_PATH" | "DYLD_LIBRARY_PATH" | "GIT_DIR"
        )
        && name.split('_').any(|word| {
            matches!(
                word,
                "DIR"
                    | "DIRS"
                    | "DIRECTORY"
                    | "PATH"
                    | "PATHS"
                    | "ROOT"
                    | "FILE"
                    | "FILES"
                    | "FOLDER"
                    | "FIXTURE"
                    | "FIXTURES"
                    | "DATA"
                    | "TESTDATA"
                    | "CORPUS"
                    | "CASES"
                    | "SAMPLES"
                    | "ASSETS"
            )
        })
}

/// Whether a string literal is, or contains, a shell command that runs cargo or rustc.
pub(super) fn holds_tool_command(text: &str) -> bool {
    (text.contains("cargo ") || text.contains("rustc "))
        && text
            .split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.')))
            .any(|word| matches!(word, "cargo" | "rustc" | "cargo.exe"))
}
