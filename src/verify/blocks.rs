//! The shell blocks that a plan sets for a scope, as invocations.

use super::invocation::Invocation;
use crate::document::{Block, Plan};
use crate::evidence::Scope;

/// The shell blocks of a plan for a scope: the baseline, the prerequisites after the first, a step, or the done block; empty for scopes
/// that depend on the change.
#[must_use]
pub fn blocks<'p>(plan: &'p Plan, scope: &Scope) -> Vec<&'p Block> {
    let blocks: Vec<&Block> = match scope {
        Scope::Baseline => plan.baseline.iter().collect(),
        Scope::Prerequisites => plan
            .prerequisites
            .iter()
            .skip(1)
            .flat_map(|need| &need.verification)
            .collect(),
        Scope::Step(id) => {
            let steps = plan.steps.iter().filter(|step| step.id.as_str() == id);
            steps.flat_map(|step| &step.verification).collect()
        }
        Scope::Done => plan.done.iter().collect(),
        Scope::Affected | Scope::Full => Vec::new(),
    };
    blocks
        .into_iter()
        .filter(|block| block.is_shell())
        .collect()
}

/// The invocations of [`blocks`].
#[must_use]
pub fn planned(plan: &Plan, scope: &Scope) -> Vec<Invocation> {
    let blocks = blocks(plan, scope).into_iter();
    blocks.map(|block| Invocation::block(&block.code)).collect()
}

/// A hash of the commands of invocations. If a plan's commands change, evidence from earlier commands does not count.
#[must_use]
pub fn commands_hash<'c>(checks: impl IntoIterator<Item = &'c Invocation>) -> String {
    let mut hasher = blake3::Hasher::new();
    for check in checks {
        hasher.update(check.command().replace("\r\n", "\n").as_bytes());
        hasher.update(&[0]);
    }
    hasher.finalize().to_hex()[..16].to_owned()
}
