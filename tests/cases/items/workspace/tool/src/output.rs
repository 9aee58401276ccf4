//! What it prints.

pub fn show(number: u32) {
    println!("{}", line(number));
}

fn line(number: u32) -> String {
    format!("answer {number}")
}

pub mod alone {
    //! Used by nobody else.

    #[test]
    fn stands_alone() {
        assert_eq!(2 + 2, 4);
    }
}
