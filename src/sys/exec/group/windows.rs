//! Windows: a job object holds the program and everything it starts.

use process_wrap::std::{ChildWrapper, CommandWrap, JobObject};

pub(super) fn wrap(command: &mut CommandWrap) -> &mut CommandWrap {
    command.wrap(JobObject)
}

/// The job object lives in the child's wrapper; there is nothing to keep beside it.
pub(super) struct Members;

impl Members {
    pub(super) fn of(_child: &dyn ChildWrapper) -> Self {
        Self
    }

    /// The wrapper does not tell; the job is ended in any case, so "yes" would only cost the grace.
    pub(super) fn any_alive(&self) -> bool {
        false
    }

    pub(super) fn ask_to_end(&mut self, child: &mut dyn ChildWrapper) {
        self.kill(child);
    }

    pub(super) fn kill(&mut self, child: &mut dyn ChildWrapper) {
        // Fails only when the job has already ended.
        let _gone = child.start_kill();
    }
}
