//! Which of several machines runs a part of one verification.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One of several shards, as `M/N`, from `1/N` to `N/N`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Partition {
    /// Its number, from 1.
    pub index: usize,
    /// The number of shards.
    pub count: usize,
}

impl fmt::Display for Partition {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.index, self.count)
    }
}

impl FromStr for Partition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let form = || "write M/N, from 1/N to N/N".to_owned();
        let (index, count) = text.split_once('/').ok_or_else(form)?;
        let number = |text: &str| text.parse::<usize>().map_err(|_| form());
        let (index, count) = (number(index)?, number(count)?);
        if index == 0 || index > count {
            return Err(form());
        }
        Ok(Self { index, count })
    }
}

impl TryFrom<String> for Partition {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Partition> for String {
    fn from(partition: Partition) -> Self {
        partition.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::Partition;

    #[test]
    fn invalid_partitions_are_rejected() {
        assert_eq!("2/3".parse(), Ok(Partition { index: 2, count: 3 }));
        for wrong in ["0/3", "4/3", "1", "1/", "a/b", "-1/2", "slice:1/2"] {
            wrong.parse::<Partition>().expect_err(wrong);
        }
    }
}
