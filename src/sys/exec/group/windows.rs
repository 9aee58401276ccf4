//! Windows: a job object with the program and all processes it starts.

use process_wrap::std::{ChildWrapper, CommandWrap, JobObject};

pub(super) fn wrap(command: &mut CommandWrap) -> &mut CommandWrap {
    command.wrap(JobObject)
}

/// The job object is in the child's wrapper, so there is no other state.
pub(super) struct Members;

impl Members {
    pub(super) fn of(_child: &dyn ChildWrapper) -> Self {
        Self
    }

    /// The wrapper cannot tell. The job is ended in any case, so `true` would only cost the grace period.
    pub(super) fn any_alive(&self) -> bool {
        false
    }

    pub(super) fn ask_to_end(&mut self, child: &mut dyn ChildWrapper) {
        self.kill(child);
    }

    pub(super) fn kill(&mut self, child: &mut dyn ChildWrapper) {
        // Fails only if the job has already ended.
        let _gone = child.start_kill();
    }
}
