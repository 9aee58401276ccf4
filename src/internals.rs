//! What the tests, benchmarks and fuzz targets of this project use. It is no interface: the library serves one program, and every
//! other module is private, so that rustc reports code that nothing uses.

pub mod affected {
    pub use crate::affected::{
        Selection, SourceTest, TargetSelection, TestSelector, all_targets, select, select_in,
        source_tests,
    };
    pub mod coverage {
        pub mod audit {
            pub use crate::affected::coverage::audit::audit;
        }
        pub mod store {
            pub use crate::affected::coverage::store::Store;
        }
    }
    pub mod items {
        pub use crate::affected::items::{Changed, CrateGraph, Graph, TestPattern, Uncached};
    }
}
pub mod change {
    pub use crate::change::{Change, repository_of};
}
pub mod cli {
    pub use crate::cli::{Cli, Global};
}
pub mod config {
    pub use crate::config::{Config, Options, RunnerChoice};
}
pub mod contract {
    pub use crate::contract::ContractState;
}
pub mod demo {
    pub use crate::demo::WORKSPACE;
}
pub mod deps {
    pub use crate::deps::{Block, Declared, Edit, State, align, commit, declared, plan_edits};
}
pub mod document {
    pub use crate::document::{
        Block, Document, Field, HeadingMark, Item, Label, ParseProblem, Placeholder, Plan,
        ProblemKind, Region, Section, Span, Status, StepId, Timestamp, read_foreign, read_plan,
        read_results,
    };
    pub mod edit {
        pub use crate::document::edit::Edits;
    }
    pub mod plan {
        pub use crate::document::plan::{Action, Count, Plan};
    }
    pub mod results {
        pub use crate::document::results::Results;
    }
    pub mod step_edit {
        pub use crate::document::step_edit::{
            NewStep, Note, add_note, add_to_plan, add_to_results, fill, set_status, strike,
            take_tasks,
        };
    }
}
pub mod evidence {
    pub use crate::evidence::{
        Check, Located, Names, Outcome, Packed, ProblemKind, Record, Scope, Source, TestCounts,
        append, read,
    };
}
pub mod exit {
    pub use crate::exit::{Exit, code_of};
}
pub mod finding {
    pub use crate::finding::{Code, Finding};
}
pub mod freshness {
    pub use crate::freshness::{Hasher, Inputs, changed};
}
pub mod lint {
    pub use crate::lint::lint;
    pub mod levels {
        pub use crate::lint::levels::Levels;
    }
    pub mod rules {
        pub use crate::lint::rules::{all, find, page};
    }
}
pub mod next {
    pub use crate::next::next;
}
pub mod project {
    pub use crate::project::{Paths, Poc, Project};
}
pub mod report {
    pub use crate::report::PocStatus;
}
pub mod script {
    pub mod commands {
        pub use crate::script::commands::Script;
    }
    pub mod shell {
        pub use crate::script::shell::{RecursionGuard, Settings};
    }
}
pub mod status {
    pub use crate::status::{Context, OtherPlans, assess};
}
pub mod sys {
    pub mod cargo {
        pub use crate::sys::cargo::{Cargo, toolchain};
    }
    pub mod exec {
        pub use crate::sys::exec::{
            ExitReason, Outcome, OutputChunk, ProcessCommand, Stop, capture,
            install_interrupt_handler, stream,
        };
    }
    pub mod files {
        pub use crate::sys::files::{create, remove, write_atomic};
        pub use crate::sys::lock::lock;
    }
    pub mod git {
        pub use crate::sys::git::{ChangeKind, Repository};
    }
    pub mod terminal {
        pub use crate::sys::terminal::Terminal;
    }
    pub mod together {
        pub use crate::sys::together::{remove_left_behind, write_together};
    }
}
pub mod verify {
    pub use crate::verify::{
        Invocation, Options, Program, RecordContext, Report, Runner, commands_hash, exit, planned,
        run,
    };
    pub mod runner {
        pub use crate::verify::runner::Words;
    }
    pub mod test_output {
        pub use crate::verify::test_output::{
            Binary, Ending, Header, Observed, Observer, TestCounts, Verdict,
        };
    }
}
pub mod workspace {
    pub use crate::workspace::{Configuration, Workspace};
    pub mod manifest {
        pub use crate::workspace::manifest::Manifest;
    }
    pub mod source {
        pub mod lex {
            pub use crate::workspace::source::keywords::is_keyword;
            pub use crate::workspace::source::lex::{Kind, lex};
        }
    }
}
