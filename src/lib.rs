//! cargo poc
