//! A macro whose body calls another by the name that a `use` gives it.

macro_rules! put_ {
    ($into:ident $value:ident) => {
        $crate::features::quoted::PutDown::put_down($value, &mut $into);
    };
}
pub(crate) use put_ as put;

macro_rules! quote_ {
    ($($value:ident)*) => {{
        let mut all = Vec::new();
        $($crate::features::quoted::put!(all $value);)*
        all
    }};
}
#[cfg(test)]
use quote_ as quote;

pub(crate) trait PutDown {
    fn put_down(self, into: &mut Vec<u32>);
}

impl<T: Into<u32>> PutDown for T {
    fn put_down(self, into: &mut Vec<u32>) {
        into.push(self.into());
    }
}

#[test]
fn quoted() {
    let one = 14_u32;
    assert_eq!(quote!(one), [14]);
}
