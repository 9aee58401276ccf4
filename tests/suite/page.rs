//! `cargo poc report`: one page, whole without network and scripts, whatever the documents hold.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::process::Command;

use crate::kit::{Run, Sandbox, finish, left_out};

/// Everything that could end a tag, an attribute or a page.
const HOSTILE: &str = "</title><script>alert('x')</script>\"'><img src=x onerror=alert(1)>&amp;";

/// A workspace with a PoC that has been verified and one that says hostile things.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::workspace("store; app: store; tool: app; check: store(dev)");
    sandbox.git();
    sandbox
        .poc("init cache -p store --file store/src/lib.rs --criterion fast")
        .exits(0);
    sandbox.poc("verify cache --baseline -q").exits(0);
    sandbox.edit("store/src/lib.rs", "    42\n", "    40 + 2\n");
    sandbox.poc("verify cache --affected -q").exits(0);
    sandbox
        .poc("init hostile -p app --criterion harmless")
        .exits(0);
    sandbox
        .append(
            "docs/hostile-plan.md",
            &format!(
                "\n## Notes {HOSTILE}\n\n{HOSTILE}\n\n<script>alert(2)</script>\n\n\
                 [a](javascript:alert(3)) [b](../README.md) ![c](http://example.com/c.png)\n"
            ),
        )
        .edit(
            "docs/hostile-plan.md",
            "- [ ] harmless",
            &format!("- [x] harmless `{HOSTILE}`"),
        );
    sandbox
}

/// The elements that begin so; text that was escaped has none.
fn elements(page: &str, lead: &str) -> usize {
    page.matches(&format!("<{lead}")).count()
}

#[test]
fn page_is_written_to_the_target_folder_and_its_path_is_printed() {
    let sandbox = sandbox();
    let run = sandbox.poc("report");
    let place = sandbox.root.join("target/cargo-poc/report.html");
    assert_eq!(run.exits(0).stdout.trim(), place);
    let page = sandbox.read("target/cargo-poc/report.html");
    for text in ["id=\"poc-cache\"", "id=\"poc-hostile\"", "0: Set-up"] {
        assert!(page.contains(text), "{text}");
    }
    // A link beside the plan leads there from where the page is.
    assert!(page.contains("href=\"../../docs/../README.md\""));
    let run = sandbox.poc_in("store", "report cache -o out/cache.html");
    assert_eq!(run.exits(0).stdout.trim(), "out/cache.html");
    let page = sandbox.read("store/out/cache.html");
    assert!(page.contains("id=\"poc-cache\"") && !page.contains("id=\"poc-hostile\""));
    let run = sandbox.poc("report cache -o -");
    run.exits(0).prints("<!doctype html>").prints("</html>");
    sandbox.poc("report nothing").exits(2).says("nothing");
}

#[test]
fn page_and_status_agree() {
    let sandbox = sandbox();
    let report = sandbox.poc("status --format json").json();
    let page = sandbox.poc("report -o -").stdout;
    let escaped = |text: &str| {
        let text = text
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;");
        text.replace('"', "&quot;")
            .replace('\'', "&#x27;")
            .replace('/', "&#x2f;")
    };
    for poc in report["pocs"].as_array().unwrap() {
        let article = page
            .split("<article ")
            .find(|part| part.starts_with(&format!("id=\"poc-{}\"", poc["name"].as_str().unwrap())))
            .unwrap();
        for finding in poc["findings"].as_array().unwrap() {
            let message = escaped(finding["message"].as_str().unwrap());
            assert!(article.contains(&message), "{message}");
            let place = format!("{}:{}", finding["path"].as_str().unwrap(), finding["line"]);
            assert!(article.contains(&escaped(&place)), "{place}");
        }
        for step in poc["steps"].as_array().unwrap() {
            let (id, title) = (
                step["id"].as_str().unwrap(),
                step["title"].as_str().unwrap(),
            );
            assert!(
                article.contains(&escaped(&format!("{id}: {title}"))),
                "{title}"
            );
        }
        for file in poc["files"].as_array().unwrap() {
            assert!(article.contains(&escaped(file["path"].as_str().unwrap())));
        }
        let next = escaped(poc["next"]["command"].as_str().unwrap());
        assert!(article.contains(&next), "{next}");
        let state = poc["state"].as_str().unwrap();
        assert!(article.contains(&format!("data-state=\"{state}\"")));
    }
}

#[test]
fn user_text_does_not_become_markup() {
    let page = sandbox().poc("report -o -").stdout;
    assert_eq!(elements(&page, "script"), 1);
    assert_eq!(elements(&page, "/title"), elements(&page, "title"));
    assert_eq!(elements(&page, "img"), 0);
    assert!(page.contains("alert(&#x27;x&#x27;)") || page.contains("alert('x')"));
    assert!(!page.contains("href=\"javascript"), "a script as a link");
}

/// Addresses that a browser would load by itself.
fn loaded(page: &str) -> Vec<&str> {
    let leads = [
        "src=",
        "@import",
        "url(",
        "<link",
        "<iframe",
        "<object",
        "<embed",
        "srcset=",
        "http-equiv=\"refresh",
    ];
    leads
        .into_iter()
        .filter(|lead| page.contains(lead))
        .collect()
}

#[test]
fn the_page_loads_nothing() {
    let sandbox = sandbox();
    // Escaped text is not an attribute.
    let page = sandbox.poc("report cache -o -").stdout;
    assert_eq!(loaded(&page), Vec::<&str>::new());
    let http = page
        .split("http")
        .skip(1)
        .filter(|rest| rest.starts_with("://") || rest.starts_with("s://"));
    assert_eq!(http.count(), 0);
    assert!(page.contains("default-src &#x27;none&#x27;") || page.contains("default-src 'none'"));
}

#[test]
fn ten_pocs_fit_into_half_a_megabyte() {
    let sandbox = Sandbox::workspace("store; app: store; tool: app");
    sandbox.git();
    for number in 0..10 {
        sandbox
            .poc(&format!(
                "init poc-{number} -p store -p app -p tool --criterion fast"
            ))
            .exits(0);
    }
    sandbox.poc("verify -q").exits(0);
    sandbox.edit("store/src/lib.rs", "    42\n", "    40 + 2\n");
    for _ in 0..3 {
        sandbox.poc("verify -q").exits(0);
    }
    let page = sandbox.poc("report -o -").stdout;
    assert_eq!(elements(&page, "article"), 10);
    assert!(page.len() < 500_000, "{} bytes", page.len());
}

#[test]
fn page_opens_in_the_browser_of_the_environment() {
    let sandbox = sandbox();
    let page = sandbox.root.join("target/cargo-poc/report.html");
    let script = "printf '#!/bin/sh\\nprintf %%s \"$1\" >seen.new && mv seen.new seen\\n' >browser && chmod +x browser
                  BROWSER=$PWD/browser cargo poc report --open
                  for i in $(seq 600); do [ ! -e seen ] || break; sleep 0.1; done; echo; cat seen";
    let run = sandbox.shell(script);
    assert_eq!(run.exits(0).stdout.trim(), format!("{page}\n\n{page}"));
    let run = sandbox.shell("BROWSER=no-such-browser cargo poc report --open");
    run.exits(4)
        .says("failed to open")
        .says("report.html; set BROWSER");
    sandbox
        .poc("report -o - --open")
        .exits(2)
        .says("`-o -` prints the page");
}

#[test]
fn longest_plans_are_omitted_from_a_large_page() {
    let sandbox = Sandbox::workspace("store");
    let plan = |name: &str, lines: usize| {
        let text = "- what it costs, said at length so that a plan is long\n".repeat(lines);
        let path = format!("docs/{name}-plan.md");
        sandbox.write(&path, format!("# {name}\n\n## Success Criteria\n\n## Implementation Steps\n\n### Step 1: Try\n\n{text}"));
    };
    let shown = |page: &str| elements(page, "div class=\"plan\"");
    for name in ["a", "b", "c", "d", "e"] {
        plan(name, 2000);
    }
    plan("short", 10);
    plan("huge", 20_000);
    sandbox.poc("report -o out/page.html").exits(0);
    let page = sandbox.read("out/page.html");
    assert!(page.len() < 500_000, "{} bytes", page.len());
    assert!(shown(&page) > 1 && shown(&page) < 6, "{}", shown(&page));
    let left: Vec<&str> = page.split("\">docs&#x2f;").skip(1).collect();
    assert_eq!(left.len() + shown(&page), 7);
    assert!(page.contains("<code>cargo poc report huge</code>"));
    assert!(!page.contains("<code>cargo poc report short</code>"));
    assert!(page.contains("href=\"..&#x2f;docs&#x2f;huge-plan.md\""));
    // Of one that is asked for, nothing is left out.
    let page = sandbox.poc("report huge -o -").exits(0).stdout.clone();
    assert!(page.len() > 1_000_000 && shown(&page) == 1);
}

#[test]
fn unreadable_document_is_shown_on_the_page() {
    let sandbox = sandbox();
    sandbox.write("docs/bad-plan.md", b"# Plan \xff\n");
    let run = sandbox.poc("report -o -");
    run.exits(2)
        .prints("Cannot be read:")
        .prints("bad-plan.md")
        .says("bad-plan.md");
    assert_eq!(elements(&run.stdout, "article"), 2);
}

#[test]
fn a_workspace_without_a_poc_and_a_plan_without_a_workspace_have_a_page() {
    let sandbox = Sandbox::workspace("store");
    sandbox.poc("report -o -").exits(0).prints("No PoC yet");
    let elsewhere = Sandbox::empty();
    elsewhere.write("x-plan.md", "# X\n\n### Step 1: Try\n\n- [ ] it\n");
    let run = elsewhere.poc("report --plan x-plan.md");
    assert_eq!(
        run.exits(0).stdout.trim(),
        elsewhere.root.join("report.html")
    );
    assert!(elsewhere.read("report.html").contains("1: Try"));
}

/// Chromium by one of its names, for a test that needs it; see [`left_out`].
pub(crate) fn chromium_for(test: &str) -> Option<&'static str> {
    let names = [
        "chromium",
        "chromium-browser",
        "google-chrome",
        "google-chrome-stable",
    ];
    let runs = |name: &&str| {
        let asked = Command::new(name).arg("--version").output();
        asked.is_ok_and(|output| output.status.success())
    };
    let found = names.into_iter().find(runs);
    if found.is_none() {
        left_out(test, "Chromium", "CARGO_POC_REQUIRE_CHROMIUM");
    }
    found
}

/// Chromium without a window, with its profile in the sandbox.
pub(crate) fn headless(chromium: &str, sandbox: &Sandbox) -> Command {
    let mut command = Command::new(chromium);
    command
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
        ])
        .arg(format!("--user-data-dir={}", sandbox.root.join("profile")));
    command
}

/// What `script` leaves as the page's title, in a window of `width`; a narrow window is a frame, since headless Chromium
/// has a least width. What a console says is an error.
fn browsed(
    chromium: &str,
    sandbox: &Sandbox,
    page: &str,
    script: &str,
    flags: &[&str],
    width: usize,
) -> String {
    let nonce = page
        .split("nonce=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    // The title that a page in a frame sends is set by the page around it.
    let probe = format!(
        "<script nonce=\"{nonce}\">parent.postMessage((() => {{ {script} }})(), '*')</script>\n</body>"
    );
    sandbox.write("page.html", page.replace("</body>", &probe));
    sandbox.write(
        "frame.html",
        format!(
            "<!doctype html><title>nothing was said</title><body><script>addEventListener('message', \
             (event) => {{ document.title = event.data }})</script>\
             <iframe src=\"page.html\" width=\"{width}\" height=\"900\"></iframe>"
        ),
    );
    let mut command = headless(chromium, sandbox);
    command
        .args([
            "--enable-logging=stderr",
            "--virtual-time-budget=4000",
            "--window-size=1400,1000",
        ])
        .args(flags)
        .arg("--dump-dom")
        .arg(format!("file://{}", sandbox.root.join("frame.html")));
    let run: Run = finish(command, "chromium");
    let said: Vec<&str> = run
        .stderr
        .lines()
        .filter(|line| line.contains("CONSOLE"))
        .collect();
    assert!(said.is_empty(), "{said:#?}");
    let title = run
        .stdout
        .split("<title>")
        .nth(1)
        .unwrap_or_else(|| panic!("{run}"));
    title.split("</title>").next().unwrap().to_owned()
}

#[test]
fn a_browser_draws_filters_and_fits_the_page_without_an_error() {
    let Some(chromium) = chromium_for("the page in a browser") else {
        return;
    };
    let sandbox = sandbox();
    let page = sandbox.poc("report -o -").stdout;
    let browser = Sandbox::empty();
    let see = |script: &str, flags: &[&str], width| {
        browsed(chromium, &browser, &page, script, flags, width)
    };

    // Charts and graph have a size, and every bar stands within its chart.
    let drawn = see(
        "const svgs = [...document.querySelectorAll('svg.chart, svg.graph')];
         const flat = svgs.filter((svg) => svg.getBoundingClientRect().width < 50);
         const bars = [...document.querySelectorAll('.bar rect')].map((bar) => bar.getBoundingClientRect());
         return `${svgs.length} drawings, ${flat.length} flat, ${bars.length} parts, ${bars.filter((bar) => bar.height < 1).length} unseen`;",
        &[],
        1200,
    );
    assert_eq!(drawn, "4 drawings, 0 flat, 5 parts, 0 unseen");

    // A script of a plan's would have run by now; its text is there.
    let filtered = see(
        "const rows = () => [...document.querySelectorAll('article:not([hidden])')].map((one) => one.dataset.name).join('+') || 'none';
         const said = [rows()];
         const find = document.getElementById('find');
         const type = (text) => { find.value = text; find.dispatchEvent(new Event('input', { bubbles: true })); said.push(rows()); };
         type('HOSTILE'); type('xyzzy'); type('');
         const box = document.querySelector('input[name=state]');
         box.click(); said.push(rows()); box.click(); said.push(rows());
         said.push(document.getElementById('shown').textContent);
         return said.join(', ');",
        &[],
        1200,
    );
    let parts: Vec<&str> = filtered.split(", ").collect();
    assert_eq!(
        parts[..4],
        ["cache+hostile", "hostile", "none", "cache+hostile"],
        "{filtered}"
    );
    assert_ne!(parts[4], "cache+hostile", "{filtered}");
    assert_eq!(parts[5..], ["cache+hostile", "2 of 2 shown"], "{filtered}");

    // Dark is dark, light is light, and both can be read.
    let colours = "const colour = (name) => getComputedStyle(document.body)[name].match(/\\d+/g).map(Number);
         const light = (name) => colour(name).reduce((sum, part) => sum + part) > 382 ? 'light' : 'dark';
         return light('color') + ' on ' + light('backgroundColor');";
    let scheme = |number| format!("--blink-settings=preferredColorScheme={number}");
    assert_eq!(see(colours, &[&scheme(0)], 1200), "light on dark");
    assert_eq!(see(colours, &[&scheme(1)], 1200), "dark on light");

    // On a phone nothing scrolls sideways, with everything unfolded.
    for width in [320, 375, 700, 1200] {
        let over = see(
            "document.querySelectorAll('details').forEach((one) => { one.open = true });
             const page = document.documentElement;
             return `${innerWidth}: ${page.scrollWidth > innerWidth ? 'too wide' : 'fits'}`;",
            &[],
            width,
        );
        assert_eq!(over, format!("{width}: fits"));
    }
}

#[test]
fn ids_are_unique_and_labels_refer_to_them() {
    let page = sandbox().poc("report -o -").stdout;
    let ids: Vec<&str> = page
        .split(" id=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    let unique: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(ids.len(), unique.len());
    for lead in ["aria-labelledby=\"", "href=\"#"] {
        for target in page
            .split(lead)
            .skip(1)
            .map(|rest| rest.split('"').next().unwrap())
        {
            assert!(unique.contains(target), "{lead}{target}");
        }
    }
    let mut unclosed = String::new();
    for element in [
        "table", "section", "article", "details", "div", "ul", "svg", "figure", "pre",
    ] {
        let (opened, closed) = (
            elements(&page, &format!("{element} ")) + elements(&page, &format!("{element}>")),
            elements(&page, &format!("/{element}>")),
        );
        if opened != closed {
            let _ = writeln!(unclosed, "{element}: {opened} opened, {closed} closed");
        }
    }
    assert_eq!(unclosed, "");
}
