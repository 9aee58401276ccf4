//! Fires.

#[test]
#[ignore = "slow"]
fn counts() {}
