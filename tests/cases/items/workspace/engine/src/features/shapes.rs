//! Traits, and what is called without being named.

use std::fmt;
use std::ops::{Add, Deref};
use std::sync::atomic::{AtomicU32, Ordering};

pub trait Shape {
    const SIDES: u32 = 0;

    fn name(&self) -> String {
        "shape".to_owned()
    }
}

pub struct Square;
pub struct Circle;

impl Shape for Square {
    const SIDES: u32 = 4;
}

impl Shape for Circle {
    fn name(&self) -> String {
        "circle".to_owned()
    }
}

pub fn names(shapes: &[Box<dyn Shape2>]) -> String {
    shapes.iter().map(|shape| shape.label()).collect()
}

pub trait Shape2 {
    fn label(&self) -> String;
}

impl Shape2 for Square {
    fn label(&self) -> String {
        "s".to_owned()
    }
}

impl Shape2 for Circle {
    fn label(&self) -> String {
        "c".to_owned()
    }
}

pub fn sides<S: Shape>(_: &S) -> u32 {
    S::SIDES
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Meters(pub u32);

impl Add for Meters {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl fmt::Display for Meters {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}m", self.0)
    }
}

impl From<u32> for Meters {
    fn from(meters: u32) -> Self {
        Self(meters)
    }
}

pub struct Boxed(Square);

impl Deref for Boxed {
    type Target = Square;

    fn deref(&self) -> &Square {
        &self.0
    }
}

impl Square {
    pub fn corners(&self) -> u32 {
        4
    }
}

pub static DROPPED: AtomicU32 = AtomicU32::new(0);

pub struct Guard;

pub struct Countdown(u32);

impl Iterator for Countdown {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        self.0 = self.0.checked_sub(1)?;
        Some(self.0)
    }
}

#[test]
fn square_name() {
    assert_eq!(Square.name(), "shape");
}

#[test]
fn circle_name() {
    assert_eq!(Circle.name(), "circle");
}

#[test]
fn dynamic() {
    assert_eq!(names(&[Box::new(Square), Box::new(Circle)]), "sc");
}

#[test]
fn associated_constant() {
    assert_eq!(sides(&Square), 4);
}

#[test]
fn operator() {
    assert_eq!(Meters(1) + Meters(2), Meters(3));
}

#[test]
fn display() {
    assert_eq!(Meters(1).to_string(), "1m");
}

#[test]
fn conversion() {
    let meters: Meters = 5.into();
    assert_eq!(meters.0, 5);
}

#[test]
fn deref() {
    assert_eq!(Boxed(Square).corners(), 4);
}

#[test]
fn guard() {
    drop(Guard);
    assert_eq!(DROPPED.load(Ordering::SeqCst), 0);
}

#[test]
fn iteration() {
    let mut sum = 0;
    for step in Countdown(3) {
        sum += step;
    }
    assert_eq!(sum, 3);
}
