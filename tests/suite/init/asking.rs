//! The questions on a terminal.

use super::workspace;

#[test]
fn init_does_not_ask_in_a_pipe() {
    let sandbox = workspace();
    let before = sandbox.files();
    sandbox.poc("init").exits(2).says("the name is missing");
    sandbox
        .poc("init -p app --proves x")
        .exits(2)
        .says("the name is missing");
    assert_eq!(sandbox.files(), before);
}

#[cfg(unix)]
#[test]
fn init_asks_on_a_terminal_and_prints_the_equivalent_command() {
    const DOWN: &str = "\u{1b}[B";
    let sandbox = workspace();
    sandbox.append(
        "app/Cargo.toml",
        "\n[build-dependencies]\nthree = \"3.0\"\n",
    );
    let mut terminal = sandbox.on_terminal("init");
    // A name that is refused, and one that is offered as a slug.
    terminal
        .shows("Name of the work:")
        .types("--\r")
        .shows("use a-z, 0-9 and `-`");
    terminal
        .types("\u{7f}\u{7f}Rate Burst\r")
        .shows("Enter accepts `rate-burst`")
        .types("\r");
    // The second package of the graph.
    terminal
        .shows("Packages to change:")
        .types(&format!("{DOWN} \r"));
    // A file that is new, one that Tab completes, and no third.
    terminal
        .shows("A file to create")
        .types("free/src/x.rs=new\r")
        .shows("`free/src/x.rs` does not exist. Create it?")
        .types("y\r");
    terminal.shows("> A file to create, modify or delete: free/src/x.rs=new");
    terminal.types("free/src/li").shows("\n  free/src/lib.rs");
    terminal
        .types("\t=changed\r")
        .shows("delete: free/src/lib.rs=changed")
        .types("\r");
    // A dependency with the requirement that a member has.
    terminal
        .shows("A dependency to add:")
        .types("thr")
        .shows("three@");
    terminal
        .types("\t\r")
        .shows("Kind of dependency:")
        .types(&format!("{DOWN}\r"))
        .shows("> Kind of dependency: dev");
    // One that nothing here uses is questioned.
    terminal
        .shows("A dependency to add:")
        .types("thre\r")
        .shows("`thre` is not used in this workspace; did you mean `three`? Add it?")
        .types("\r")
        .shows("A dependency to add:")
        .types("\r");
    terminal.shows("What does it prove?").types("it works\r");
    terminal.shows("A success criterion:").types("p99 < 1 ms\r");
    terminal
        .shows("> A success criterion: p99 < 1 ms")
        .types("\r");
    let ended = terminal.ends();
    assert_eq!(ended.code, 0, "{}", ended.screen);
    let same = "cargo poc init rate-burst --package free --file 'free/src/x.rs=new' --file 'free/src/lib.rs=changed' --proves 'it works' \
                --criterion 'p99 < 1 ms' --dep three@3.0 --dev";
    assert!(
        ended.screen.replace('\n', "").contains(same),
        "{}",
        ended.screen
    );
    let asked = sandbox.read("docs/rate-burst-plan.md");
    sandbox
        .remove("docs/rate-burst-plan.md")
        .remove("docs/rate-burst-results.md");
    sandbox.shell(same).exits(0);
    assert_eq!(sandbox.read("docs/rate-burst-plan.md"), asked);
}

#[cfg(unix)]
#[test]
fn cancelling_writes_nothing_and_given_arguments_are_not_asked() {
    let sandbox = workspace();
    let before = sandbox.files();
    let mut terminal =
        sandbox.on_terminal("init -p app --file app/src/x.rs --dep one@1 --proves x");
    terminal.shows("Name of the work:").types("cache\r");
    terminal.shows("A success criterion:");
    assert!(
        !terminal.screen().contains("Packages to change"),
        "{}",
        terminal.screen()
    );
    // Esc goes back one question, and gives up at the first.
    terminal.types("\u{1b}").shows("? Name of the work:");
    terminal.types("\u{1b}");
    let ended = terminal.ends();
    assert_eq!(ended.code, 2, "{}", ended.screen);
    assert!(
        ended.screen.contains("nothing was written"),
        "{}",
        ended.screen
    );
    assert_eq!(sandbox.files(), before);
    // Ctrl-C at a question is giving up too.
    let mut terminal = sandbox.on_terminal("init --color never");
    terminal.shows("Name of the work:").types("\u{3}");
    let ended = terminal.ends();
    assert_eq!(ended.code, 2, "{}", ended.screen);
    assert!(
        !ended.printed.contains("\u{1b}[3"),
        "no colours: {:?}",
        ended.printed
    );
    assert_eq!(sandbox.files(), before);
}
