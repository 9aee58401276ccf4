//! Unix: a process group, and on Linux also descendants that have moved to other groups while their parents lived (nextest gives every test
//! a group).

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use process_wrap::std::{ChildWrapper, CommandWrap, ProcessGroup};

pub(super) fn wrap(command: &mut CommandWrap) -> &mut CommandWrap {
    command.wrap(ProcessGroup::leader())
}

/// The process group, and the descendants outside it when it was asked to end.
pub(super) struct Members {
    group: Pid,
    strays: Vec<Process>,
}

impl Members {
    pub(super) fn of(child: &dyn ChildWrapper) -> Self {
        // A pid is a positive i32 on every Unix; std widens it to u32.
        let group = Pid::from_raw(child.id().cast_signed());
        Self {
            group,
            strays: Vec::new(),
        }
    }

    pub(super) fn any_alive(&self) -> bool {
        let group_gone = killpg(self.group, None).is_err();
        if group_gone && self.strays.is_empty() {
            return false;
        }
        match processes() {
            // For `killpg` a zombie is still a member, so check the state.
            Some(all) => all.iter().any(|process| {
                process.running && (process.group == self.group || self.strays.contains(process))
            }),
            None => !group_gone,
        }
    }

    pub(super) fn ask_to_end(&mut self, _child: &mut dyn ChildWrapper) {
        self.find_strays();
        self.signal(Signal::SIGTERM);
    }

    pub(super) fn kill(&mut self, _child: &mut dyn ChildWrapper) {
        self.find_strays();
        self.signal(Signal::SIGKILL);
        let still: Vec<Process> = match processes() {
            Some(all) => all
                .into_iter()
                .filter(|process| self.strays.contains(process))
                .collect(),
            None => Vec::new(),
        };
        for stray in still {
            // Fails only if it has just ended.
            let _gone = kill(stray.pid, Signal::SIGKILL);
        }
    }

    fn signal(&self, signal: Signal) {
        // Fails only if no member is left.
        let _gone = killpg(self.group, signal);
    }

    /// Records descendants outside the group, which cannot be found once their parents have ended.
    fn find_strays(&mut self) {
        let Some(all) = processes() else { return };
        let mut family: Vec<Pid> = vec![self.group];
        family.extend(self.strays.iter().map(|stray| stray.pid));
        family.extend(all.iter().filter(|p| p.group == self.group).map(|p| p.pid));
        let mut next = 0;
        while let Some(parent) = family.get(next).copied() {
            next += 1;
            for process in all.iter().filter(|process| process.parent == parent) {
                if !family.contains(&process.pid) {
                    family.push(process.pid);
                }
                if process.group != self.group && !self.strays.contains(process) {
                    self.strays.push(*process);
                }
            }
        }
    }
}

/// A process in `/proc`. Its start time distinguishes it from a later process with the same pid.
#[derive(Debug, Clone, Copy)]
pub(in crate::sys::exec) struct Process {
    pub(in crate::sys::exec) pid: Pid,
    pub(in crate::sys::exec) parent: Pid,
    group: Pid,
    started: u64,
    pub(in crate::sys::exec) running: bool,
}

impl PartialEq for Process {
    fn eq(&self, other: &Self) -> bool {
        (self.pid, self.started) == (other.pid, other.started)
    }
}

/// Every process of the machine; `None` without a `/proc` as on Linux.
pub(in crate::sys::exec) fn processes() -> Option<Vec<Process>> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    let entries = std::fs::read_dir("/proc").ok()?;
    let found = entries.filter_map(|entry| {
        let name = entry.ok()?.file_name();
        let pid: i32 = name.to_str()?.parse().ok()?;
        parse_stat(
            pid,
            &std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?,
        )
    });
    let found: Vec<_> = found.collect();
    // This process is in the list, so an empty list means that `/proc` hides processes.
    (!found.is_empty()).then_some(found)
}

/// Fields of `proc_pid_stat(5)`; the command name, in parentheses, may contain any character.
fn parse_stat(pid: i32, stat: &str) -> Option<Process> {
    let (_, rest) = stat.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split(' ').collect();
    Some(Process {
        pid: Pid::from_raw(pid),
        parent: Pid::from_raw(fields.get(1)?.parse().ok()?),
        group: Pid::from_raw(fields.get(2)?.parse().ok()?),
        started: fields.get(19)?.parse().ok()?,
        running: !matches!(*fields.first()?, "Z" | "X"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_name_may_contain_spaces_and_parentheses() {
        let stat = "42 (a) b (c) S 7 9 9 0 -1 0 1 2 3 4 5 6 7 8 20 0 1 0 12345 0 0";
        let process = parse_stat(42, stat).unwrap();
        assert_eq!(process.parent, Pid::from_raw(7));
        assert_eq!(process.group, Pid::from_raw(9));
        assert_eq!(process.started, 12345);
        assert!(process.running);
    }
}
