//! Near.

/// The first.
pub fn first(of: &[u32]) -> u32 {
    of.first().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #[test]
    fn finds() {
        assert_eq!(Some(1).unwrap(), 1);
    }
}
