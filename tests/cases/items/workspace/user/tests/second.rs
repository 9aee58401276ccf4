//! A variable that is called as a macro of another test is.

#[test]
fn variable_of_its_name() {
    let check = 1;
    assert_eq!(derives::same!(check), 1);
}
