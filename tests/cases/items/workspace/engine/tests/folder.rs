//! Its modules are the files of a folder, which only a macro declares.

derives::modules_in!("tests/folder");
