//! The plans that many tests begin with.

/// The plan `cache` for the package `app`, from its criteria and what stands below `## Implementation Steps`.
macro_rules! plan {
    ($criteria:literal, $steps:literal) => {
        concat!(
            "# Cache Plan\n\n## Overview\n\n| Attribute | Value |\n|---|---|\n| **Base** | `main` |\n| **Packages** | `app` |\n\n",
            "## Success Criteria\n\n",
            $criteria,
            "\n## Implementation Steps\n\n",
            $steps
        )
    };
}

pub(crate) use plan;
