//! Modules that the body of a macro declares.

macro_rules! root {
    () => {
        mod inner;

        mod around {
            pub(super) mod deep;
        }
    };
}

mod placed {
    root!();

    #[test]
    fn declared_by_a_body() {
        assert_eq!(inner::value(), 3);
    }

    #[test]
    fn declared_in_a_module_of_a_body() {
        assert_eq!(around::deep::far(), 4);
    }
}

fn three() -> u32 {
    3
}
