pub struct Field(u32);

impl Field {
    pub fn r#type(&self) -> u32 {
        self.0 + 1
    }
}

pub fn make() -> Field {
    Field(1)
}

#[test]
fn raw_method() {
    assert_eq!(make().r#type(), 2);
}

pub mod r#match {
    pub fn r#loop() -> u32 {
        31
    }
}

#[test]
fn r#move() {
    assert_eq!(r#match::r#loop(), 31);
}

pub trait Backend {
    type Conn;
}

pub struct Pg;
pub struct PgConn;

impl Backend for Pg {
    type Conn = PgConn;
}

impl PgConn {
    pub fn open() -> u32 {
        32
    }
}

#[test]
fn projection() {
    assert_eq!(<Pg as Backend>::Conn::open(), 32);
}

pub struct Inner {
    n: u32,
}

impl Inner {
    pub fn get(&self) -> u32 {
        self.n + 33
    }
}

pub struct Outer {
    inner: Inner,
}

impl Outer {
    pub fn new() -> Self {
        unsafe {
            Self {
                inner: std::mem::zeroed(),
            }
        }
    }
}

#[test]
fn value_made_by_unsafe_code() {
    assert_eq!(Outer::new().inner.get(), 33);
}

extern "C" fn key_of(outer: &Item) -> u32 {
    outer.key()
}

pub struct Item {
    n: u32,
}

impl Item {
    pub fn key(&self) -> u32 {
        self.n + 34
    }
}

#[test]
fn value_made_by_foreign_code() {
    let address = key_of as extern "C" fn(&Item) -> u32 as usize;
    let key: extern "C" fn(*const u32) -> u32 = unsafe { std::mem::transmute(address) };
    assert_eq!(key(&0), 34);
}

pub struct Racer;

pub trait Run {
    fn run() -> u32;
}

impl Run for Racer {
    fn run() -> u32 {
        35
    }
}

#[cfg(feature = "fast")]
mod fast {
    impl super::Racer {
        pub fn run() -> u32 {
            0
        }
    }
}

#[test]
fn inherent_member_behind_a_feature() {
    assert_eq!(Racer::run(), 35);
}
