//! Code that is registered in the body of a function that nobody calls.

use std::sync::Mutex;

static REGISTERED: Mutex<Vec<fn() -> u32>> = Mutex::new(Vec::new());

pub fn add(work: fn() -> u32) {
    REGISTERED.lock().unwrap().push(work);
}

fn run_all() -> Vec<u32> {
    let mut all: Vec<u32> = REGISTERED.lock().unwrap().iter().map(|work| work()).collect();
    all.sort_unstable();
    all
}

macro_rules! register {
    ($work:ident) => {
        #[used]
        #[unsafe(link_section = ".init_array")]
        static ADDED: extern "C" fn() = {
            extern "C" fn add_it() {
                add($work);
            }
            add_it
        };
    };
}

fn far_work() -> u32 {
    20
}

fn near_work() -> u32 {
    21
}

pub fn not_called() {
    outside::register!(far_work);
}

pub fn not_called_either() {
    register!(near_work);
}

#[test]
fn runs_what_is_registered() {
    assert_eq!(run_all(), [20, 21]);
}
